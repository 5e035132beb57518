"""Storage: the folder of the ledger, local or at any fsspec URL, and the meaning of its file names.

``<folder>/<group>/day=2026-11-25/p003-c100-180-s40-52.parquet`` belongs to partition 3 and was recorded on that day. It
has the calls from offset 100 to before 180 and the SMS from 40 to before 52. If the offsets of a segment lie within
those of another one, the other one was merged from it. Offsets belong to a log: in ``p003-1f2e3d4c-c100-…`` the eight
digits are its mark (`streams.ledger.progress.log_mark`), and only segments with one mark are compared.
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

from models.indicators.path_hashes import PathHashes
from streams import metrics
from streams.settings import Settings

log = structlog.get_logger(__name__)

_NAME = re.compile(r"p(\d{3,})(?:-([0-9a-f]{8}))?-c(\d+)-(\d+)-s(\d+)-(\d+)\.parquet")
_DAY = re.compile(r"day=(\d{4}-\d\d-\d\d)")
PENDING = "pending"
"""Folder of files that are written but not part of the ledger until a checkpoint names them."""
MERGING = "merge-"
"""Prefix of the mark of a merge; the time when the merge began (epoch s) follows."""
ASIDE = "aside"
"""Folder of segments that could not be read, by the day they were recorded."""


class LedgerError(Exception):
    """The ledger cannot be used; the message says what happened, where, and what to do."""


class Segment(NamedTuple):
    """A segment, as its name describes it: its partition, its offsets, the day it was recorded, and its log's mark."""

    partition: int
    calls: tuple[int, int]
    """From the first offset to before the second one; ``sms`` likewise."""
    sms: tuple[int, int]
    day: date
    log: str = ""
    """The mark of the logs that the offsets belong to; empty in names from before there were marks."""

    @property
    def series(self) -> str:
        """The beginning of the file's name: the partition and the logs, within which offsets can be compared."""
        return f"p{self.partition:03}-{self.log}" if self.log else f"p{self.partition:03}"

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.series}-c{self.calls[0]}-{self.calls[1]}-s{self.sms[0]}-{self.sms[1]}.parquet"

    @property
    def path(self) -> str:
        """The file's path within the group's folder."""
        return f"day={self.day.isoformat()}/{self.name}"

    def covers(self, other: Segment) -> bool:
        """Whether it has all records that the other one has."""
        return (
            self.series == other.series
            and self.calls[0] <= other.calls[0]
            and other.calls[1] <= self.calls[1]
            and self.sms[0] <= other.sms[0]
            and other.sms[1] <= self.sms[1]
        )


def segment_of(path: str) -> Segment | None:
    """The segment that the last two parts of a path describe; None when it is not the path of a segment.

    >>> segment_of("day=2026-11-25/p003-c100-180-s40-52.parquet").calls
    (100, 180)
    """
    folder, _, name = path.rpartition("/")
    day, parts = _day_of(_name(folder)), _NAME.fullmatch(name)
    if day is None or parts is None:
        return None
    partition, log, *offsets = parts.groups()
    first, second, third, fourth = map(int, offsets)
    return Segment(int(partition), (first, second), (third, fourth), day, log or "")


def merge_mark(began: int) -> str:
    """The mark of the files that a merge of this process writes.

    >>> merge_mark(1764000000).startswith("merge-1764000000-")
    True
    """
    return f"{MERGING}{began}-{os.getpid()}"


