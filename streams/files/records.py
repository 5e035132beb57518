"""Records: reads calls, SMS or subscribers from files, a chunk at a time: JSON Lines (plain, gzip, zstd) or Parquet."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from models.base.packed import Packed
from models.events.decoding import Decoded
from streams.files.byte_streams import unpacked, with_line_feeds
from streams.files.parquet_lines import is_parquet, parquet_lines
from streams.files.text_lines import FileError, other_file

B = TypeVar("B", bound=Any)

CHUNK_BYTES = 1 << 20
LONGEST_LINE = 1 << 24
"""Bytes; a line beyond this is no record, and a file that unpacks to one line without end must not fill the memory."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is not a record, with the reason."""

    path: Path
    line: int
    reason: str
    detail: str
    content: bytes = field(default=b"", repr=False)
    """The line itself, which is never shown as it is."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}: {self.detail}"


class RecordFiles(Generic[B]):
    """The records of several files of one kind, one file after the other.

    ``read`` reads a chunk of lines, and ``refused`` is called with each bad line. ``told`` is called with the number of
    bytes taken from a file since the last call, for a progress bar; compressed bytes are counted as they are.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[Packed], Decoded[B]],
        refused: Callable[[RefusedLine], object],
        told: Callable[[int], object] = lambda count: None,
    ) -> None:
        self._paths = paths
        self._read = read
        self._refused = refused
        self._told = told

    def chunks(self) -> Iterator[B]:
        """The good records, some thousands at a time; raises `FileError` when a file cannot be read to its end."""
        for path in self._paths:
            for first, text in self._lines(path):
                lines = packed_lines(text)
                decoded = self._read(lines)
                for refusal in decoded.refusals:
                    content = lines.value(refusal.index) or b""
                    if content.strip():  # an empty line is no mistake
                        line = first + refusal.index
                        self._refused(RefusedLine(path, line, refusal.reason, refusal.detail, content))
                yield decoded.events

    def _lines(self, path: Path) -> Iterator[tuple[int, bytes]]:
        """Chunks of whole lines, each with the number of its first line; raises `FileError`."""
        number, rest, done = 1, b"", 0
        try:
            if is_parquet(path):
                size = path.stat().st_size
                for number, lines, share in parquet_lines(path):
                    self._told(round(size * share))
                    yield number, lines
                return
            with path.open("rb") as packed:
                raw = unpacked(packed)
                for chunk in with_line_feeds(_text(path, iter(lambda: raw.read(CHUNK_BYTES), b""))):
                    whole, newline, tail = chunk.rpartition(b"\n")
                    at = packed.tell()
                    self._told(at - done)
                    done = at
                    if not newline:
                        rest += chunk
                        if len(rest) > LONGEST_LINE:
                            raise FileError(f"{path}: line {number} is longer than 16 MB: this is no file of records")
                        continue
                    lines = rest + whole
                    rest = tail
                    yield number, lines
                    number += lines.count(b"\n") + 1
                if rest:
                    yield number, rest
        except (OSError, EOFError) as error:
            raise FileError(f"{path} cannot be read to its end: {getattr(error, 'strerror', None) or error}") from None


def _text(path: Path, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file without a byte order mark; raises `FileError` for one that is no UTF-8 text."""
    first = next(chunks, b"")
    if other := other_file(first):
        raise FileError(f"{path} is {other.partition(';')[0]}; records are JSON Lines in UTF-8")
    if first.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise FileError(f"{path} is text in UTF-16; records are JSON Lines in UTF-8")
    yield first.removeprefix(BOM_UTF8)
    yield from chunks


def packed_lines(text: bytes) -> Packed:
    """The lines of a text as records without keys."""
    buffer = np.frombuffer(text, dtype=np.uint8)
    breaks = np.flatnonzero(buffer == ord("\n")).astype(np.int64)
    begins = np.concatenate((np.zeros(1, dtype=np.int64), breaks + 1))
    ends = np.concatenate((breaks, np.array([len(buffer)], dtype=np.int64)))
    return Packed(buffer, begins, ends, np.full(len(begins), -1), np.full(len(begins), -1))
