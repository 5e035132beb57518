"""Suspecting: searches new segments for calls by which a number leads people on, and checks the number's contacts.

All the evidence for a suspicion is in the ledger. The planner keeps in memory only the events of the last hours that a
call may follow, and who was led on in the last days. So events on either side of a restart are not combined, but the
next person whom the number leads on is still found.
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
    """Suspects numbers. When `look_through` returns, everything published is confirmed and in the indicator log."""

    def __init__(self, settings: Settings, storage: Storage, known: IndicatorLog, planner: Planner) -> None:
        self._settings = settings
        self._storage = storage
        self._known = known
        self._planner = planner

    async def look_through(self, recorded: Sequence[Segment], ledger: Ledger) -> None:
        """Suspect the numbers for which new segments give cause, if their contacts in the ledger confirm it.

        Raises `TopicError` when Kafka refuses; called again, it publishes what is still due.
        """
        calls = await asyncio.to_thread(self._calls, recorded)
        asked = {number: at for number, at in calls.items() if self._planner.may_be_suspected(number, at)}
        if not asked:
            return
        found = await asyncio.to_thread(self._suspected, asked, ledger)
        await self._known.catch_up()  # must not overwrite what became known of a number in the meantime
        numbers = ((each, key_of(each.value)) for each in found)
        suspected = [each for each, number in numbers if self._planner.may_be_suspected(number, asked[number])]
        if suspected:
            await publish(self._settings, suspected)
            await self._known.catch_up()
            metrics.SUSPICIONS.inc(len(suspected))
            log.info("suspected", numbers=len(suspected))

    def _calls(self, recorded: Sequence[Segment]) -> dict[int, int]:
        """The numbers that led people on, each with the end of the last call in which it did so."""
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
    """The rows of a segment by which calls are judged.

    There are none if the segment has been deleted or cannot be read; look-ups deal with that.
    """
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
