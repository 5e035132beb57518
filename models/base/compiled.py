"""Compiled functions: the innermost loops, turned into machine code that runs without Python's global lock.

numba compiles a function at its first call and keeps the code beside the source. It knows a kept function by its own
file alone, so a compiled function may call compiled functions of its own module only; a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function in machine code; it holds the lock no longer than it takes to hand over its arguments.

    Arrays go in and out, nothing is raised, and no index is checked: the function itself must stay within bounds.
    ``function.py_func`` is the same in plain Python.
    """
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder to keep the code in: it is compiled anew by each process
        return cast(F, numba.njit(nogil=True)(function))
