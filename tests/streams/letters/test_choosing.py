"""Choosing and counting: which dead letters are meant, and how many of them wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace

import pytest

from streams.kafka.found_letters import Found
from streams.letters.choosing import Choice, Place, chosen
from streams.letters.counting import Counts
from streams.letters.handled import Decision, Handled
from tests.letters import AT, call_record, found

LETTER = found(call_record(5, source="harbour"))


async def each(letters: Sequence[Found]) -> AsyncIterator[Found]:
    """Letters one by one."""
    for letter in letters:
        yield letter


@pytest.mark.parametrize(
    ("choice", "takes"),
    [
        (Choice(), True),
        (Choice(topic="north.calls", reason="impossible-number", source="harbour"), True),
        (Choice(topic="calls"), False),
        (Choice(reason="wrong-key"), False),
        (Choice(source="(none)"), False),
        (Choice(since=AT + 1000, until=AT + 1001), True),
        (Choice(since=AT + 1001), False),
        (Choice(until=AT + 1000), False),
        (Choice(place=Place("north.calls", 3, 5)), True),
        (Choice(place=Place("north.calls", 3, 6)), False),
    ],
)
def test_a_letter_is_meant_if_it_has_all_marks_of_the_choice(choice: Choice, takes: bool) -> None:
    """Times are those at which records arrived: from the first on, and before the second."""
    assert choice.takes(LETTER) is takes


@pytest.mark.parametrize(("named", "shown"), [("harbour", "harbour"), ("8610000000009", "(unknown)"), (None, "(none)")])
def test_only_a_declared_source_is_named_in_the_clear(named: str | None, shown: str) -> None:
    """Any other may be a person's number."""
    assert found(call_record(5, source=named)).source == shown


async def test_a_record_that_was_refused_twice_counts_once() -> None:
    """A worker that was killed reads again what it refused. A record at the same offset of a new topic is another."""
    again, anew = found(call_record(5, source="harbour"), offset=18), found(call_record(5, AT + 1, source="harbour"))

    assert [letter async for letter in chosen(each([LETTER, again, anew]), Choice())] == [LETTER, anew]


def test_letters_are_counted_by_what_was_done_about_them_and_those_that_wait_come_first() -> None:
    """The example of a group waits if any does."""
    letters = [found(call_record(offset, AT + offset)) for offset in (1, 2, 3)]
    other = found(call_record(9), "wrong-key")
    done = [
        Handled.of(letters[0].origin, Decision("redriven", AT, "os:root", "A")),
        Handled.of(other.origin, Decision("discarded", AT, "os:root", "A", "a test")),
    ]
    counts = Counts({handled.origin: handled for handled in done})
    for letter in (other, *letters):
        counts.take(letter)

    waiting, aside = counts.groups()
    assert (dict(waiting.counts), dict(aside.counts)) == ({"redriven": 1, "waiting": 2}, {"discarded": 1})
    assert (waiting.example, waiting.first, waiting.last) == (letters[1], AT + 1001, AT + 1003)


def test_a_record_that_is_no_letter_is_counted_and_harms_nothing() -> None:
    """Everybody who may write to the topic can put one there."""
    headers = [("forewarn.error.offset", b"x")]
    stray = Found.of(SimpleNamespace(partition=0, offset=3, timestamp=AT, value=None, headers=headers))

    assert (stray.origin.topic, stray.origin.offset, stray.sealed) == ("", -1, b"")
