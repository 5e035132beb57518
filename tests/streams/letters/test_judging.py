"""Judging: which letters can be sent back now, and why the others stay."""

from __future__ import annotations

import pytest

from models.events.numbering import CHINA, Sources
from streams.kafka.columns import Record
from streams.kafka.letters import LARGEST_WHOLE, Envelope, Letter
from streams.letters.handling import REDRIVEN, Tally, ready, sent_again
from streams.letters.judging import Judge
from streams.sealing import Identities, new_keys
from tests.letters import AT, HARBOUR, SITE, call_record, found
from tests.site import LETTERS_KEY
from tests.streams.letters.test_choosing import each

NATIONAL = call_record(5, source="harbour", peer="21234567")
"""A number that only the contract of its source can read."""


def judge(sources: Sources = HARBOUR, identity: str = LETTERS_KEY.identity) -> Judge:
    """A judge of a site; events before `AT` are too old."""
    return Judge(SITE, sources, Identities([identity]), AT)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (call_record(5, peer="bank"), "impossible-number"),
        (call_record(5, key="8610000000002"), "wrong-key"),
        (call_record(5, AT - 1), "too-old"),
        (call_record(5, topic="indicators"), "other-topic"),
        (call_record(5)._replace(value=b"x" * (LARGEST_WHOLE + 1)), "not-whole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_be_refused_again_or_is_too_old_stays(record: Record, reason: str) -> None:
    """A compacted topic has a newer word of the key, which an old one would replace."""
    assert judge().record(found(record)) == reason


def test_a_batch_that_could_not_be_unpacked_is_no_record() -> None:
    """Its bytes may happen to be one."""
    assert judge().record(found(call_record(5), "unreadable-batch")) == "not-whole"


def test_a_letter_stays_that_was_sealed_to_another_key() -> None:
    """Whoever has the other key can send it."""
    assert judge(identity=new_keys().identity).record(found(call_record(5))) == "not-opened"


def test_a_record_can_be_sent_once_the_contract_knows_how_its_source_writes_numbers() -> None:
    """The letter was made by a worker without that contract."""
    letter = found(NATIONAL)

    assert judge(CHINA).record(letter) == "impossible-number"
    assert isinstance(judge(HARBOUR).record(letter), Envelope)


def test_a_record_goes_back_as_it_came_and_names_its_letter() -> None:
    """Its key leads to its subscriber's partition. A record that is redriven twice names its last letter."""
    before = NATIONAL._replace(headers=(("trace", b"1"), (REDRIVEN, b"0:1")))
    letter = found(before)
    record = judge().record(letter)
    assert isinstance(record, Envelope)

    sent = sent_again(letter, record)
    assert sent == Letter("north.calls", before.key, before.value, [("trace", b"1"), (REDRIVEN, b"2:17")])


async def test_a_limit_bounds_what_is_sent_and_the_rest_is_said() -> None:
    """What stays does not count; without a further record that could be sent, nothing is left to say."""
    letters = [found(call_record(number, peer="bank" if number == 1 else "99900123456")) for number in range(4)]
    less, enough = Tally(), Tally()

    first = [each.letter async for each in ready(each(letters), judge(), 2, less)]
    everything = [each.letter async for each in ready(each(letters), judge(), 3, enough)]

    assert (first, less.is_bounded, dict(less.left)) == ([letters[0], letters[2]], True, {"impossible-number": 1})
    assert (len(everything), enough.is_bounded) == (3, False)
