"""Compiled functions: the same in machine code, with or without a place to keep it."""

from __future__ import annotations

import numpy as np

from models.base.compiled import compiled

SOURCE = """
def count(values):
    total = 0
    for value in values:
        total += value
    return total
"""


def test_without_a_file_to_keep_it_beside_a_function_is_compiled_all_the_same() -> None:
    made: dict[str, object] = {}
    exec(compile(SOURCE, "<no file>", "exec"), made)  # noqa: S102 - numba has nowhere to keep this one's code
    count = compiled(made["count"])  # type: ignore[type-var]

    assert count(np.arange(5)) == 10  # type: ignore[operator]
    assert count.signatures  # type: ignore[attr-defined]
