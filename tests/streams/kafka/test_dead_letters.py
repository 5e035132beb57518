"""Dead letters: whole where the record is of ordinary size, and never larger than Kafka's own limit for a message."""

from __future__ import annotations

from hashlib import sha256

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from models.events.event import MAX_BYTES, Refusal
from streams.kafka.columns import NO_RECORDS, UNREADABLE, Record
from streams.kafka.publishing import BEGINNING, HEADER, LARGEST_WHOLE, Letter, dead_letter, refused

KAFKAS_OWN_LIMIT = 1_048_588
"""``max.message.bytes`` of a topic for which nobody has set it."""
REFUSAL = Refusal(0, "wrong-field", "x" * 2000)


def record(value: bytes | None, key: bytes | None = b"k", *headers: tuple[str, bytes | None]) -> Record:
    """A record of ``sms``."""
    return Record("sms", 2, 7, 1000, key, value, headers)


def letter_of(given: Record) -> Letter:
    """Its dead letter."""
    return dead_letter(given, REFUSAL, "dead-letters", "forewarn")


def said(letter: Letter) -> dict[str, str]:
    """What the letter says about the error."""
    return {
        name.removeprefix(HEADER): (value or b"").decode() for name, value in letter.headers if name.startswith(HEADER)
    }


def size(letter: Letter) -> int:
    """The bytes of a batch of this letter alone, as they are sent."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    assert builder.append(0, letter.timestamp, letter.key, letter.value, [*letter.headers])
    return len(builder.build())


def test_a_record_of_ordinary_size_is_sent_whole() -> None:
    given = record(b"v" * MAX_BYTES, b"key", ("trace", b"1"), ("none", None))

    letter = letter_of(given)

    assert (letter.key, letter.value) == (given.key, given.value)
    assert letter.headers[:2] == given.headers
    assert set(said(letter)) == {"reason", "detail", "topic", "partition", "offset", "group"}


@pytest.mark.parametrize("over", [LARGEST_WHOLE + 1, 1 << 25])
def test_of_a_larger_record_the_beginning_the_length_and_the_hash_are_sent(over: int) -> None:
    value = b"ab" * over

    letter = letter_of(record(value, b"key", ("trace", b"1")))

    assert letter.value == value[:BEGINNING]
    assert (letter.key, letter.headers[0]) == (b"key", ("trace", b"1"))
    assert (said(letter)["length"], said(letter)["sha256"]) == (str(len(value)), sha256(value).hexdigest())
    assert size(letter) < 2 * BEGINNING


HUGE = st.sampled_from([0, 1, 10_000, LARGEST_WHOLE // 2, LARGEST_WHOLE - 100, LARGEST_WHOLE, 2 * LARGEST_WHOLE])
PIECES = st.none() | HUGE.map(bytes)


@given(PIECES, PIECES, st.lists(st.tuples(HUGE.map(lambda count: "é" * count), PIECES), max_size=3))
def test_a_letter_of_any_record_can_be_sent_to_a_topic_with_kafkas_own_limit(
    value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    assert size(letter_of(record(value, key, *headers))) <= KAFKAS_OWN_LIMIT


def test_thousands_of_small_headers_are_bounded_as_well() -> None:
    letter = letter_of(record(b"v", b"k", *[("h", None)] * 300_000))

    assert len(letter.headers) < 3000
    assert size(letter) <= KAFKAS_OWN_LIMIT


def test_a_record_without_key_and_value_gets_an_empty_key() -> None:
    """The client sends no record that has neither, and the dispatcher would end."""
    assert (letter_of(record(None, None)).key, letter_of(record(None, None)).value) == (b"", None)


def test_the_record_that_stands_for_a_batch_has_the_reason_of_the_batch() -> None:
    unreadable = record(b"\x00" * 100)._replace(unreadable=UNREADABLE[NO_RECORDS])

    assert refused(unreadable, REFUSAL)[1] == Refusal(0, "unreadable-batch", UNREADABLE[NO_RECORDS])
    assert refused(record(b"v"), REFUSAL)[1] is REFUSAL
