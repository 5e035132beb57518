"""Packed records: many keys and values in one buffer, as Kafka sends them and files store them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Records in one buffer, with the places where each value and key begins and ends (int64; -1: there is none)."""

    buffer: NDArray[np.uint8]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    key_begins: NDArray[np.int64]
    key_ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begins)

    def __getitem__(self, rows: slice | NDArray[Any]) -> Packed:
        """Some of the records, in the same buffer."""
        return Packed(self.buffer, self.begins[rows], self.ends[rows], self.key_begins[rows], self.key_ends[rows])

    @classmethod
    def joined(cls, some: Sequence[Packed]) -> Packed:
        """The records of several buffers, joined in one buffer."""
        columns = [(each.begins, each.ends, each.key_begins, each.key_ends) for each in some]
        places = zip(columns, shifts([each.buffer for each in some]), strict=True)
        moved = [[shifted(column, shift) for column in four] for four, shift in places]
        begins, ends, key_begins, key_ends = (np.concatenate(column) for column in zip(*moved, strict=True))
        return cls(np.concatenate([each.buffer for each in some]), begins, ends, key_begins, key_ends)

    def value(self, row: int) -> bytes | None:
        """The value of a record; None when it has none."""
        begin = self.begins[row]
        return None if begin < 0 else self.buffer[begin : self.ends[row]].tobytes()

    def key(self, row: int) -> bytes | None:
        """The key of a record; None when it has none."""
        begin = self.key_begins[row]
        return None if begin < 0 else self.buffer[begin : self.key_ends[row]].tobytes()


def shifts(buffers: Sequence[NDArray[Any]]) -> list[int]:
    """Where each of several buffers begins when they are joined end to end."""
    ends = np.cumsum([len(buffer) for buffer in buffers])
    return [0, *ends[:-1].tolist()]


def shifted(places: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """Places in a buffer that has moved by so many bytes; negative places stay as they are."""
    return np.where(places < 0, places, places + by)
