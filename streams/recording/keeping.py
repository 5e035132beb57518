"""Keeping: what a recording keeps of each record: the fields that deciding reads, and no text unless it is asked for.

Records are read with the worker's own decoder. One that it refuses is not recorded, because nobody knows what is in it;
it is counted with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from models.detection.alerts import Alert
from models.detection.kept_texts import KeptTexts
from models.events.batches import Messages
from models.events.decoding import CallReader, Decoded, MessageReader
from models.events.event import NO_DURATION, CallRecord, RecordError, SmsRecord, cell_of, decode_one
from models.events.numbering import Sources
from models.events.scanning import OUT
from models.indicators.indicator import IndicatorError, parse
from models.texts.templates import templates_of
from streams.kafka.columns import Columns
from streams.kafka.reference_data import SubscriberRecord
from streams.kafka.signal_records import SignalReader

RECORDED: Final = ("calls", "sms", "signals", "alerts", "dispatch-feedback")
"""The topics of which a range of time is recorded."""
COMPACTED: Final = ("indicators", "subscribers")
"""The topics that are recorded as they are now."""

_encode = msgspec.json.Encoder().encode


class Keeper(Protocol):
    """Says what is kept of the records of one topic."""

    refused: Counter[str]
    """The records that were left out, by reason."""
    inexact: int
    """Texts of which something could not be kept exactly."""

    def kept(self, columns: Columns) -> Iterator[tuple[int, bytes]]:
        """The rows of the good records, each with the value that is recorded."""
        ...


def keepers(sources: Sources, *, texts: bool) -> Mapping[str, Keeper]:
    """What is kept of each topic; with ``texts``, calls and SMS are kept as they were sent."""
    return {
        "calls": _Verbatim(CallReader(sources).read) if texts else _Calls(sources),
        "sms": _Verbatim(MessageReader(sources).read) if texts else _Messages(sources),
        "signals": _Verbatim(SignalReader().read),
        "alerts": _Single(_checked(Alert)),
        "dispatch-feedback": _Single(_rewritten(KeptFeedback)),
        "indicators": _Single(_indicator),
        "subscribers": _Single(_rewritten(SubscriberRecord)),
    }


class KeptCall(Struct, omit_defaults=True):
    """The fields of a call that deciding reads."""

    id: str
    subscriber: str
    direction: str
    phase: str
    at: int
    peer: str | None = None
    duration_s: float = NO_DURATION
    cell: str = ""
    source: str | None = None


class KeptMessage(Struct, omit_defaults=True):
    """The fields of an SMS that deciding reads."""

    id: str
    subscriber: str
    direction: str
    at: int
    peer: str | None = None
    text: str = ""
    domains: list[str] | None = None
    cell: str = ""
    source: str | None = None
    template: int = 0
    """The template of the text (`models.texts.templates`), by which copies of a mailing are known."""


class KeptFeedback(Struct, omit_defaults=True):
    """The fields of a report that say what was found; no notes, which are about people."""

    case: str
    kind: str
    at: int
    id: str = ""
    unit: str = ""
    outcome: str = ""


class _Base:
    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.inexact = 0

    def _good(self, decoded: Decoded[Any], columns: Columns) -> Iterator[int]:
        """The rows of the records that were not refused."""
        self.refused.update(refusal.reason for refusal in decoded.refusals)
        left_out = {refusal.index for refusal in decoded.refusals}
        return (row for row in range(len(columns)) if row not in left_out)


class _Verbatim(_Base):
    """Keeps good records as they are."""

    def __init__(self, read: Callable[[Any], Decoded[Any]]) -> None:
        super().__init__()
        self._read = read

    def kept(self, columns: Columns) -> Iterator[tuple[int, bytes]]:
        for row in self._good(self._read(columns.records), columns):
            yield row, columns.records.value(row) or b""


class _Calls(_Base):
    """Keeps what deciding reads of calls."""

    def __init__(self, sources: Sources) -> None:
        super().__init__()
        self._read = CallReader(sources).read
        self._decode = msgspec.json.Decoder(CallRecord).decode

    def kept(self, columns: Columns) -> Iterator[tuple[int, bytes]]:
        for row in self._good(self._read(columns.records), columns):
            call = self._decode(columns.records.value(row) or b"")
            about = call.peer, call.duration_s, cell_of(call.event("")), _source(call.source)
            yield row, _encode(KeptCall(call.id, call.subscriber, call.direction, call.phase, call.at, *about))


class _Messages(_Base):
    """Keeps what deciding reads of SMS, and of their texts what `KeptTexts` says."""

    def __init__(self, sources: Sources) -> None:
        super().__init__()
        self._sources = sources
        self._read = MessageReader(sources).read
        self._decode = msgspec.json.Decoder(SmsRecord).decode
        self._texts = KeptTexts()

    def kept(self, columns: Columns) -> Iterator[tuple[int, bytes]]:
        decoded: Decoded[Messages] = self._read(columns.records)
        events = decoded.events
        templates = templates_of(events.texts, events.text_begins, events.text_ends).tolist()
        received = ((events.kinds & OUT) == 0).tolist()
        sources = events.sources.tolist()
        for index, row in enumerate(self._good(decoded, columns)):
            sms = self._decode(columns.records.value(row) or b"")
            numbering = self._sources.numbering(sources[index]) if received[index] else None
            text, is_exact = self._texts.of(sms.text or "", numbering)
            self.inexact += not is_exact
            about = sms.peer, text, sms.domains, cell_of(sms.event("")), _source(sms.source), templates[index]
            yield row, _encode(KeptMessage(sms.id, sms.subscriber, sms.direction, sms.at, *about))


class _Single(_Base):
    """Keeps what a function makes of each value; the function raises `RecordError` for a bad one."""

    def __init__(self, keep: Callable[[bytes], bytes]) -> None:
        super().__init__()
        self._keep = keep

    def kept(self, columns: Columns) -> Iterator[tuple[int, bytes]]:
        for row in range(len(columns)):
            try:
                yield row, self._keep(columns.records.value(row) or b"")
            except RecordError as error:
                self.refused[error.reason] += 1


def _source(written: object) -> str | None:
    """A record's source as it counts: none, or its name, which may be one that nobody has declared."""
    return written if written is None or isinstance(written, str) else "?"


def _rewritten(kind: type[Any]) -> Callable[[bytes], bytes]:
    decoder = msgspec.json.Decoder(kind)
    return lambda value: _encode(decode_one(decoder, value))


def _checked(kind: type[Any]) -> Callable[[bytes], bytes]:
    decoder = msgspec.json.Decoder(kind)

    def keep(value: bytes) -> bytes:
        decode_one(decoder, value)
        return value

    return keep


def _indicator(value: bytes) -> bytes:
    try:
        parse(value)
    except IndicatorError as error:
        raise RecordError("wrong-indicator", str(error)) from None
    return value
