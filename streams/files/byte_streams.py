"""Byte streams: unpacks gzip and zstd, and turns pieces of bytes into a stream that is read line by line."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterator
from typing import IO, Final, cast

import zstandard

CHUNK: Final = 1 << 17
"""Bytes that are read at once."""


def chunks_of(raw: IO[bytes]) -> Iterator[bytes]:
    """The content of a file, piece by piece; what is there is not held back."""
    while chunk := cast(io.BufferedReader, raw).read1(CHUNK):
        yield chunk


def recoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8; raises UnicodeDecodeError where it does not have the encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


class Chunks(io.RawIOBase):
    """Reads what an iterator of bytes gives."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._ready = b""

    def readable(self) -> bool:
        """True, because the stream can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer with the next bytes; returns 0 at the end."""
        target = memoryview(cast(bytearray, buffer))
        while not self._ready:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._ready = chunk
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size


def unpacked(raw: IO[bytes]) -> IO[bytes]:
    """The uncompressed content of a file; gzip and zstd are recognised by their first bytes, not by the name."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    head = buffered.peek(4)[:4]
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=buffered))
    if head == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Zstd(buffered), 1 << 18)
    return buffered


class _Zstd(io.RawIOBase):
    """Reads zstd frames one after the other; unlike the library's reader, it notices when the last one is cut off."""

    def __init__(self, packed: io.BufferedReader) -> None:
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._fresh = True
        self._ready = b""

    def readable(self) -> bool:
        """True, because the stream can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer with the next bytes; returns 0 at the end, raises ``EOFError`` in the middle of a frame."""
        target = memoryview(cast(bytearray, buffer))
        while not self._ready:
            chunk = (self._frame.unused_data if self._frame.eof else b"") or self._packed.read1(1 << 17)
            if self._frame.eof:
                self._frame, self._fresh = zstandard.ZstdDecompressor().decompressobj(), True
            if not chunk:
                if self._fresh:
                    return 0
                raise EOFError
            self._ready, self._fresh = self._frame.decompress(chunk), False
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size
