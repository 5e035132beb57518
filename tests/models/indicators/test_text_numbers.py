"""Texts in which a known number may be written: every spelling is kept, and texts without it are dropped."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.indicators.text_numbers import LONG, MOST_RUNS, TextNumberPrefilter, long_runs
from models.texts.prefilter import DIGITS, traits_of


def prefilter(*numbers: str, prefixes: tuple[str, ...] = ()) -> TextNumberPrefilter:
    """A prefilter that knows these numbers and prefixes."""
    known = TextNumberPrefilter()
    for number in numbers:
        known.add_number(number)
    for prefix in prefixes:
        known.add_prefix(prefix)
    return known


def columns(*texts: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texts in UTF-8 as columns: the bytes, the begins and the ends."""
    spelt = [text.encode() for text in texts]
    ends = np.cumsum([len(each) for each in spelt], dtype=np.int64)
    return np.frombuffer(b"".join(spelt), dtype=np.uint8), ends - [len(each) for each in spelt], ends


def kept(known: TextNumberPrefilter, *texts: str) -> list[bool]:
    """Whether each of these texts is kept."""
    return [bool(each) for each in known.may_hold(*columns(*texts))]


@pytest.mark.parametrize(
    "text",
    [
        "99900123456",
        "请致电+999-0012-3456配合调查",
        "ring (999) 00 12 34 56 now",
        "拨打９９９００１２３４５６",
        "call 999.0012.3456.",
        "999\u200b00123456",
        "00999 00123456",
        "999—0012—3456",
        "（999）0012－3456",
        "other 10000000001, or 99900123456",
    ],
)
def test_every_spelling_of_a_known_number_is_kept(text: str) -> None:
    assert kept(prefilter("99900123456"), "before", text, "after") == [False, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "99900123457",
        "9990012345",
        "999001234567",
        "9 9 9 0",
        "9990012/3456",
        "999001234 five 56",
        "99900123 \n 456",
        "",
    ],
)
def test_texts_without_the_number_are_dropped(text: str) -> None:
    assert kept(prefilter("99900123456"), text) == [False]


def test_a_short_number_is_found_by_all_of_its_digits_alone() -> None:
    known = prefilter("95013")

    assert kept(known, "call 95013", "call 195013", "call 950131", "9501 3") == [True, False, False, False]


def test_a_prefix_is_found_at_the_begin_of_a_group_with_and_without_the_country_code() -> None:
    known = prefilter(prefixes=("99900", "861005"))

    found = kept(known, "+999 0012 3456", "10050000001", "0086 1005 0000 001", "19990012345", "1006000")

    assert found == [True, True, True, False, False]


def test_where_no_number_is_known_nothing_is_kept() -> None:
    assert kept(prefilter(), "99900123456") == [False]


SPELT = st.lists(
    st.sampled_from(["9", "0", "12", "０", " ", "-", ". ", "致电", "a", "(", "\u200b", "é", "99900123456"])
)


@given(SPELT.map("".join), SPELT.map("".join))
def test_the_compiled_pass_says_what_plain_python_says_and_stays_within_its_text(before: str, behind: str) -> None:
    """Bytes of the neighbours must not change what is found in a text."""
    known = prefilter("99900123456", "12000", prefixes=("99901",))

    alone = kept(known, before) + kept(known, behind)

    assert kept(known, before, behind) == alone
    assert [bool(known.runs(columns(text)[0])) for text in (before, behind)] == alone


@given(SPELT.map("".join), st.integers(1, LONG).map(lambda count: "１2" * count).flatmap(st.permutations).map("".join))
def test_every_text_with_a_long_run_has_the_trait_of_digits(before: str, digits: str) -> None:
    """The ledger looks for numbers in texts with that trait only."""
    texts = columns(before, digits, before + digits, "")

    has_digits = (traits_of(texts[0], texts[2]) & DIGITS) > 0

    assert set(long_runs(*texts)[0].tolist()) <= set(np.flatnonzero(has_digits).tolist())
    assert has_digits[1] == (len(digits) >= LONG)


def test_a_flood_of_numbers_is_read_in_part_only() -> None:
    """Whoever could make one text slow could stop a partition."""
    text = "99900123456, " * 500

    assert len(prefilter("99900123456").runs(columns(text)[0])) == MOST_RUNS
    assert len(long_runs(*columns(text))[0]) == MOST_RUNS


def test_long_runs_are_those_with_enough_digits_for_a_phone_number() -> None:
    texts = columns("code 482913", "ring 400-100 0000 or +999 0012 3456", "1" * LONG, "2026-03-15")

    which, begins, ends = long_runs(*texts)

    assert which.tolist() == [1, 1, 2]
    assert [texts[0][begin:end].tobytes() for begin, end in zip(begins, ends, strict=True)] == [
        b"400-100 0000",
        b"999 0012 3456",
        b"1" * LONG,
    ]
