"""Written numbers: the digits of a phone number as people write it, or the reason why it is not one number.

`models.indicators.numbers` reads through it. A number may be written in groups, and the groups show what is meant:
``100 0000 0001`` is a handset, ``10000000001 2`` is a handset with a count beside it. Digits are joined only where the
groups are those of one number; anything else would make a number that nobody wrote, and so accuse a stranger.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

import phonenumbers

CARRIER_SELECTION: Final = (
    *("10193", "11808", "12593", "17900", "17901", "17909"),
    *("17910", "17911", "17950", "17951", "17969"),
)
"""What people in China dial before a number for a cheap call: the carriers' IP telephony (MIIT's numbering plan)."""

_SEPARATORS: Final = frozenset(".·•−")
_BREAKS: Final = frozenset({"Zs", "Pd", "Ps", "Pe"})  # blanks, dashes, brackets
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Mn", "Me"})  # as copied from an address book
_BETWEEN_TWO: Final = frozenset("/\\,;、|&~")
_FRACTION: Final = re.compile(r"(?<=\d{7})\.0+\Z", re.ASCII)  # a spreadsheet that treated the number as a quantity
_SHORTENED: Final = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
_LONGEST: Final = 100  # characters, however many blanks and brackets there are

_HANDSET: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_HANDSETS: Final = frozenset({(3, 8), (3, 4, 4), (3, 3, 5), (4, 3, 4), (4, 4, 3)})
_NATIONWIDE: Final = frozenset({(3, 7), (3, 3, 4), (3, 4, 3), (4, 3, 3)})
"""The groups in which Chinese people write a handset, and a number that begins with 400 or 800."""
_AREA: Final = re.compile(r"0?(10|2\d|[3-9]\d\d)", re.ASCII)
_SHORTEST_PREFIX: Final = 5
_SHORT: Final = 6
"""The most digits of a short code that is dialled after an area code."""

_LONG_ENOUGH: Final = 11
"""Digits that are a whole number, so that more behind them may be a count."""

_DATE: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_MINUTE: Final = re.compile(r"\d{8}(?:[01]\d|2[0-3])[0-5]\d", re.ASCII)
"""A date with hours and minutes; some are numbers of Egypt as well."""

_IS_DATE: Final = "this looks like a date, not like a phone number"
_BESIDE: Final = "digits stand beside the number: a count, an extension or a second number; leave them out"
_UNCLEAR: Final = (
    "it is unclear whether these groups of digits are one phone number; write its digits together, with + and the "
    "country code"
)


class Written(NamedTuple):
    """The digits of a written number in their groups."""

    plus: bool
    groups: tuple[str, ...]
    joints: tuple[str, ...]
    """What stands before each group."""
    ending: str
    """What stands behind the last group."""

    @property
    def digits(self) -> str:
        """All digits, with any leading ``+``."""
        return "+" * self.plus + "".join(self.groups)


def digits_of(value: str) -> str:
    """All digits of a written number with any leading ``+``, however they are grouped.

    Raises ``ValueError`` with one sentence when anything but digits and punctuation is between them.
    """
    return value if value.isascii() and value.isdigit() else _parsed(value).digits


def number_of(value: str, region: str) -> str:
    """The digits of the one number that is written here, with a leading ``+`` or ``0`` where its groups show it.

    Raises ``ValueError`` with one sentence when the groups are not those of one number of ``region`` or of a number
    with its country code.

    >>> number_of("100-0000-0001", "CN"), number_of("1 650 555 0100", "CN"), number_of("755-2222-0000", "CN")
    ('10000000001', '+16505550100', '075522220000')
    """
    if value.isascii() and value.isdigit():
        if _DATE.match(value) and (len(value) in (8, 14) or (_MINUTE.fullmatch(value) and not _is_valid(value))):
            raise ValueError(_IS_DATE)
        return value
    written = _parsed(value)
    if len(written.groups) == 1:
        return written.digits
    if problem := _problem(written):
        raise ValueError(problem)
    groups = written.groups
    if written.plus or groups[0].startswith("00"):
        first = groups[0].removeprefix("00")
        return _foreign((first, *groups[1:]) if first else groups[1:])
    if groups[0] == "86" and region == "CN":
        return _foreign(groups)
    found = _chinese(written) if region == "CN" else _national(written.digits, region)
    return found or _with_country_code(groups)


def prefix_of(value: str) -> str:
    """The digits of a number prefix, which may end with ``*``, with any leading ``+``.

    Raises ``ValueError`` with one sentence when a count or another number could stand beside the prefix.
    """
    value = value.strip().rstrip("*")
    if value.isascii() and value.isdigit():
        return value
    written = _parsed(value)
    first, *more = written.groups
    is_begun = written.plus or first.startswith("0") or first == "86" or re.fullmatch(r"1[3-9]\d\d?", first)
    if not is_begun and len("".join(more)) >= _SHORTEST_PREFIX:  # the first group could be a count
        raise ValueError(_UNCLEAR)
    return written.digits


def _parsed(value: str) -> Written:
    if len(value) > _LONGEST:
        raise ValueError(f"a phone number is not written with more than {_LONGEST} characters")
    text = value.strip()
    if not value.isascii():
        for character in value:
            if unicodedata.category(character) == "No":  # ① and ¹ count or refer to something; they are not dialled
                raise ValueError(f"a phone number has no {character!r}")
        text = unicodedata.normalize("NFKC", value).strip()
    text = _FRACTION.sub("", text)
    if _SHORTENED.fullmatch(text):
        raise ValueError("a spreadsheet has cut this number short; make its column text and export it again")
    if text[:4].lower() == "tel:":
        text = _of_uri(text[4:])
    plus = False
    groups: list[str] = []
    joints: list[str] = [""]
    for character in text:
        category = unicodedata.category(character)
        if category == "Nd":
            if joints[-1] or not groups:
                groups.append("")
                joints.append("")
            groups[-1] += str(unicodedata.decimal(character))
        elif character == "+" and not groups:
            plus = True
        elif category[0] == "L":
            raise ValueError("a phone number has no letters or words; leave out extensions and notes")
        elif character in _BETWEEN_TWO and groups:
            raise ValueError(f"this is more than one phone number, or a number and a note, with {character!r} between")
        elif category in _BREAKS or character in _SEPARATORS or character.isspace():
            joints[-1] += character
        elif category not in _INVISIBLE:
            raise ValueError(f"a phone number has no {character!r}")
    if not groups:
        raise ValueError("there are no digits in it")
    return Written(plus, tuple(groups), tuple(joints[:-1]), joints[-1])


def _of_uri(text: str) -> str:
    """The number of a ``tel:`` URI (RFC 3966), with the context that it names."""
    text, _, parameters = text.partition(";")
    if re.search(r"(?i)(?:^|;)ext=", parameters):
        raise ValueError("an extension is not part of a number that records carry; leave it out")
    context = re.search(r"(?i)phone-context=(\+[\d.()-]+)", parameters)
    return context[1] + text if context and not text.startswith("+") else text


def _problem(written: Written) -> str | None:
    """Why these groups cannot be one number of any country; None when they can."""
    groups, joints = written.groups, written.joints
    *_, before, last = groups
    if not written.plus and _is_date(groups):
        return _IS_DATE
    if len(before) == len(last) >= 5 and _is_dash(joints[-1]) and before[:2] == last[:2] and before < last:
        return "this is a range of numbers; write each number, or a prefix with * at its end"
    first = groups[0].removeprefix("00")
    is_international = written.plus or first != groups[0]
    if len(first) > (8 if is_international else 5) or any(len(each) > 5 for each in groups[1:-1]):
        return _BESIDE
    if written.ending.strip() and any(unicodedata.category(sign) == "Ps" for sign in joints[-1]):
        return "the digits in brackets are a count or a note; leave them out"
    if len(last) == 1 or (len(last) == 2 and len(before) > 3):
        return _BESIDE
    if not written.plus and len(groups) > 2 and {*joints[1:]} == {"."} and {*map(len, groups[1:])} == {3}:
        return "this looks like a quantity with separators, not like a phone number"
    return None


def _is_date(groups: tuple[str, ...]) -> bool:
    if len(groups) < 3:
        return False
    year, month, day = groups[:3] if len(groups[0]) == 4 else reversed(groups[:3])
    is_year = len(year) == 4 and year[:2] in ("19", "20")
    return is_year and len(month) <= 2 and len(day) <= 2 and 0 < int(month) <= 31 and 0 < int(day) <= 31


def _is_dash(joint: str) -> bool:
    return any(sign == "−" or unicodedata.category(sign) == "Pd" for sign in joint)


def _foreign(groups: tuple[str, ...]) -> str:
    """A number with its country code; in groups, it has no more digits than that country's numbers."""
    digits = "".join(groups)
    if digits.startswith("86"):
        rest = digits[2:].lstrip("0")
        is_short = len(rest) <= 8 and groups[-1] in (rest, digits)
        is_long = len(rest) in (10, 11) or (rest.startswith("106") and not _HANDSET.fullmatch(groups[-1]))
        # An area code and a short code: +86 755 96110
        is_local = len(groups[-1]) <= _SHORT and _AREA.fullmatch(rest[: -len(groups[-1])]) is not None
        if not (is_short or is_long or is_local):
            raise ValueError(_BESIDE)
    elif _length(digits) == phonenumbers.ValidationResult.TOO_LONG or _may_end_before(groups):
        raise ValueError(_BESIDE)
    return "+" + digits


