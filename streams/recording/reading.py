"""Reading: a recording as a past that is replayed like topics, each file checked before anything in it is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np

from models.events.event import RecordError
from models.indicators.matching import Indicators
from streams.kafka.columns import Columns
from streams.kafka.compacted import Apply
from streams.kafka.contracts import SAME_PARTITIONS
from streams.kafka.reference_data import IndicatorRecords, VulnerableSubscribers
from streams.recording.manifest import Part, RecordingError, load
from streams.recording.parts import columns_of
from streams.sealing import Identities, SealError


class Recording:
    """A recording in a folder; ``identities`` open what is sealed. Raises `RecordingError` when there is none."""

    def __init__(self, folder: Path, identities: Identities | None) -> None:
        self.folder = folder
        self.manifest = load(folder)
        self._identities = identities
        self.told: Callable[[int], object] = lambda count: None
        """Called with the number of records that a replay has read since the last call."""

    @property
    def can_open(self) -> bool:
        """Whether its files can be opened, unless they were sealed to other keys."""
        return self._identities is not None or not self.manifest.sealed

    def check_replayable(self) -> None:
        """Raise `RecordingError` if it is not complete, cannot be opened, or lacks a topic that a replay reads."""
        if not self.manifest.complete:
            raise RecordingError(f"{self.folder} is not complete: go on with it by forewarn record --resume")
        if not self.can_open:
            raise RecordingError(f"{self.folder} is sealed: give the private key with --identity")
        if missing := [name for name in SAME_PARTITIONS if name not in self.manifest.topics]:
            raise RecordingError(f"{self.folder} cannot be replayed, because it lacks {', '.join(missing)}")

    @property
    def partitions(self) -> int:
        """How many partitions `calls`, `sms` and `signals` have."""
        return len(self.manifest.topics["calls"].partitions)

    @property
    def records(self) -> int:
        """How many records of `calls`, `sms` and `signals` there are."""
        return sum(part.records for part in self.manifest.parts if part.topic in SAME_PARTITIONS)

    def columns(self, name: str, partition: int, since: int, until: int) -> Iterator[Columns]:
        """The records of a partition that arrived in a span of time (epoch ms), in order; raises `RecordingError`."""
        newest = 0
        for part in self.manifest.parts_of(name, partition):
            if part.last < since:
                continue
            for columns in self.read(part):
                arrived = np.maximum.accumulate(np.maximum(columns.timestamps, newest))  # as Kafka finds them
                newest = int(arrived[-1])
                first, end = np.searchsorted(arrived, (since, until)).tolist()
                if end == 0:
                    return
                self.told(len(columns))
                if first < end:
                    yield columns if end - first == len(columns) else columns.between(first, end)

    def indicators(self, refused: Counter[str]) -> Indicators:
        """The indicators as they were known when the recording was made; bad records are counted by reason."""
        found = Indicators()
        self._apply("indicators", IndicatorRecords(found).apply, refused)
        return found

    def subscribers(self, refused: Counter[str]) -> VulnerableSubscribers:
        """What was known of subscribers when the recording was made; bad records are counted by reason."""
        found = VulnerableSubscribers()
        self._apply("subscribers", found.apply, refused)
        return found

    def read(self, part: Part) -> Iterator[Columns]:
        """The records of one file; raises `RecordingError` when it is not the file that the manifest names."""
        content = content_of(self.folder, part)
        topic = self.manifest.topics[part.topic].topic
        try:
            opened = self._identities.opened(content) if self.manifest.sealed and self._identities else content
            yield from columns_of(opened, topic, part.partition)
        except (SealError, RecordingError) as error:
            raise RecordingError(f"{self.folder / part.file} cannot be opened: {error}") from None

    def _apply(self, name: str, apply: Apply, refused: Counter[str]) -> None:
        if name not in self.manifest.topics:
            return
        for partition in self.manifest.topics[name].partitions:
            for part in self.manifest.parts_of(name, partition):
                for columns in self.read(part):
                    for row in range(len(columns)):
                        try:
                            apply(columns.records.key(row), columns.records.value(row))
                        except RecordError as error:
                            refused[error.reason] += 1


def content_of(folder: Path, part: Part) -> bytes:
    """The bytes of a file of a recording; raises `RecordingError` when they are not those that were written."""
    path = folder / part.file
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}") from None
    if sha256(content).hexdigest() != part.sha256:
        raise RecordingError(f"{path} was changed or damaged after it was recorded: its hash is not the manifest's")
    return content
