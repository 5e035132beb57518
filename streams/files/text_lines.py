"""Text lines: reads text files as people send them: packed or plain, in many encodings, with any line ends.

:mod:`streams.files.indicator_files` reads through it. Lines are read one by one, so that a file of millions of lines
needs no memory; only the first lines are kept for a moment, to recognise what the file is.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import IO, Final

import zstandard

from streams.files.byte_streams import CHUNK, Chunks, chunks_of, recoded, unpacked, with_line_feeds
from streams.files.encodings import DoubtError, detected

LONGEST_LINE: Final = 1 << 20
_SAMPLE: Final = 1 << 16
"""Bytes of lines beyond ASCII from which an encoding is recognised."""
_AHEAD: Final = 1 << 20
"""About as many bytes are read ahead at most."""
_MARKS: Final = {  # the longer ones first: UTF-32's mark begins like UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
_WIDE: Final = ("utf-16", "utf-32")
_OTHER_FILES: Final = {
    b"PK\x03\x04": "a workbook or a ZIP archive; save it as CSV",
    b"\xd0\xcf\x11\xe0": "a workbook or a document of an old Office; save it as CSV",
    b"%PDF": "a PDF document; list its values in a text file",
    b"Rar!": "a RAR archive; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"BZh": "packed with bzip2; unpack it, or pack it with gzip or zstd",
    b"\xfd7zXZ": "packed with xz; unpack it, or pack it with gzip or zstd",
    b"SQLite format 3": "a database; export its table as CSV",
    b"age-encryption.org": "sealed; open it with age --decrypt",
}

_DAMAGED: Final = (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile)
_CUT_OFF: Final = "the compressed file is damaged or cut off after line {}"


class FileError(ValueError):
    """A file cannot be read, or not to its end; one sentence says why."""


def other_file(first: bytes) -> str | None:
    """What a file is that is no text, by its first bytes, and what to do instead; None for any other."""
    return next((what for start, what in _OTHER_FILES.items() if first.startswith(start)), None)


class TextLines:
    """The decoded lines of a file, read once; ``number`` is the number of the last line returned.

    The text is UTF-8, or what its byte order mark says, or else the encoding that its first lines beyond ASCII show
    (:mod:`streams.files.encodings`), from then on. ``region`` is the country that the text is expected from, and
    ``words`` tells whether a text contains a word that such files are known to contain. ``encoding`` is decided by the
    caller, or by the text; None as long as it is all ASCII. Lines that cannot be decoded are left out, and
    `take_undecoded` returns their numbers. Raises :class:`FileError` for a file that is cut off or is not text, and for
    one whose encoding is in doubt.
    """

    def __init__(
        self,
        raw: IO[bytes],
        encoding: str | None = None,
        region: str = "CN",
        words: Callable[[str], bool] = lambda text: False,
    ) -> None:
        self.number = 0
        self.encoding = encoding
        self._region = region
        self._words = words
        self._ahead: deque[bytes] = deque()
        self._undecoded: list[int] = []
        self._raw = self._opened(unpacked(raw))

    def head(self, count: int) -> list[str]:
        """The first ``count`` lines or fewer long ones, without line breaks; iteration returns them again.

        A line that cannot be decoded is empty here.
        """
        size = 0
        while len(self._ahead) < count and size < _AHEAD and (line := self._read(self.number + len(self._ahead))):
            self._ahead.append(line)
            size += len(line)
        lines = [*self._ahead][:count]
        return [(self._decoded(line, self.number + index + 1) or "").rstrip("\r\n") for index, line in enumerate(lines)]

    def take_undecoded(self) -> list[int]:
        """The numbers of the lines that could not be decoded since the last call."""
        lines, self._undecoded = self._undecoded, []
        return lines

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while line := self._ahead.popleft() if self._ahead else self._read(self.number):
            self.number += 1
            decoded = self._decoded(line, self.number)
            if decoded is not None:
                return decoded
            self._undecoded.append(self.number)
        raise StopIteration

    def _opened(self, raw: IO[bytes]) -> IO[bytes]:
        """The bytes of the text in lines that end with a line feed, without a byte order mark."""
        rest = chunks_of(raw)
        first = b""
        try:
            while b"\n" not in first and len(first) < CHUNK and (more := next(rest, b"")):
                first += more
        except _DAMAGED:
            raise FileError(_CUT_OFF.format(0)) from None
        if other := other_file(first):
            raise FileError(f"this is {other}")
        mark = next((mark for mark in _MARKS if first.startswith(mark)), b"")
        self.encoding = self.encoding or _MARKS.get(mark)
        chunks: Iterator[bytes] = chain((first.removeprefix(mark),), rest)
        if self.encoding and self.encoding.startswith(_WIDE):
            chunks = recoded(chain((first,), rest), self.encoding)
            try:
                first = next(chunks, b"")
            except UnicodeDecodeError:
                raise FileError(f"this is no {self.encoding.upper()} text") from None
            self.encoding, chunks = "utf-8", chain((first,), chunks)
        elif b"\0" in first:
            raise FileError("this is no text, or UTF-16 without a byte order mark; save it as UTF-8")
        return io.BufferedReader(Chunks(with_line_feeds(chunks)), CHUNK)

    def _decoded(self, line: bytes, number: int) -> str | None:
        """The line's text; None if the encoding does not fit."""
        if line.isascii():
            return line.decode("ascii")
        text = _text(line, self.encoding or "utf-8")
        if self.encoding is not None:
            return text if self.encoding == "utf-8" or not _is_surely_utf8(line) else None
        if _is_clearly_utf8(line):
            self.encoding = "utf-8" if _is_surely_utf8(line) else None
            return text
        self.encoding = self._detected(line, number)
        return None if self.encoding is None else _text(line, self.encoding)

    def _detected(self, line: bytes, number: int) -> str | None:
        """The encoding of the text from a line that is not UTF-8; None if it is no text in any known encoding."""
        size = sum(map(len, self._ahead))
        while size < _AHEAD and (more := self._read(number + len(self._ahead))):
            self._ahead.append(more)
            size += len(more)
        lines = [line, *(each for each in self._ahead if not each.isascii())]
        others = [each for each in lines if not _is_clearly_utf8(each)]
        wrong = sum(_text(each, "utf-8") is None for each in others)
        if len(lines) - len(others) > wrong:
            return "utf-8"
        try:
            if not wrong:
                raise DoubtError(("utf-8", "gb18030"))
            return detected(b"".join(others)[:_SAMPLE].rpartition(b"\n")[0] or line, self._region, self._words)
        except DoubtError as doubt:
            raise FileError(
                f"the encoding of the text from line {number} on is in doubt: it may be {doubt}; say which with "
                "--encoding"
            ) from None

    def _read(self, number: int) -> bytes:
        """The next line of the file, after ``number`` others."""
        try:
            line = self._raw.readline(LONGEST_LINE)
        except _DAMAGED:
            raise FileError(_CUT_OFF.format(number)) from None
        except UnicodeDecodeError:
            raise FileError(f"the text after line {number} does not have the encoding that it should have") from None
        if len(line) >= LONGEST_LINE:
            raise FileError(f"line {number + 1} is longer than a megabyte: this is not a list")
        return line


def _text(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_surely_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8 with characters of three bytes, which no text in another encoding is by chance."""
    text = _text(line, "utf-8")
    return text is not None and max(text, default="") > "\u07ff"


def _is_clearly_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8 and not a few characters of GB 2312 that happen to be UTF-8 of two bytes as well.

    Letters with accents are: one in the middle of a word would be a lonely Chinese character.
    """
    text = _text(line, "utf-8")
    return text is not None and (not "\u024f" < max(text, default="") <= "\u07ff" or _text(line, "gb2312") is None)
