"""Text lines: reads text files as people send them: gzip, zstd or plain, UTF-8 or GB18030, with or without a BOM.

:mod:`streams.files.indicator_files` reads through it. Lines are read one by one, so that a file of millions of lines
needs no memory.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import IO, Final, cast

import zstandard

LONGEST_LINE: Final = 1 << 20


class FileError(ValueError):
    """A file cannot be read, or not to its end; one sentence says why."""


class TextLines:
    """The decoded lines of a file, read once; ``number`` is the number of the last line returned.

    The text is read as UTF-8 until a line fits only GB18030, which Excel writes in Chinese offices; from then on it is
    GB18030. Once a line can only be UTF-8, the text stays UTF-8. Lines that cannot be decoded are left out, and
    `take_undecoded` returns their numbers. Raises :class:`FileError` for a file that is cut off or is not text.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self.number = 0
        self._raw = unpacked(raw)
        self._encodings: tuple[str, ...] = ("utf-8", "gb18030")
        self._waiting: str | None = None
        self._undecoded: list[int] = []

    def first(self) -> str:
        """The first line that is neither empty nor a comment, stripped; iteration returns it again."""
        for text in self:
            if text.strip() and not text.startswith("#"):
                self._waiting = text
                return text.strip()
        return ""

    def take_undecoded(self) -> list[int]:
        """The numbers of the lines that could not be decoded since the last call."""
        lines, self._undecoded = self._undecoded, []
        return lines

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._waiting is not None:
            text, self._waiting = self._waiting, None
            return text
        while True:
            line = self._read()
            if not line:
                raise StopIteration
            self.number += 1
            if self.number == 1:
                line = self._without_mark(line)
            if len(line) >= LONGEST_LINE:
                raise FileError(f"line {self.number} is longer than a megabyte: this is not a list")
            decoded = self._decoded(line)
            if decoded is not None:
                return decoded
            self._undecoded.append(self.number)

    def _decoded(self, line: bytes) -> str | None:
        """The line's text in the first encoding that fits; a line that fits only one encoding rules out the other."""
        for encoding in self._encodings:
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            # Two Chinese characters in GB18030 can look like two-byte letters of UTF-8, but not like longer ones.
            if len(self._encodings) == 2 and (encoding == "gb18030" or (not line.isascii() and max(text) > "\u07ff")):
                self._encodings = (encoding,)
            return text
        return None

    def _without_mark(self, line: bytes) -> bytes:
        """The first line without a UTF-8 byte order mark; raises :class:`FileError` for files that are not lists."""
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise FileError("this is UTF-16 text; save it as UTF-8")
        if line.startswith(b"PK\x03\x04"):
            raise FileError("this is a workbook or a ZIP archive; save it as CSV")
        if line.startswith(codecs.BOM_UTF8):
            self._encodings = ("utf-8",)
        return line.removeprefix(codecs.BOM_UTF8)

    def _read(self) -> bytes:
        try:
            return self._raw.readline(LONGEST_LINE)
        except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile):
            raise FileError(f"the compressed file is damaged or cut off after line {self.number}") from None


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
