"""Recorder: writes a range of topics into a folder, file by file, so that it can be stopped and gone on with.

A file has its name and is on the disk before the manifest names it. What was written after the manifest is written
again by whoever goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from models.events.arrivals import UNKNOWN
from streams.files.durable import new_file
from streams.kafka.columns import Columns
from streams.kafka.history import History, Offsets
from streams.kafka.recent_records import packed_records
from streams.recording.keeping import COMPACTED, Keeper
from streams.recording.manifest import Manifest, Part, store
from streams.recording.parts import Rows
from streams.recording.pseudonymising import Rename
from streams.sealing import Seal

_AT_ONCE: Final = 8192
"""Newest records of a compacted topic that become columns together."""


class Recorder:
    """Goes on with a recording until it is complete; ``seal`` seals each file, None leaves it in the clear.

    ``words`` gives the newest records of a compacted topic, and ``rename`` puts pseudonyms into what is kept.
    """

    def __init__(
        self,
        history: History,
        words: Callable[[str], list[Any]],
        keepers: Mapping[str, Keeper],
        manifest: Manifest,
        folder: Path,
        seal: Seal | None,
        rename: Mapping[str, Rename] | None = None,
    ) -> None:
        self._history = history
        self._words = words
        self._keepers = keepers
        self.manifest = manifest
        self._folder = folder
        self._seal = seal
        self._rename = rename

    def run(self) -> Manifest:
        """Record what is not recorded yet; returns the manifest. Raises `HistoryError` and OSError."""
        self._sweep()
        for name, topic in self.manifest.topics.items():
            words = self._words(name) if name in COMPACTED and not self._is_done(name) else []
            for partition, (_, stop) in sorted(topic.partitions.items()):
                start = self.manifest.position(name, partition)
                if start >= stop:
                    continue
                offsets = Offsets(start, stop)
                some: Iterable[Columns] = (
                    _columns_of(words, topic.topic, partition, offsets)
                    if name in COMPACTED
                    else self._history.columns(name, partition, offsets)
                )
                self._record(name, partition, offsets, some)
        self._history.check_same_topics()
        self.manifest = replace(self.manifest, complete=True)
        store(self.manifest, self._folder)
        return self.manifest

    def _sweep(self) -> None:
        """Delete files that the manifest does not name: of a recording that was replaced, or written before a stop."""
        named = {part.file for part in self.manifest.parts}
        for path in self._folder.iterdir():
            if ".parquet" in path.name and path.name not in named:
                path.unlink()

    def _is_done(self, name: str) -> bool:
        ranges = self.manifest.topics[name].partitions.items()
        return all(self.manifest.position(name, number) >= stop for number, (_, stop) in ranges)

    def _record(self, name: str, partition: int, offsets: Offsets, some: Iterable[Columns]) -> None:
        """Write the records of a partition as parts; they are cut between columns, so nothing is counted twice."""
        start, rows, keeper = offsets.start, Rows(), self._keepers[name]
        for columns in some:
            if rows.is_full:
                self._write(name, partition, Offsets(start, columns.start), rows)
                start, rows = columns.start, Rows()
            places = columns.offsets.tolist(), columns.timestamps.tolist(), columns.appended.tolist()
            for row, value in keeper.kept(columns):
                offset, timestamp, appended = (place[row] for place in places)
                key = columns.records.key(row)
                if self._rename is not None:
                    key, value = self._rename[name](key or b"", value)
                rows.add(offset, timestamp, appended, key, value)
        self._write(name, partition, Offsets(start, offsets.stop), rows)

    def _write(self, name: str, partition: int, offsets: Offsets, rows: Rows) -> None:
        """Write a part, then the manifest that names it and counts what was left out before it."""
        content = rows.parquet()
        if self._seal is not None:
            content = self._seal.sealed(content)
        file = f"{name}-p{partition:03}-{offsets.start}.parquet{'' if self._seal is None else '.age'}"
        with new_file(self._folder / file) as new:
            new.write(content)
        times = rows.timestamps
        part = Part(
            file=file,
            topic=name,
            partition=partition,
            start=offsets.start,
            upto=offsets.stop,
            records=len(rows.offsets),
            first=min(times, default=UNKNOWN),
            last=max(times, default=UNKNOWN),
            sha256=sha256(content).hexdigest(),
        )
        keeper = self._keepers[name]
        self.manifest = replace(
            self.manifest,
            parts=(*self.manifest.parts, part),
            refused=dict(Counter(self.manifest.refused) + keeper.refused),
            inexact=self.manifest.inexact + keeper.inexact,
        )
        keeper.refused.clear()
        keeper.inexact = 0
        store(self.manifest, self._folder)


def _columns_of(words: Sequence[Any], topic: str, partition: int, offsets: Offsets) -> Iterator[Columns]:
    """Those of the newest records of a compacted topic that lie at these offsets of a partition."""
    found = [each for each in words if each.partition == partition and offsets.start <= each.offset < offsets.stop]
    found.sort(key=lambda each: each.offset)
    for first in range(0, len(found), _AT_ONCE):
        some = found[first : first + _AT_ONCE]
        places, times = (np.array([getattr(each, name) for each in some], np.int64) for name in ("offset", "timestamp"))
        appended = np.where(np.array([each.timestamp_type for each in some], np.int64) == 1, times, UNKNOWN)
        covered = int(places[0]), int(places[-1]) + 1
        headers = np.zeros(len(some), np.int64)
        yield Columns(topic, partition, places, times, appended, packed_records(some), headers, *covered)
