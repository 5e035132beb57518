"""The indicator log: keeps the offset of each indicator's last change, to tell which changes a segment has missed.

It holds the same `Indicators` as a worker, so a look-back chooses among them as the worker would have.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping

from models.events.event import RecordError
from models.indicators.indicator import TYPES
from models.indicators.matching import Indicators
from models.indicators.path_hashes import PathHashes
from models.lookback.pivoting import Pivot
from streams.kafka.compacted import CompactedReader
from streams.kafka.reference_data import IndicatorRecords
from streams.settings import Settings


class IndicatorLog:
    """Follows the ``indicators`` topic from its beginning; a context manager.

    Raises `SettingsError` without the site secret, under a key of which the ledger keeps links.
    """

    def __init__(self, settings: Settings) -> None:
        self.indicators = Indicators(hashes=PathHashes(settings.derived_key("links")))
        self.pivot = Pivot(self.indicators)
        self.reached: dict[int, int] = {}
        """The next offset to read, by partition."""
        self.looked_back: Mapping[int, int] = {}
        """The offset up to which an earlier hunter has looked back (exclusive), by partition of the indicators."""
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self._keys: dict[int, list[str]] = defaultdict(list)
        self._records = IndicatorRecords(self.indicators, self.pivot)
        self._settings = settings
        self._topic = settings.topic("indicators")
        self._reader: CompactedReader | None = None

    async def __aenter__(self) -> IndicatorLog:
        """Connect; waits until Kafka answers. Raises KafkaError when there is no such topic."""
        self._reader = await CompactedReader.open(
            self._settings, self._topic, max_partition_fetch_bytes=8_000_000, fetch_max_wait_ms=100
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect."""
        if self._reader is not None:
            await self._reader.close()

    async def catch_up(self) -> None:
        """Read up to the topic's current end."""
        ends = await self._opened.ends()
        while not await self._opened.has_reached(ends):
            await self._take(200)

    async def wait(self, seconds: float) -> None:
        """Wait for a record, at most for ``seconds``; if one arrives, read up to the topic's current end."""
        if await self._take(int(seconds * 1000)):
            await self.catch_up()

    def missed(self, known: Mapping[int, int]) -> frozenset[str]:
        """The indicators (``type:value``) that changed or were withdrawn at or after the offsets in ``known``.

        ``known`` holds the next offset of each partition; a partition without one counts from its beginning.
        """
        found: set[str] = set()
        for partition, offsets in self._offsets.items():
            found.update(self._keys[partition][bisect_left(offsets, known.get(partition, 0)) :])
        return frozenset(found)

    async def _take(self, timeout_ms: int) -> bool:
        records = await self._opened.some(timeout_ms)
        for record in records:
            name = self._changed(record.partition, record.offset, record.key, record.value)
            if name is not None:
                self._offsets[record.partition].append(record.offset)
                self._keys[record.partition].append(name)
        self.reached = await self._opened.positions()
        return bool(records)

    def _changed(self, partition: int, offset: int, key: bytes | None, value: bytes | None) -> str | None:
        """Apply one record; return its indicator if the record changes the meaning of past contacts, else None."""
        name = (key or b"").decode("utf-8", "replace")
        before = self.indicators.known(name)
        try:
            self._records.apply(key, value)
        except RecordError:
            return None  # the worker makes it a dead letter
        if self.indicators.known(name) == before:
            # This may withdraw a record that has led to signals and that compaction has deleted since.
            unheard_of = before is None and name.partition(":")[0] in TYPES
            return name if unheard_of and offset >= self.looked_back.get(partition, offset + 1) else None
        return name

    @property
    def _opened(self) -> CompactedReader:
        if self._reader is None:
            raise RuntimeError("The log is not connected: use it as a context manager.")
        return self._reader
