"""Compiled functions: the innermost loops as machine code that runs without Python's global lock.

numba compiles a function at its first call and caches the machine code next to the source file. It recognises a cached
function by that file alone, so a compiled function may call compiled functions of its own module only. A test enforces
this.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def _load_array_functions() -> None:
    """Load numba's functions of arrays without SciPy.

    At the first call of any function numba would import SciPy's linear algebra, merely to see whether it is there. That
    takes a tenth of a worker's start and 14 MB, and no function here multiplies matrices.
    """
    name = "scipy.linalg"
    if name in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # now an import of it fails
    try:
        from numba.np import arraymath  # noqa: F401
    finally:
        del sys.modules[name]


_load_array_functions()


def compiled(function: F) -> F:
    """Compile a function to machine code that holds the global lock only while it receives its arguments.

    The function reads and fills arrays and raises nothing. No index is checked: the function must stay within bounds.
    ``function.py_func`` is the same function in plain Python.
    """
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder for the cache: each process compiles the function again
        return cast(F, numba.njit(nogil=True)(function))
