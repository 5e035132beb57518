"""Compiled functions: machine code gives the same results, with or without a file for numba's cache."""

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
    exec(compile(SOURCE, "<no file>", "exec"), made)  # noqa: S102 - numba has nowhere to cache this function's code
    count = compiled(made["count"])  # type: ignore[type-var]

    assert count(np.arange(5)) == 10  # type: ignore[operator]
    assert count.signatures  # type: ignore[attr-defined]
