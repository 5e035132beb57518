"""The hunter's memory: its progress and the people it found recently, for the next hunter to continue from."""

from __future__ import annotations

from typing import Final

import msgspec

from models.base.formats import check_format
from streams.hunter.segment_index import Frontier

FORMAT: Final = 2
"""The format that this version writes; it reads this one and the one before it."""


class Found(msgspec.Struct, frozen=True, array_like=True):
    """A subscriber found recently.

    Until a worker has read the signals, it may ignore events around the contacts, so the hunter keeps watching them.
    """

    partition: int
    offset: int
    """Offset of the last signal that was sent."""
    times: list[int]
    """Times of the contacts (epoch ms)."""


class Memory(msgspec.Struct, frozen=True):
    """The state that a hunter stores for the next one."""

    frontier: Frontier = Frontier()
    found: dict[int, Found] = {}
    """By subscriber (number key)."""


class _Versioned(msgspec.Struct, frozen=True):
    """What a stored memory of any format says."""

    format: int = 1


class _OfFormat2(Memory, frozen=True, kw_only=True):
    format: int


class _FrontierOfFormat1(msgspec.Struct, frozen=True):
    indicators: dict[int, int] = {}
    ledger: dict[int, tuple[int, int]] = {}
    """By the number of the partition: there were no marks of logs."""


class _OfFormat1(msgspec.Struct, frozen=True):
    frontier: _FrontierOfFormat1 = _FrontierOfFormat1()
    found: dict[int, Found] = {}


def encode(memory: Memory) -> bytes:
    """Encode the memory for storage."""
    return msgspec.msgpack.encode(_OfFormat2(memory.frontier, memory.found, format=FORMAT))


def decode(stored: bytes) -> Memory:
    """Decode a stored memory.

    Raises `NewerFormatError`, and `msgspec.MsgspecError` when the bytes are not a memory.
    """
    written_in = msgspec.msgpack.decode(stored, type=_Versioned).format
    check_format("The hunter's memory", written_in, FORMAT)
    if written_in > 1:
        return msgspec.msgpack.decode(stored, type=Memory)
    first = msgspec.msgpack.decode(stored, type=_OfFormat1)
    ledger = {f"p{number:03}": offsets for number, offsets in first.frontier.ledger.items()}
    return Memory(Frontier(first.frontier.indicators, ledger), first.found)
