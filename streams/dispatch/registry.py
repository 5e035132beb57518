"""The registry: keeps the subscribers' home station, language, age and vulnerabilities, as dispatch needs them."""

from __future__ import annotations

import msgspec

from models.casework.cases import Person
from models.events.event import RecordError, decode_one
from streams.kafka.compacted import CompactedReader
from streams.kafka.reference_data import SubscriberRecord

_NOBODY = ("", Person())


class Registry:
    """The contents of the topic ``subscribers``. It skips invalid records: the worker makes them dead letters."""

    def __init__(self) -> None:
        self._about: dict[str, tuple[str, Person]] = {}
        self._same: dict[tuple[str, Person], tuple[str, Person]] = {}
        """Each distinct entry once, to share: there are few, and a city has millions of people."""
        self._decoder = msgspec.json.Decoder(SubscriberRecord)

    def about(self, subscriber: str) -> tuple[str, Person]:
        """A subscriber's home station (empty: not known) and what an officer should know about them."""
        return self._about.get(subscriber, _NOBODY)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Apply one record of the topic."""
        if value is None:
            self._about.pop((key or b"").decode(errors="replace"), None)
            return
        try:
            record = decode_one(self._decoder, value)
        except RecordError:
            return
        person = Person(record.language or "zh", record.age_band or "", tuple(sorted(set(record.flags))))
        about = record.station or "", person
        self._about[record.subscriber] = self._same.setdefault(about, about)


async def follow(registry: Registry, people: CompactedReader) -> None:
    """Keep the registry up to date with the topic; ends only when cancelled or by an error."""
    while True:
        for record in await people.some(1000):
            registry.take(record.key, record.value)