def is_possible(digits: str) -> bool:
    """Whether a number with its country code has as many digits as the numbers of that country."""
    return _length(digits) == phonenumbers.ValidationResult.IS_POSSIBLE


def _may_end_before(groups: tuple[str, ...]) -> bool:
    """Whether the last group could stand beside a number, since nobody knows how long its country's numbers are."""
    return _length("".join(groups)) is None and len("".join(groups[:-1])) >= _LONG_ENOUGH


def _length(digits: str) -> int | None:
    """What ``phonenumbers`` says of the length of an international number; None for a country code of nobody."""
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.is_possible_number_with_reason(number)


def _chinese(written: Written) -> str | None:
    """A number as people in China write it, without the country code; None when the groups are no such number."""
    groups, digits = written.groups, "".join(written.groups)
    shape = tuple(map(len, groups))
    if digits.startswith("0"):
        return _with_trunk(groups, digits)
    if len(digits) == 11 and digits.startswith("1") and shape in _HANDSETS:
        return digits
    if len(digits) == 10 and digits.startswith(("400", "800")) and shape in _NATIONWIDE:
        return digits
    if groups[0].startswith("106") and len(digits) > 8 and min(shape) > 2 and not _HANDSET.fullmatch(groups[-1]):
        return digits  # an SMS port
    if groups[0] in CARRIER_SELECTION and len(digits) == 16:
        return digits
    is_area = _AREA.fullmatch(groups[0]) is not None and groups[1][0] not in "01"
    # Two groups with a blank between could be a count and a local number: 21 22220000.
    if is_area and len(digits) - shape[0] in (7, 8) and (len(groups) > 2 or not written.joints[1].isspace()):
        return "0" + digits
    return None


