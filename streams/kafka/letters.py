"""Letters: records on their way to a topic, and among them the dead letters of records that were refused.

A dead letter is the whole record, sealed to the centre's key: a refused SMS still has its text, and its key is a
person's number. In the clear, in the headers, stands what is needed to count letters and to find their records. The
producers of worker and dispatcher send them; `streams.kafka.found_letters` finds them again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from models.base.formats import check_format
from models.events.event import Refusal
from models.events.numbering import CHINA, UNNAMED, Sources
from streams.kafka.columns import Record
from streams.sealing import Identities, Seal, SealError
from streams.settings import Settings

DEAD_LETTERS: Final = "dead-letters"
HEADER: Final = "forewarn.error."
FORMAT: Final = 1
"""The newest form of what is sealed. In an envelope of another form, a field may be missing or new."""

LARGEST_WHOLE: Final = 1_040_000
"""Bytes of the key, value and headers of a record whose dead letter is the whole record. Its letter, sealed to
`streams.sealing.MOST_RECIPIENTS` keys, is smaller than Kafka's own limit for a message (1,048,588), so that it fits
even where ``max.message.bytes`` was never raised."""
BEGINNING: Final = 16_384
"""Bytes that are sent of the key and of the value of a larger record, and at most those of its headers."""
_LONGEST_LENGTH: Final = 5  # bytes of a varint of 32 bits, and of a length in MessagePack


class Letter(NamedTuple):
    """A record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int | None = None
    partition: int | None = None
    """The partition it goes to; None: that of its key."""


class Refused(NamedTuple):
    """A record with the reason why it is refused."""

    record: Record
    refusal: Refusal
    stays: bool = False
    """Whether its topic keeps the record for much longer than its letter is kept. If so, the letter counts from now;
    otherwise from the record's arrival, so that it does not outlive the record."""


def refused(record: Record, refusal: Refusal, *, stays: bool = False) -> Refused:
    """A record with the reason why it is refused: the reader's reason, or that of the record batch it stands for."""
    if record.unreadable:
        refusal = Refusal(refusal.index, "unreadable-batch", record.unreadable)
    return Refused(record, refusal, stays)


class Cut(msgspec.Struct, frozen=True):
    """What is known of a value of which only the beginning is there."""

    length: int
    """Its bytes."""
    sha256: str
    """Its hash, in hexadecimal. It is sealed as well: whoever guesses the number and text of a record could test the
    guess by it."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a dead letter holds, sealed, as MessagePack: the refused record, byte for byte."""

    format: int = FORMAT
    topic: str
    """The topic that it came from, with the site's prefix."""
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    cut: Cut | None = None
    """None: key, value and headers are whole."""


class DeadLetters:
    """Makes the dead letters of a program. Raises `SettingsError` when the site has no key to seal them to.

    A letter names its record's source in the clear if that is one of ``sources``. Any other name may be anything.
    Shared between threads: nothing changes it.
    """

    def __init__(self, settings: Settings, sources: Sources = CHINA) -> None:
        self._sources = sources
        self._seal = Seal(settings.letters_key())
        self._topic = settings.topic(DEAD_LETTERS)
        self._group = settings.group

    def of(self, refused: Iterable[Refused]) -> list[Letter]:
        """The letters of refused records; takes some 150 µs for each, so call it in a thread of its own."""
        return [self._of(*each) for each in refused]

    def _of(self, record: Record, refusal: Refusal, stays: bool) -> Letter:
        envelope = enveloped(record)
        said = {
            "reason": refusal.reason,
            "detail": refusal.detail[:500],
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "group": self._group,
        }
        if envelope.cut is not None:
            said["length"] = str(envelope.cut.length)
        if (source := self._sources.name(_source_in(record.value))) != UNNAMED[0]:
            said["source"] = source
        # Letters of one partition stay in their order, and the key says nothing of a person.
        return Letter(
            self._topic,
            f"{record.topic}/{record.partition}".encode(),
            self._seal.sealed(msgspec.msgpack.encode(envelope)),
            [(HEADER + name, told.encode()) for name, told in said.items()],
            None if stays else max(record.timestamp, 0),
        )


def enveloped(record: Record) -> Envelope:
    """A record as its dead letter holds it: of one above `LARGEST_WHOLE` only the beginning and the first headers."""
    key, value, headers, cut = record.key, record.value, record.headers, None
    if sum(map(len, (key or b"", value or b""))) + sum(map(_header_size, headers)) > LARGEST_WHOLE:
        cut = Cut(len(value or b""), sha256(value or b"").hexdigest())
        key, value = key and key[:BEGINNING], value and value[:BEGINNING]
        upto = [*accumulate(map(_header_size, headers))]
        headers = headers[: bisect_right(upto, BEGINNING)]
    return Envelope(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=key,
        value=value,
        headers=tuple(headers),
        cut=cut,
    )


def opened(sealed: bytes, identities: Identities) -> Envelope:
    """The refused record in the value of a dead letter.

    Raises `SealError` when it cannot be opened, and `NewerFormatError` when a newer version has written it.
    """
    content = identities.opened(sealed)
    try:
        check_format("The dead letter", msgspec.msgpack.decode(content, type=_Form).format, FORMAT)
        return msgspec.msgpack.decode(content, type=Envelope)
    except msgspec.DecodeError:
        raise SealError("it holds something else than a record") from None


class _Sourced(msgspec.Struct):
    """The part of a record that says who has sent it."""

    source: str | None = None


def _source_in(value: bytes | None) -> str | None:
    """The source that a record names; None when it names none, or when nobody can tell."""
    try:
        return msgspec.json.decode(value or b"", type=_Sourced).source
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Form(msgspec.Struct):
    """The part of every envelope by which its form is known."""

    format: int


def _header_size(header: tuple[str, bytes | None]) -> int:
    """The most bytes that a header takes in a record, with both of its lengths."""
    name, value = header
    return len(name.encode()) + len(value or b"") + 2 * _LONGEST_LENGTH
