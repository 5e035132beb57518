"""Records from files: JSON Lines of calls, SMS or subscribers, plain, gzip or zstd, a chunk of lines at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from models.events import Keyed, Reader
from streams.text_lines import FileError, unpacked

E_co = TypeVar("E_co", bound=Keyed, covariant=True)

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no record, and why."""

    path: Path
    line: int
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}: {self.detail}"


class RecordFiles(Generic[E_co]):
    """The records of several files of one kind, one file after the other.

    ``read`` is told the bytes taken from the files so far (packed ones count as packed), for a progress bar.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        kind: type[E_co],
        refused: Callable[[RefusedLine], object],
        read: Callable[[int], object] = lambda count: None,
    ) -> None:
        self._paths = paths
        self._reader = Reader(kind)
        self._refused = refused
        self._read = read

    def chunks(self) -> Iterator[Sequence[E_co]]:
        """The good records, some thousands at a time; raises `FileError` when a file cannot be read to its end."""
        for path in self._paths:
            for first, lines in self._lines(path):
                numbers: Sequence[int] = range(first, first + len(lines))
                if not all(lines):
                    numbered = [(number, line) for number, line in zip(numbers, lines, strict=True) if line.strip()]
                    lines, numbers = [line for _, line in numbered], [number for number, _ in numbered]
                decoded = self._reader.batch(lines, None)
                for refusal in decoded.refusals:
                    self._refused(RefusedLine(path, numbers[refusal.index], refusal.reason, refusal.detail))
                yield decoded.events

    def _lines(self, path: Path) -> Iterator[tuple[int, list[bytes]]]:
        """Chunks of whole lines with the number of their first."""
        number, rest, done = 1, b"", 0
        try:
            with path.open("rb") as packed:
                raw = unpacked(packed)
                while chunk := raw.read(CHUNK_BYTES):
                    if b"\r" in chunk:
                        chunk = chunk.replace(b"\r", b"")  # within a JSON line it can only be an end of line's
                    whole, newline, tail = chunk.rpartition(b"\n")
                    at = packed.tell()
                    self._read(at - done)
                    done = at
                    if not newline:
                        rest += chunk
                        continue
                    lines = (rest + whole).split(b"\n")
                    rest = tail
                    yield number, lines
                    number += len(lines)
                if rest:
                    yield number, [rest]
        except (OSError, EOFError) as error:
            raise FileError(f"{path} cannot be read to its end: {getattr(error, 'strerror', None) or error}") from None
