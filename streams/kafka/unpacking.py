"""Unpacking: the bytes of a compressed record batch, within a bound.

A kilobyte of zstd can unpack to gigabytes, and not every codec says beforehand to how many bytes. So each of them
writes into room of a fixed size, and fails when that is full.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from struct import Struct, error
from typing import Any, Final

import cramjam
import numpy as np

LARGEST_UNPACKED: Final = 1 << 25
"""Bytes to which a batch may unpack: sixteen times the largest batch that a topic of ours takes."""

_XERIAL: Final = b"\x82SNAPPY\x00"
"""The first bytes of snappy in blocks, as Java's producers write it; a version and a block format follow (xerial)."""
_XERIAL_HEADER: Final = 16
_BLOCK: Final = Struct(">i")


class UnpackingError(ValueError):
    """Bytes do not unpack within the bound, because they are damaged or unpack to more."""


class _Room(threading.local):
    """The room into which a thread unpacks. The system gives it memory only as far as it was ever filled."""

    def __init__(self) -> None:
        self.bytes = np.empty(LARGEST_UNPACKED, dtype=np.uint8).data


_room: Final = _Room()


def unpacked(codec: int, packed: bytes) -> bytes:
    """The bytes that were packed with a codec, by its number in the attributes of a record batch (1 to 4).

    Raises `UnpackingError` for a codec that does not exist, damaged bytes, and more than `LARGEST_UNPACKED`.
    """
    unpack_into = _CODECS.get(codec)
    if unpack_into is None:
        raise UnpackingError(f"there is no codec {codec}")
    room = _room.bytes
    try:
        return bytes(room[: unpack_into(packed, room)])
    except (cramjam.DecompressionError, error, ValueError) as failure:
        raise UnpackingError(f"it is damaged, or unpacks to more than {LARGEST_UNPACKED} bytes") from failure


def _unpack_snappy(packed: bytes, room: memoryview) -> int:
    """Unpack snappy with or without blocks; returns how many bytes of the room are filled."""
    if not packed.startswith(_XERIAL):
        return _unpack_block(packed, room)
    rest, filled = memoryview(packed)[_XERIAL_HEADER:], 0
    while rest:
        (size,) = _BLOCK.unpack_from(rest)
        if not 0 < size <= len(rest) - _BLOCK.size:
            raise UnpackingError("a block is cut off")
        filled += _unpack_block(rest[_BLOCK.size : _BLOCK.size + size], room[filled:])
        rest = rest[_BLOCK.size + size :]
    return filled


def _unpack_block(packed: bytes | memoryview, room: memoryview) -> int:
    if cramjam.snappy.decompress_raw_len(packed) > len(room):
        raise UnpackingError("there is no room")
    return int(cramjam.snappy.decompress_raw_into(packed, room))


_CODECS: Final[Mapping[int, Callable[[Any, Any], int]]] = {
    1: cramjam.gzip.decompress_into,
    2: _unpack_snappy,
    3: cramjam.lz4.decompress_into,
    4: cramjam.zstd.decompress_into,
}
