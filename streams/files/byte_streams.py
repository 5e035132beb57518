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
PACKED: Final = 1 << 10
"""Bytes of zstd that are unpacked at once: four of them can stand for 128 kB, so these for 32 MB."""


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


def with_line_feeds(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text with a line feed at the end of each line, also where a carriage return was, alone or before one."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        held = b"\r" if text.endswith(b"\r") else b""  # its line feed may come with the next piece
        text = text.removesuffix(held)
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
    if held:
        yield b"\n"


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
        return io.BufferedReader(Chunks(_frames(buffered)), 1 << 18)
    return buffered


def _frames(packed: io.BufferedReader) -> Iterator[bytes]:
    """The content of zstd frames one after the other.

    Raises ``EOFError`` at the end of a file that stops in the middle of a frame; the library's reader does not notice.
    """
    frame, is_begun = zstandard.ZstdDecompressor().decompressobj(), False
    while chunk := (frame.unused_data if frame.eof else b"") or packed.read1(PACKED):
        if frame.eof:
            frame = zstandard.ZstdDecompressor().decompressobj()
        yield frame.decompress(chunk)
        is_begun = not frame.eof
    if is_begun:
        raise EOFError
