"""The ledger's storage: a folder, local or of any fsspec URL, and what the names of its segments say.

``<folder>/<group>/day=2026-11-25/p003-c100-180-s40-52.parquet``: partition 3, the calls of offsets 100 to before 180
and the SMS of 40 to before 52, recorded that day. A segment that lies within another is what that one was made from.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, Any, NamedTuple

import structlog
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from streams import metrics
from streams.settings import Settings

log = structlog.get_logger(__name__)

_NAME = re.compile(r"p(\d{3,})-c(\d+)-(\d+)-s(\d+)-(\d+)\.parquet")
_DAY = re.compile(r"day=(\d{4}-\d\d-\d\d)")
PENDING = "pending"
"""Written, but not part of the ledger until the checkpoint says so."""
MERGING = "merge-"
"""How the mark of a merge begins; the time when it began (epoch s) follows."""
ASIDE = "aside"
"""What could not be read."""


class LedgerError(Exception):
    """The ledger cannot be used; one sentence with what, where and what to do."""


class Segment(NamedTuple):
    """A segment by its name: which records of which partition it has, and the day that it was recorded."""

    partition: int
    calls: tuple[int, int]
    """From this offset to before that one."""
    sms: tuple[int, int]
    day: date

    @property
    def name(self) -> str:
        """The file's name."""
        return f"p{self.partition:03}-c{self.calls[0]}-{self.calls[1]}-s{self.sms[0]}-{self.sms[1]}.parquet"

    @property
    def path(self) -> str:
        """The file's path within the group's folder."""
        return f"day={self.day.isoformat()}/{self.name}"

    def covers(self, other: Segment) -> bool:
        """Whether it has everything that the other one has."""
        return (
            self.partition == other.partition
            and self.calls[0] <= other.calls[0]
            and other.calls[1] <= self.calls[1]
            and self.sms[0] <= other.sms[0]
            and other.sms[1] <= self.sms[1]
        )


def segment_of(path: str) -> Segment | None:
    """What a path's last two parts say; None when it is no segment's.

    >>> segment_of("day=2026-11-25/p003-c100-180-s40-52.parquet").calls
    (100, 180)
    """
    folder, _, name = path.rpartition("/")
    day, parts = _day_of(_name(folder)), _NAME.fullmatch(name)
    if day is None or parts is None:
        return None
    partition, *offsets = map(int, parts.groups())
    return Segment(partition, (offsets[0], offsets[1]), (offsets[2], offsets[3]), day)


def merge_mark(began: int) -> str:
    """The mark of the files that a merge of this process puts.

    >>> merge_mark(1764000000).startswith("merge-1764000000-")
    True
    """
    return f"{MERGING}{began}-{os.getpid()}"


def _began(name: str) -> int | None:
    """When the merge began that has put a file; None for another's."""
    began = name.removeprefix(MERGING).partition("-")[0]
    return int(began) if name.startswith(MERGING) and began.isdigit() else None


def _day_of(folder: str) -> date | None:
    day = _DAY.fullmatch(folder)
    try:
        return None if day is None else date.fromisoformat(day[1])
    except ValueError:
        return None


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


