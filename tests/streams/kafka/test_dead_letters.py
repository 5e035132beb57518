"""Dead letters: sealed, whole where the record is of ordinary size, and never larger than Kafka's own limit."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from models.base.formats import NewerFormatError
from models.events.event import MAX_BYTES, Refusal
from streams.kafka.columns import NO_RECORDS, UNREADABLE, Record
from streams.kafka.letters import BEGINNING, FORMAT, HEADER, LARGEST_WHOLE, DeadLetters, Envelope, Letter, refused
from streams.kafka.letters import opened as opened_letter
from streams.sealing import MOST_RECIPIENTS, Identities, Seal, SealError, new_keys
from streams.settings import Settings

KAFKAS_OWN_LIMIT = 1_048_588
"""``max.message.bytes`` of a topic for which nobody has set it."""
REFUSAL = Refusal(0, "wrong-field", "检" * 2000)
KEYS = new_keys()
ALL_KEYS = ",".join(new_keys().recipient for _ in range(MOST_RECIPIENTS - 1)) + f",{KEYS.recipient}"
"""As many as a site may have: then letters are largest."""
LETTERS = DeadLetters(Settings(topic_prefix="p" * 200, group="g" * 200, letters_recipient=ALL_KEYS))


def record(value: bytes | None, key: bytes | None = b"k", *headers: tuple[str, bytes | None]) -> Record:
    """A record of ``sms``."""
    return Record("p" * 200 + "sms", 2, 7, 1000, key, value, headers)


def letter_of(given: Record) -> Letter:
    """Its dead letter."""
    (letter,) = LETTERS.of([refused(given, REFUSAL)])
    return letter


def opened(letter: Letter) -> Envelope:
    """What the letter holds."""
    return opened_letter(letter.value or b"", Identities([KEYS.identity]))


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
    found = opened(letter)

    assert Record(*(getattr(found, name) for name in Record._fields[:-1])) == given
    assert found.cut is None
    assert set(said(letter)) == {"reason", "detail", "topic", "partition", "offset", "group"}
    assert letter.timestamp == given.timestamp


@pytest.mark.parametrize("over", [LARGEST_WHOLE + 1, 1 << 25])
def test_of_a_larger_record_the_beginning_the_length_and_the_hash_are_sent(over: int) -> None:
    value = b"ab" * over

    letter = letter_of(record(value, b"key", ("trace", b"1")))

    found = opened(letter)
    assert found.value == value[:BEGINNING]
    assert (found.key, found.headers) == (b"key", (("trace", b"1"),))
    assert found.cut is not None
    assert (found.cut.length, found.cut.sha256) == (len(value), sha256(value).hexdigest())
    assert said(letter)["length"] == str(len(value))
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

    assert len(opened(letter).headers) < 3000
    assert size(letter) <= KAFKAS_OWN_LIMIT


def test_nothing_of_the_record_is_in_the_clear() -> None:
    """Its key is a person's number, and a hash of it could be found by trying all numbers."""
    parts = b"8610000000001", "验证码 482913".encode(), b"one-carrier"
    key, text, carrier = parts

    letter = letter_of(record(text, key, ("carrier", carrier)))
    again = letter_of(record(text, key, ("carrier", carrier)))

    clear = b"".join((letter.key or b"", letter.value or b"", *(value or b"" for _, value in letter.headers)))
    assert not [part for part in (*parts, sha256(key).digest(), sha256(text).hexdigest().encode()) if part in clear]
    assert "carrier" not in said(letter)
    assert letter.value != again.value
    assert (letter.key, letter.headers) == (again.key, again.headers)


def test_the_hash_of_a_cut_value_is_sealed_too() -> None:
    value = b"x" * (LARGEST_WHOLE + 1)

    assert "sha256" not in said(letter_of(record(value)))


def test_letters_of_one_partition_stay_in_their_order() -> None:
    """They go to one partition, whoever they are about."""
    keys = {letter_of(record(b"v", key)).key for key in (b"8610000000001", b"8610000000002", None)}

    assert keys == {b"p" * 200 + b"sms/2"}


def test_a_record_without_key_and_value_can_be_sent_as_well() -> None:
    """The client sends no record that has neither, and the dispatcher would end."""
    letter = letter_of(record(None, None))

    assert letter.value
    assert (opened(letter).key, opened(letter).value) == (None, None)


def test_what_a_newer_version_has_sealed_is_refused_in_a_sentence() -> None:
    newer = msgspec.msgpack.encode({"format": FORMAT + 1, "key": b"k"})

    with pytest.raises(NewerFormatError, match="newer version of Forewarn"):
        opened_letter(Seal(KEYS.recipient).sealed(newer), Identities([KEYS.identity]))


@pytest.mark.parametrize("content", [b"", b"junk", msgspec.msgpack.encode({"format": FORMAT})])
def test_what_is_sealed_and_no_record_is_refused(content: bytes) -> None:
    """Everybody may have the public key."""
    with pytest.raises(SealError, match="something else than a record"):
        opened_letter(Seal(KEYS.recipient).sealed(content), Identities([KEYS.identity]))


def test_the_record_that_stands_for_a_batch_has_the_reason_of_the_batch() -> None:
    unreadable = record(b"\x00" * 100)._replace(unreadable=UNREADABLE[NO_RECORDS])

    assert refused(unreadable, REFUSAL).refusal == Refusal(0, "unreadable-batch", UNREADABLE[NO_RECORDS])
    assert refused(record(b"v"), REFUSAL).refusal is REFUSAL


def test_a_letter_is_kept_from_the_arrival_of_its_record_unless_that_stays() -> None:
    """A text must not outlive its topic; the letter of an old indicator would be deleted before anybody reads it."""
    given = record(b"v")

    letters = LETTERS.of([refused(given, REFUSAL), refused(given, REFUSAL, stays=True)])

    assert [letter.timestamp for letter in letters] == [given.timestamp, None]
