"""The hunter's memory: its progress and the people it found recently, for the next hunter to continue from."""

from __future__ import annotations

import msgspec

from streams.hunter.segment_index import Frontier


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


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Memory)


def encode(memory: Memory) -> bytes:
    """Encode the memory for storage."""
    return _encoder.encode(memory)


def decode(stored: bytes) -> Memory:
    """Decode a stored memory. Raises `msgspec.MsgspecError` when the bytes are not one."""
    return _decoder.decode(stored)
