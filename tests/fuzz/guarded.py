"""Guarded arrays: compiled functions run as plain Python over arrays that count each reading and refuse a wrong index.

Machine code checks no index and counts nothing. The same function in plain Python shows both, in steps that are the
same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np
from numba.core.registry import CPUDispatcher


class Guarded:
    """An array whose indices must lie within it; ``reads`` counts how often one of its values was read."""

    def __init__(self, array: Any) -> None:
        self._array = np.array(array)
        self.size, self.shape, self.reads = self._array.size, self._array.shape, 0

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        return self._array[self._checked(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, int) and self._array.dtype == np.int64:  # machine code keeps the lowest 64 bits
            value = (value + (1 << 63)) % (1 << 64) - (1 << 63)
        self._array[self._checked(index)] = value

    def __iter__(self) -> Iterator[Any]:
        return map(self.__getitem__, range(self.size))

    def _checked(self, index: Any) -> Any:
        for each, size in zip(index if isinstance(index, tuple) else (index,), self.shape, strict=True):
            if not 0 <= each < size:
                raise IndexError(f"{each} is not within {size}")
        return index


def plain(function: Any) -> Callable[..., Any]:
    """A compiled function as plain Python, together with all compiled functions that it calls."""
    scope = dict(function.py_func.__globals__)
    for name, value in scope.items():
        if isinstance(value, CPUDispatcher):
            code = value.py_func
            scope[name] = FunctionType(code.__code__, scope, name, code.__defaults__)
    found: Callable[..., Any] = scope[function.py_func.__name__]
    return found
