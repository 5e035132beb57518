"""The registry: home station, language, age and vulnerabilities of subscribers, as dispatch needs them."""

from __future__ import annotations

import msgspec
from aiokafka import AIOKafkaConsumer

from models.casework.cases import Person
from models.events.event import RecordError, decode_one
from streams.kafka.reference_data import SubscriberRecord

_NOBODY = ("", Person())


class Registry:
    """What the topic ``subscribers`` says; a record that is wrong is the worker's to put aside."""

    def __init__(self) -> None:
        self._about: dict[str, tuple[str, Person]] = {}
        self._same: dict[tuple[str, Person], tuple[str, Person]] = {}
        """Of the few different entries each once: a city has millions of people."""
        self._decoder = msgspec.json.Decoder(SubscriberRecord)

    def about(self, subscriber: str) -> tuple[str, Person]:
        """The home station (empty: not known) and what an officer should know of somebody."""
        return self._about.get(subscriber, _NOBODY)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one record of the topic."""
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


async def follow(registry: Registry, consumer: AIOKafkaConsumer) -> None:
    """Go on taking in what the topic says; ends only by being cancelled or by an error."""
    while True:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                registry.take(record.key, record.value)