def _began(name: str) -> int | None:
    """When the merge that wrote a file began (epoch s); None for a file that no merge wrote."""
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

    Every method raises `LedgerError` when the storage cannot be reached, except `open` and `put`, which raise OSError.

    Shared between threads: segments are written, committed and read in several threads at once, because the storage may
    be slow. It needs no lock: nothing in it changes after it is made, each file is written by one caller, and fsspec's
    file systems may be called from any thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.url = settings.ledger
        self.hashes = None if settings.secret is None else PathHashes(settings.derived_key("links"))
        """Those of the links in this ledger; None where there is no site secret."""
        try:
            self._fs, root = url_to_fs(settings.ledger)
        except (ValueError, ImportError, OSError) as error:
            raise LedgerError(
                f"FOREWARN_LEDGER ({settings.ledger}) is not a folder that can be opened: {error}. It takes a path or "
                "an fsspec URL whose package is installed, for example s3://bucket/ledger with s3fs."
            ) from None
        self._root = f"{root.rstrip('/')}/{settings.topic_prefix}{settings.group}"
        self.is_local = isinstance(self._fs, LocalFileSystem)
        """Whether it is a folder, in which a file is replaced at once."""

    @property
    def shown(self) -> str:
        """The folder as messages show it."""
        return str(self._root)

    @property
    def scratch(self) -> str | None:
        """A folder for temporary files; None: the system's own."""
        if not self.is_local:
            return None
        self._fs.makedirs(f"{self._root}/{PENDING}", exist_ok=True)
        return f"{self._root}/{PENDING}"

    @property
    def room(self) -> tuple[int, int]:
        """The free bytes and all bytes of the folder's disk; (0, 0) for an object store, or if nobody says."""
        if not self.is_local:
            return 0, 0
        try:
            disk = shutil.disk_usage(self._root)
        except OSError:
            return 0, 0
        return disk.free, disk.total

    def segments(self, since: date | None = None) -> list[Segment]:
        """The segments recorded on that day or later, oldest first, without those that lie within another."""
        return whole(self.listed(since))

    def listed(self, since: date | None = None) -> dict[Segment, int]:
        """All segments recorded on that day or later, with their bytes; also those that an interrupted merge left."""
        sizes: dict[Segment, int] = {}
        for day, files in self._files(since):
            for name, size in files:
                segment = segment_of(f"day={day.isoformat()}/{name}")
                if segment is not None:
                    sizes[segment] = size
        return sizes

    def days(self) -> dict[date, int]:
        """The days of the ledger, each with its bytes."""
        return {day: sum(size for _, size in files) for day, files in self._files(None)}

    def _files(self, since: date | None) -> list[tuple[date, list[tuple[str, int]]]]:
        """Each day from that one on, with its files and their bytes."""
        with self._reached():
            self._fs.invalidate_cache()
            days = sorted(filter(None, map(_day_of, self._names(""))))
            return [
                (day, [(_name(each["name"]), int(each["size"] or 0)) for each in self._ls(f"day={day.isoformat()}")])
                for day in days
                if since is None or day >= since
            ]

    def open(self, segment: Segment) -> IO[bytes]:
        """Open a segment's file; raises FileNotFoundError when it is gone, and any other OSError."""
        path = f"{self._root}/{segment.path}"
        if self.is_local:
            return Path(path).open("rb")
        opened: IO[bytes] = self._fs.open(path, "rb")
        return opened

    def stamp(self, segment: Segment) -> str:
        """What differs as soon as a segment's file is replaced by another; empty when it is gone."""
        with self._reached():
            self._fs.invalidate_cache()
            try:
                return str(self._fs.ukey(f"{self._root}/{segment.path}"))
            except FileNotFoundError:
                return ""

    def put(self, segment: Segment, mark: str, content: Any) -> str:
        """Write a file beside the ledger; returns its name there. Raises OSError, for example when the disk is full."""
        name = f"{mark}.{segment.name}"
        self._fs.makedirs(f"{self._root}/{PENDING}", exist_ok=True)
        path = f"{self._root}/{PENDING}/{name}"
        try:
            with self._fs.open(path, "wb") as file:
                if isinstance(content, io.BufferedIOBase):
                    shutil.copyfileobj(content, file, 1 << 20)
                else:
                    file.write(content)
                if self.is_local:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError:
            self._forget(path)
            raise
        return name

    def enter(self, name: str, segment: Segment) -> bool:
        """Make a file written by `put` part of the ledger, if it is not yet; False when the file does not exist."""
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
        """Delete a segment; does nothing when it is gone."""
        with self._reached():
            self._forget(f"{self._root}/{segment.path}")

    def days_aside(self) -> list[date]:
        """The days of which there are segments that could not be read."""
        with self._reached():
            return [*filter(None, map(_day_of, self._names(ASIDE)))]

    def remove_day(self, day: date) -> None:
        """Delete a day with all its segments, also those that could not be read."""
        with self._reached():
            for folder in (f"{self._root}/day={day.isoformat()}", f"{self._root}/{ASIDE}/day={day.isoformat()}"):
                try:
                    self._fs.rm(folder, recursive=True)
                except FileNotFoundError:
                    continue

    def clear_pending(self, partition: int) -> None:
        """Delete files that earlier owners of a partition have written and never committed; files of merges stay."""
        self._clear(lambda name: f".p{partition:03}-" in name and not name.startswith(MERGING))

    def clear_merges(self, before: int) -> None:
        """Delete files of merges that began before a time (epoch s) and never became part of the ledger."""
        self._clear(lambda name: (began := _began(name)) is not None and began < before)

    def _clear(self, is_left: Callable[[str], bool]) -> None:
        with self._reached():
            for name in filter(is_left, self._names(PENDING)):
                self._forget(f"{self._root}/{PENDING}/{name}")

    def set_aside(self, segment: Segment, reason: str) -> None:
        """Move a segment that cannot be read out of the ledger, with an error in the log and a metric."""
        metrics.LEDGER_ASIDE.inc()
        log.error(
            "a segment of the ledger cannot be read and is set aside: its contacts are missing from look-ups",
            segment=segment.path,
            reason=reason,
            aside=f"{self._root}/{ASIDE}",
        )
        with self._reached():
            self._fs.makedirs(f"{self._root}/{ASIDE}/day={segment.day.isoformat()}", exist_ok=True)
            try:
                self._move(f"{self._root}/{segment.path}", f"{self._root}/{ASIDE}/{segment.path}")
            except FileNotFoundError:
                return

    def _move(self, source: str, target: str) -> None:
        if not self.is_local:
            self._fs.mv(source, target)
            return
        Path(source).replace(target)
        folder = os.open(Path(target).parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # so that the name survives a power cut, too
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
    by_series: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_series[segment.series].append(segment)
    kept: list[Segment] = []
    for of_one in by_series.values():
        # A segment that covers another one begins no later and, if both begin at the same offsets, ends later. So it
        # sorts first.
        of_one.sort(key=lambda each: (each.calls[0] + each.sms[0], -each.calls[1] - each.sms[1]))
        widest: Segment | None = None
        for segment in of_one:
            if widest is None or not widest.covers(segment):
                kept.append(segment)
                widest = segment
    return sorted(kept, key=lambda each: (each.day, each.series, each.calls, each.sms))