def _with_trunk(groups: tuple[str, ...], digits: str) -> str:
    """A Chinese number with its trunk prefix: a handset, or a landline or a short code behind its area code."""
    rest = digits.lstrip("0")
    if len(rest) == 11 and rest.startswith("1") and groups[0] != "010":
        return digits
    area = _AREA.match(rest)
    if area is None:
        raise ValueError(_UNCLEAR)
    local = len(rest) - area.end()
    if local > 8 or (local <= _SHORT and len(groups[-1]) != local):
        raise ValueError(_BESIDE)
    return digits


def _national(digits: str, region: str) -> str | None:
    """A number of another region, without the country code; None when it is no valid number there."""
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    is_north_american = number.country_code == 1 and len(digits) == 10
    return digits if is_north_american or phonenumbers.is_valid_number(number) else None


def _with_country_code(groups: tuple[str, ...]) -> str:
    """A number whose first group is its country code, although no ``+`` is written; raises ValueError for any other."""
    digits = "".join(groups)
    code = groups[0]
    if len(groups) > 2 and 9 <= len(digits) <= 15 and len({*map(len, groups)}) > 1 and not code.startswith("0"):
        codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        if int(code) in codes and _is_valid(digits):
            return "+" + digits
        is_nobodys = len(code) == 3 and not any(int(code[:length]) in codes for length in (1, 2, 3))
        if is_nobodys and not _may_end_before(groups):
            return "+" + digits  # a code of no country, as a fraudster may show
    raise ValueError(_UNCLEAR)


def _is_valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))
    except phonenumbers.NumberParseException:
        return False