class Storage:
    """The folder of one group's ledger.

    Every method raises `LedgerError` when the place cannot be reached, but for `put`, whose caller waits for space.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = settings.ledger
        try:
            self._fs, root = url_to_fs(settings.ledger)
        except (ValueError, ImportError, OSError) as error:
            raise LedgerError(
                f"FOREWARN_LEDGER ({settings.ledger}) is not a folder that can be opened: {error}. It takes a path or "
                "an fsspec URL whose package is installed, for example s3://bucket/ledger with s3fs."
            ) from None
        self._root = f"{root.rstrip('/')}/{settings.topic_prefix}{settings.group}"
        self._is_local = isinstance(self._fs, LocalFileSystem)

    @property
    def shown(self) -> str:
        """The folder, for messages."""
        return str(self._root)

    @property
    def scratch(self) -> str | None:
        """A folder for files that come to nothing; None: the system's."""
        if not self._is_local:
            return None
        self._fs.makedirs(f"{self._root}/{PENDING}", exist_ok=True)
        return f"{self._root}/{PENDING}"

    def segments(self, since: date | None = None) -> list[Segment]:
        """The segments recorded on that day or later, oldest first; those within another are left out."""
        return whole(self.listed(since))

    def listed(self, since: date | None = None) -> dict[Segment, int]:
        """All segments recorded on that day or later, what an interrupted merge has left as well, with their bytes."""
        sizes: dict[Segment, int] = {}
        for day, files in self._files(since):
            for name, size in files:
                segment = segment_of(f"day={day.isoformat()}/{name}")
                if segment is not None:
                    sizes[segment] = size
        return sizes

    def days(self) -> dict[date, int]:
        """The days that there are, and how many bytes each holds."""
        return {day: sum(size for _, size in files) for day, files in self._files(None)}

    def _files(self, since: date | None) -> list[tuple[date, list[tuple[str, int]]]]:
        """Of each day from that one on, its files with their bytes."""
        with self._reached():
            self._fs.invalidate_cache()
            days = sorted(filter(None, map(_day_of, self._names(""))))
            return [
                (day, [(_name(each["name"]), int(each["size"] or 0)) for each in self._ls(f"day={day.isoformat()}")])
                for day in days
                if since is None or day >= since
            ]

    def open(self, segment: Segment) -> IO[bytes]:
        """A segment's file; raises FileNotFoundError when it is gone."""
        path = f"{self._root}/{segment.path}"
        if self._is_local:
            return Path(path).open("rb")
        opened: IO[bytes] = self._fs.open(path, "rb")
        return opened

    def put(self, segment: Segment, mark: str, content: Any) -> str:
        """Write a file beside the ledger; returns its name there. Raises OSError, for example without space."""
        name = f"{mark}.{segment.name}"
        self._fs.makedirs(f"{self._root}/{PENDING}", exist_ok=True)
        path = f"{self._root}/{PENDING}/{name}"
        try:
            with self._fs.open(path, "wb") as file:
                if isinstance(content, io.BufferedIOBase):
                    shutil.copyfileobj(content, file, 1 << 20)
                else:
                    file.write(content)
                if self._is_local:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError:
            self._forget(path)
            raise
        return name

    def enter(self, name: str, segment: Segment) -> bool:
        """Make a file that was put part of the ledger, if it is not yet; False when there is no such file at all."""
        path = f"{self._root}/{segment.path}"
        with self._reached():
            self._fs.invalidate_cache()
            try:
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
                self._move(f"{self._root}/{PENDING}/{name}", path)
            except FileNotFoundError:
                return bool(self._fs.exists(path))
        return True

    def remove(self, segment: Segment) -> None:
        """Delete a segment; nothing when it is gone."""
        with self._reached():
            self._forget(f"{self._root}/{segment.path}")

    def remove_day(self, day: date) -> None:
        """Delete a day."""
        with self._reached():
            self._fs.rm(f"{self._root}/day={day.isoformat()}", recursive=True)

    def clear_pending(self, partition: int) -> None:
        """Delete what other owners of a partition have put and never entered; merges are none of theirs."""
        self._clear(lambda name: f".p{partition:03}-" in name and not name.startswith(MERGING))

    def clear_merges(self, before: int) -> None:
        """Delete what merges that began before a time (epoch s) have put and never entered."""
        self._clear(lambda name: (began := _began(name)) is not None and began < before)

    def _clear(self, is_left: Callable[[str], bool]) -> None:
        with self._reached():
            for name in filter(is_left, self._names(PENDING)):
                self._forget(f"{self._root}/{PENDING}/{name}")

    def set_aside(self, segment: Segment, reason: str) -> None:
        """Take a file that cannot be read out of the ledger, and say so."""
        metrics.LEDGER_ASIDE.inc()
        log.error(
            "a segment of the ledger cannot be read and is set aside: its contacts are missing from look-ups",
            segment=segment.path,
            reason=reason,
            aside=f"{self._root}/{ASIDE}",
        )
        with self._reached():
            self._fs.makedirs(f"{self._root}/{ASIDE}", exist_ok=True)
            try:
                self._move(f"{self._root}/{segment.path}", f"{self._root}/{ASIDE}/{segment.name}")
            except FileNotFoundError:
                return

    def _move(self, source: str, target: str) -> None:
        if not self._is_local:
            self._fs.mv(source, target)
            return
        Path(source).replace(target)
        folder = os.open(Path(target).parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name, too, outlives a power cut
        finally:
            os.close(folder)

    def _forget(self, path: str) -> None:
        try:
            self._fs.rm_file(path)
        except FileNotFoundError:
            return

    def _names(self, folder: str) -> list[str]:
        return sorted(_name(each["name"]) for each in self._ls(folder))

    def _ls(self, folder: str) -> list[dict[str, Any]]:
        try:
            listed: list[dict[str, Any]] = self._fs.ls(f"{self._root}/{folder}".rstrip("/"), detail=True)
        except FileNotFoundError:
            return []
        return listed

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LedgerError(
                f"The ledger at {self.url} cannot be read or changed: {error.strerror or error}. Check the folder's "
                "rights and space, or set FOREWARN_LEDGER."
            ) from None


def whole(segments: Iterable[Segment]) -> list[Segment]:
    """The segments without those that lie within another, by day, partition and offsets."""
    by_partition: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_partition[segment.partition].append(segment)
    kept: list[Segment] = []
    for of_one in by_partition.values():
        # Whatever covers a segment begins no later and, beginning at the same place, ends later: it comes before.
        of_one.sort(key=lambda each: (each.calls[0] + each.sms[0], -each.calls[1] - each.sms[1]))
        widest: Segment | None = None
        for segment in of_one:
            if widest is None or not widest.covers(segment):
                kept.append(segment)
                widest = segment
    return sorted(kept, key=lambda each: (each.day, each.partition, each.calls, each.sms))
