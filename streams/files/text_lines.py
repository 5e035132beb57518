"""Text from files as they come: gzip, zstd or plain, UTF-8 or GB18030, with or without a byte order mark.

Under every reader of people's files (:mod:`streams.files.indicator_files`). Lines are read one by one, so that a
file of millions needs no memory.
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
    """Why a file cannot be read, or not to its end, as one sentence."""


class TextLines:
    """The decoded lines of a file, once, with the ``number`` of the last one given.

    Text is UTF-8 as long as it is, from then on GB18030, which Excel writes in Chinese offices; once a line has
    shown that it is UTF-8, it stays that. Lines that cannot be decoded are left out and collected; a file that
    breaks off or is no text raises :class:`FileError`.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self.number = 0
        self._raw = unpacked(raw)
        self._encodings: tuple[str, ...] = ("utf-8", "gb18030")
        self._waiting: str | None = None
        self._undecoded: list[int] = []

    def first(self) -> str:
        """The first line that is neither empty nor a comment; it will be read again."""
        for text in self:
            if text.strip() and not text.startswith("#"):
                self._waiting = text
                return text.strip()
        return ""

    def take_undecoded(self) -> list[int]:
        """The numbers of the lines that could not be decoded since this was last asked."""
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
        """The line's text in the first encoding that fits; what the line proves rules out the other one."""
        for encoding in self._encodings:
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            # Words of two Chinese characters in GB18030 can pass for UTF-8's two-byte letters, not for its longer ones.
            if len(self._encodings) == 2 and (encoding == "gb18030" or (not line.isascii() and max(text) > "\u07ff")):
                self._encodings = (encoding,)
            return text
        return None

    def _without_mark(self, line: bytes) -> bytes:
        """The first line without UTF-8's byte order mark; refuses what is no list at all."""
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
    """The file's content: gzip and zstd are known by their first bytes, whatever the file is called."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    head = buffered.peek(4)[:4]
    if head.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=buffered))
    if head == b"\x28\xb5\x2f\xfd":
        return io.BufferedReader(_Zstd(buffered), 1 << 18)
    return buffered


class _Zstd(io.RawIOBase):
    """Zstd frames one after the other; unlike the library's reader it notices when the last is cut off."""

    def __init__(self, packed: io.BufferedReader) -> None:
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._fresh = True
        self._ready = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer with what comes next; 0 at the end, ``EOFError`` in the middle of a frame."""
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
