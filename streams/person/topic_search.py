"""Topic search: finds the records of topics that are about one person, by their number or the id of their case.

Topics are read from their beginnings, also the records of compacted topics that Kafka has not removed yet. The records
of calls and SMS are too many to read; the ledger has what they say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.kafka.clients import reader, up_to_now
from streams.kafka.contracts.model import Contracts
from streams.kafka.newest import NewestWords
from streams.settings import Settings

LARGE = ("calls", "sms")
"""Topics with every event of a city."""


@dataclass
class Held:
    """What a topic has about a person, as aiokafka's records."""

    records: list[Any] = field(default_factory=list)
    """All of them, in the order of each partition; tombstones of their keys as well."""
    standing: dict[bytes, Any] = field(default_factory=dict)
    """The newest word of each key that is no tombstone. A reader of a compacted topic knows these alone."""

    @property
    def newest(self) -> int:
        """When the last record was appended (epoch ms); 0 without any."""
        return max((record.timestamp for record in self.records), default=0)


def searched(contracts: Contracts) -> list[str]:
    """The topics that are searched: those with a schema that do not have every event."""
    return [name for name, topic in contracts.topics.items() if topic.schema is not None and name not in LARGE]


def pattern(number: str, names: Iterable[str] = ()) -> re.Pattern[bytes]:
    """Finds a number that is not part of a longer one, or one of these ids.

    >>> [bool(pattern("8610", ["e1"]).search(text)) for text in (b'"8610"', b"number:8610", b"86101", b"e1")]
    [True, True, False, True]
    """
    ids = b"".join(b"|" + re.escape(name.encode()) for name in names)
    return re.compile(rb"(?<!\d)%b(?!\d)%b" % (re.escape(number.encode()), ids))


async def search(settings: Settings, topics: Collection[str], wanted: re.Pattern[bytes]) -> dict[str, Held]:
    """What these topics (names of the contract) have about a person now.

    Waits while Kafka does not answer; raises KafkaError when a topic does not exist.
    """
    names = {settings.topic(name): name for name in topics}
    found = {name: Held() for name in topics}
    newest = {name: NewestWords() for name in topics}
    consumer, partitions = await reader(settings, *names, fetch_max_wait_ms=100, max_partition_fetch_bytes=8_000_000)
    try:
        async for record in up_to_now(consumer, partitions):
            held = found[names[record.topic]]
            if _is_about(record, held.standing, wanted):
                _take(held, newest[names[record.topic]].among([record]), record)
    finally:
        await consumer.stop()
    return found


def _is_about(record: Any, known: Collection[bytes], wanted: re.Pattern[bytes]) -> bool:
    parts: Sequence[bytes | None] = record.key, record.value
    return record.key in known or any(part is not None and wanted.search(part) for part in parts)


def _take(held: Held, newest: Sequence[Any], record: Any) -> None:
    held.records.append(record)
    for word in newest:
        if word.value is None:
            held.standing.pop(word.key, None)
        elif word.key is not None:
            held.standing[word.key] = word
