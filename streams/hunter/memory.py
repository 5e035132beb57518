"""The hunter's memory: how far it has got and whom it found lately, handed on to the next hunter."""

from __future__ import annotations

import msgspec

from streams.hunter.segment_index import Frontier


class Found(msgspec.Struct, frozen=True, array_like=True):
    """Somebody found lately: until a worker has read the signals, what happens around the contacts may pass it by."""

    partition: int
    offset: int
    """Of the last of the signals."""
    times: list[int]
    """Of the contacts."""


class Memory(msgspec.Struct, frozen=True):
    """What a hunter hands on to the next one."""

    frontier: Frontier = Frontier()
    found: dict[int, Found] = {}
    """By subscriber (number key)."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Memory)


def encode(memory: Memory) -> bytes:
    """The memory as it is stored."""
    return _encoder.encode(memory)


def decode(stored: bytes) -> Memory:
    """The memory that was stored; raises `msgspec.MsgspecError` when it is none."""
    return _decoder.decode(stored)
