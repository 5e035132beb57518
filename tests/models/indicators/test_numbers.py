"""Phone numbers: every spelling of a number has one normal form, and nothing else is accepted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.indicators.numbers import (
    hotline,
    hotlines,
    is_normal,
    is_protected,
    normalise,
    normalise_prefix,
    prefix_problem,
)

DIGITS = st.text("0123456789", max_size=17)
WRITTEN = st.one_of(
    st.text(),
    st.text("0123456789+-() .*/\u200b\u00a0０１２٣;:=telx", max_size=24),
    st.tuples(
        st.sampled_from(["", "+", "00", "+86", "86", "0", "+8600", "106", "1069", "95", "400", "010"]), DIGITS
    ).map("".join),
)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("8610000000001", "8610000000001"),
        ("10000000001", "8610000000001"),
        ("+86 100 0000 0001", "8610000000001"),
        ("0086-100-0000-0001", "8610000000001"),
        ("010000000001", "8610000000001"),
        ("+86（0）10000000001", "8610000000001"),
        ("１００　００００　０００１", "8610000000001"),
        ("\u202a+86 10000000001\u202c", "8610000000001"),  # as copied from an address book
        ("10000000001.0", "8610000000001"),  # a spreadsheet stored it as a quantity
        ("tel:+86-10000000001", "8610000000001"),
        ("tel:62880000;phone-context=+8610", "861062880000"),
        ("(010) 6288 0000", "861062880000"),
        ("1062880000", "1062880000"),  # an SMS port; Beijing's number needs its 0
        ("0755-2222 0000", "8675522220000"),
        ("75522220000", "8675522220000"),
        ("400-000-0000", "864000000000"),
        ("95xxx".replace("x", "0"), "95000"),
        ("+86 95000", "95000"),
        ("1069000000001", "1069000000001"),
        ("861069000000001", "1069000000001"),
        ("0755 12345", "8675512345"),
        ("10690000000000000001", "10690000000000000001"),
        ("+86 106 9000 0000 0000 00001", "10690000000000000001"),
        ("1795110000000001", "8610000000001"),
        ("+999 00 123456", "99900123456"),
        ("0099900123456", "99900123456"),
        ("+00 999 00123456", "99900123456"),
        ("+44 (0)20 7946 0000", "442079460000"),
        ("+44 (0)7700 900123", "447700900123"),  # also where nobody has the number
        ("+7 8 495 000 00 00", "74950000000"),
        ("+62 812 0000 0000", "6281200000000"),
        ("+1 (650) 555-0100", "16505550100"),
        ("٨٦١٠٠٠٠٠٠٠٠٠١", "8610000000001"),
    ],
)
def test_however_a_number_is_written_it_has_one_form(written: str, number: str) -> None:
    """Spaces, dashes, brackets, scripts, URIs, trunk prefixes and dial prefixes."""
    assert normalise(written) == number
    assert is_normal(number)


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("(650) 555-0100", "US", "16505550100"),
        ("020 7946 0000", "GB", "442079460000"),
        ("10000000001", "CN", "8610000000001"),
        ("611", "US", "611"),
    ],
)
def test_the_region_says_whose_national_numbers_are_meant(written: str, region: str, number: str) -> None:
    """The same digits belong to another person elsewhere."""
    assert normalise(written, region) == number


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no digits"),
        ("+", "no digits"),
        ("()", "no digits"),
        ("7", "at least 2 digits"),
        ("12345678901234567", "at most 15 digits"),
        ("106900000000000000001", "at most 15 digits"),
        ("1111110000000001", "at most 15 digits"),
        ("8699900123456", "China has no such number"),
        ("0999 00 123456", "China has no such number"),
        ("01199900123456", "China has no such number"),  # 011 is what North America dials before a foreign number
        ("10000000001 ext 5", "no letters"),
        ("10000000001 转 5", "no letters"),
        ("tel:+8610000000001;ext=5", "extension"),
        ("10000000001/10000000002", "more than one phone number"),
        ("10000000001、10000000002", "more than one phone number"),
        ("10000000001，张三", "more than one phone number"),
        ("1.0E+10", "spreadsheet"),
        ("1E10", "spreadsheet"),
        ("#10000000001", "has no '#'"),
        ("2222000", "area code"),
        ("010 222", "too short"),
        ("01063488140437", "Beijing"),
        ("+0123456789", "country code"),
        ("+99900", "at least 7 digits"),
        ("+440000000", "at least 7 digits"),
        ("1" * 200, "at most 15 digits"),
        ("(" * 200 + "10000000001", "more than 100 characters"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(written: str, why: str) -> None:
    """The reason never repeats the number."""
    with pytest.raises(ValueError, match=re.escape(why)) as caught:
        normalise(written)

    assert re.search(r"\d{7}", str(caught.value)) is None


def test_a_number_of_another_region_with_a_zero_before_it_is_refused() -> None:
    """It could not have one normal form: workers would ignore what the import accepted."""
    for written in ("0561", "056154"):
        with pytest.raises(ValueError, match="region"):
            normalise(written, "US")


@given(WRITTEN, st.sampled_from(["CN", "US", "GB", "RU", "IT"]))
def test_every_text_gives_a_normal_number_or_a_reason(written: str, region: str) -> None:
    """No other exception is raised, and workers accept every number that an import accepts."""
    reason = ""
    try:
        number = normalise(written, region)
    except ValueError as error:
        reason = str(error)

    assert not written.isascii() or re.search(r"\d{7}", reason) is None  # repr writes non-ASCII characters as digits
    if reason:
        return
    assert is_normal(number)
    assert re.fullmatch(r"[0-9]{2,15}|106[0-9]{13,17}", number)
    if len(number) >= 7:
        assert normalise("+" + number, region) == number


@given(DIGITS)
def test_normalising_is_idempotent_for_chinese_numbers(digits: str) -> None:
    """Only foreign numbers keep their plus: one that begins with 1 could be a Chinese mobile number."""
    try:
        number = normalise("+86" + digits)
    except ValueError:
        return

    assert normalise(number) == number


@pytest.mark.parametrize("number", ["010000000001", "8695588", "", "1", "１２３４５", "+99900123456", "4402079460000"])
def test_a_record_with_another_form_is_not_normal(number: str) -> None:
    """It would be a different key and never match."""
    assert not is_normal(number)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("110", "police"),
        ("86110", "police"),
        ("+86 755 110", "police"),
        ("01096110", "police"),
        ("(010) 96110", "police"),
        ("9 5 5 8 8", "bank"),
        ("+86-95588", "bank"),
        ("9558", None),
        ("106900095588", None),
        ("8610000000001", None),
        ("99900095588", None),
        ("no number", None),
    ],
)
def test_a_hotline_is_known_in_every_spelling(written: str, kind: str | None) -> None:
    """A number that only ends with the digits of a hotline is not one."""
    assert hotline(written) == kind
    assert is_protected(written) is (kind is not None)


def test_every_form_of_the_table_is_the_hotline_that_it_says() -> None:
    """The worker looks them up in a dictionary and the import applies the rule; both must agree."""
    wrong = [form for form, kind in hotlines().items() if hotline(form) != kind]

    assert wrong == []
    assert len(hotlines()) > 40_000


@given(WRITTEN)
def test_a_number_that_normalises_to_a_hotline_is_protected(written: str) -> None:
    """No spelling evades the list, because the normal form is checked."""
    try:
        number = normalise(written)
    except ValueError:
        return

    assert is_protected(number) or number not in hotlines()


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        ("+999 00*", "99900"),
        ("99900 9*", "999009"),
        ("0099900", "99900"),
        ("1700*", "861700"),
        ("861700*", "861700"),
        ("1064899*", "1064899"),
        ("0755 8*", "867558"),
    ],
)
def test_a_prefix_begins_as_the_numbers_do(written: str, prefix: str) -> None:
    """With the country code, or with the digits of the short code."""
    assert normalise_prefix(written) == prefix


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("86*", "5 to 14 digits"),
        ("999*", "5 to 14 digits"),
        ("123456789012345*", "5 to 14 digits"),
        ("955*", "5 to 14 digits"),
        ("95588*", "would cover 95588"),
        ("+86955*", "would cover 955"),
        ("0755*", "would cover 110"),
        ("86109*", "would cover 9"),
        ("*", "no digits"),
        ("abc*", "no letters"),
    ],
)
def test_a_prefix_that_covers_too_much_is_refused(written: str, why: str) -> None:
    """It is too short, or a hotline is among its numbers."""
    with pytest.raises(ValueError, match=re.escape(why)):
        normalise_prefix(written)


def test_a_national_prefix_of_no_region_is_refused() -> None:
    """Without a country code it identifies nothing."""
    with pytest.raises(ValueError, match="region"):
        normalise_prefix("0755*", "XX")


@given(DIGITS)
def test_no_accepted_prefix_covers_a_hotline(prefix: str) -> None:
    """Every form is covered in which a record can carry a hotline."""
    if prefix_problem(prefix) is None:
        assert not any(form.startswith(prefix) for form in hotlines())
