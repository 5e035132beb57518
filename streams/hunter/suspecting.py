"""Suspecting: looks through new segments for calls by which numbers lead people on, and at whom those deal with.

All that a suspicion rests on is in the ledger. What the planner remembers is what calls of the last hours may follow,
and who was led on in the last days: what lies on either side of a restart is not brought together, and the next
person's is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa
import structlog

from models.base.number_keys import key_of
from models.indicators.indicator import Indicator
from models.lookback.call_patterns import Material, is_material
from models.lookback.planner import Planner
from models.lookback.questions import Ledger
from streams import metrics
from streams.hunter.indicator_log import IndicatorLog
from streams.kafka.indicator_topic import publish
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import Segment, Storage
from streams.settings import Settings

log = structlog.get_logger(__name__)

_COLUMNS: Final = ("key", "subscriber", "at", "what", "duration_s")


class Suspecting:
    """Suspects numbers. What it publishes is confirmed, and known to the log, when `look_through` returns."""

    def __init__(self, settings: Settings, storage: Storage, known: IndicatorLog, planner: Planner) -> None:
        self._settings = settings
        self._storage = storage
        self._known = known
        self._planner = planner

    async def look_through(self, recorded: Sequence[Segment], ledger: Ledger) -> None:
        """Suspect the numbers for which new segments give cause, by what the ledger has of them.

        Raises `TopicError` when Kafka refuses; done again, it publishes what is still due.
        """
        calls = await asyncio.to_thread(self._calls, recorded)
        asked = {number: at for number, at in calls.items() if self._planner.may_be_suspected(number, at)}
        if not asked:
            return
        found = await asyncio.to_thread(self._suspected, asked, ledger)
        await self._known.catch_up()  # what became known of a number meanwhile is not to be written over
        numbers = ((each, key_of(each.value)) for each in found)
        suspected = [each for each, number in numbers if self._planner.may_be_suspected(number, asked[number])]
        if suspected:
            await publish(self._settings, suspected)
            await self._known.catch_up()
            metrics.SUSPICIONS.inc(len(suspected))
            log.info("suspected", numbers=len(suspected))

    def _calls(self, recorded: Sequence[Segment]) -> dict[int, int]:
        """The numbers that lead people on, each with the end of the last call by which it did."""
        found: dict[int, int] = {}
        for segment in recorded:
            tables = [*_tables(self._storage, segment)]
            if tables:
                material = _material(pa.concat_tables(tables))
                found |= {led.number: led.end for led in self._planner.causes(segment.partition, material)}
        return found

    def _suspected(self, asked: Mapping[int, int], ledger: Ledger) -> list[Indicator]:
        dealings = self._planner.dealings(asked).put_to(ledger)
        return self._planner.suspicions(dealings, asked).put_to(ledger)


def _tables(storage: Storage, segment: Segment) -> Iterator[pa.Table]:
    """A segment's rows that calls are judged by; none if it is gone, or cannot be read. Look-ups see to that."""
    try:
        with SegmentFile(storage.open(segment)) as file:
            for group in range(file.row_groups):
                table = file.read([group], _COLUMNS)
                yield table.filter(pa.array(is_material(table.column("what").to_numpy())))
    except (FileNotFoundError, NoSegmentError):
        return


def _material(table: pa.Table) -> Material:
    keys, subscribers, times, whats = (table.column(name).to_numpy() for name in _COLUMNS[:4])
    return Material.of_rows(keys, subscribers, times, whats, table.column("duration_s").fill_null(-1.0).to_numpy())
