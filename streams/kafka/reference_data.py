"""Reference data: what a worker knows in addition to the events: the indicators and the vulnerable subscribers.

Each class applies the records of its compacted topic; `streams.kafka.compacted` reads them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from models.events.event import Number, RecordError, decode_one
from models.indicators.indicator import Indicator, IndicatorError, parse
from models.indicators.matching import Indicators
from streams import metrics


class Listener(Protocol):
    """Receives the records of indicators after they were applied."""

    def put(self, indicator: Indicator) -> None:
        """Receive an indicator or its new version; it may be revoked."""
        ...

    def remove(self, key: str) -> object:
        """Receive a tombstone; the key may be any text."""
        ...


class IndicatorRecords:
    """Applies the records of the ``indicators`` topic to the indicators in memory, and passes them to listeners."""

    def __init__(self, indicators: Indicators, *listeners: Listener) -> None:
        self._indicators = indicators
        self._listeners = listeners

    def apply(self, key: bytes | None, value: bytes | None) -> bool:
        """Apply one record; True when an indicator is no longer known. Raises `RecordError` for a bad record."""
        name = _text(key)
        if value is None:
            gone = self._indicators.remove(name)
            for listener in self._listeners:
                listener.remove(name)
        else:
            try:
                indicator = parse(value)
            except IndicatorError as error:
                raise RecordError("wrong-indicator", str(error)) from None
            if indicator.key != name:
                raise RecordError("wrong-key", "An indicator's key must be its type:value.")
            # A narrower validity or another scam type of a known indicator applies to new contacts only.
            gone = indicator.revoked and self._indicators.holds(name)
            self._indicators.put(indicator)
            for listener in self._listeners:
                listener.put(indicator)
        return gone

    def count(self) -> None:
        """Bring the gauge of indicators up to date."""
        for kind, number in self._indicators.counts.items():
            metrics.INDICATORS.labels(kind).set(number)


class SubscriberRecord(msgspec.Struct, frozen=True, gc=False):
    """A record of the ``subscribers`` topic; other fields of the record are ignored."""

    subscriber: Number
    station: Annotated[str, Meta(max_length=100)] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    """The longest that RFC 5646 (section 4.4.1) asks a reader to take."""
    age_band: Annotated[str, Meta(max_length=10)] | None = None
    flags: Annotated[tuple[Annotated[str, Meta(max_length=50)], ...], Meta(max_length=50)] = ()
    """These come into each case of the person, which must fit into one record."""


class VulnerableSubscribers:
    """Applies the records of the ``subscribers`` topic and keeps only what does not hold for nearly all subscribers.

    ``flags`` is the number of vulnerability flags of each subscriber that has any. ``languages`` is the language of
    each subscriber whose language is not Chinese.
    """

    def __init__(self) -> None:
        self.flags: dict[str, int] = {}
        self.languages: dict[str, str] = {}
        self._decoder = msgspec.json.Decoder(SubscriberRecord)

    def apply(self, key: bytes | None, value: bytes | None) -> Literal[False]:
        """Apply one record; earlier decisions stay as they are. Raises `RecordError` for a bad record."""
        name = _text(key)
        if value is None:
            self.flags.pop(name, None)
            self.languages.pop(name, None)
            return False
        record = decode_one(self._decoder, value)
        if record.subscriber != name:
            raise RecordError("wrong-key", "A subscriber record's key must be its subscriber.")
        if not (name.isascii() and name.isdigit()):
            raise RecordError("impossible-number", "A number must be 2 to 15 ASCII digits.")
        self.put(record)
        return False

    def put(self, record: SubscriberRecord) -> None:
        """Apply a valid record."""
        if record.flags:
            self.flags[record.subscriber] = len(set(record.flags))
        else:
            self.flags.pop(record.subscriber, None)
        if record.language and record.language.partition("-")[0] != "zh":
            self.languages[record.subscriber] = record.language
        else:
            self.languages.pop(record.subscriber, None)


def _text(key: bytes | None) -> str:
    try:
        return (key or b"").decode()
    except UnicodeDecodeError:
        raise RecordError("wrong-key", "The key is not UTF-8.") from None
