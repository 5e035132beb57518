"""Phone numbers: from the many ways people write them to the one form that records carry.

Everything downstream compares numbers as strings of digits, so each number has exactly one form: E.164 digits without
``+`` (``8613800138000``), or a national short code (``95588``). Imports use :func:`normalise`. The engine uses
:func:`hotline` to see whether a subscriber rang the police or a bank. :func:`is_protected` keeps hotlines from becoming
indicators. No error message here repeats the number, because messages end up in logs.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import phonenumbers

from models.indicators.hotlines import NAMES, PROTECTED, HotlineKind
from models.indicators.written_numbers import CARRIER_SELECTION, digits_of, number_of, prefix_of

LEAST_BEHIND: Final = 7
"""Digits that must follow the prefix of a cheap call; fewer are the rest of a number that only begins like it."""

_CODES = "|".join(PROTECTED)
_AREA = r"(?:10|2\d|[3-9]\d\d)"  # area codes have two digits in ten large cities, three elsewhere
# Without 86, an area code 95x would swallow call centres: 952110 can be a company, +86 952 110 is Shizuishan's police.
_SPELLED = re.compile(
    rf"(?:(?:00|00086|0086|86)?0?{_AREA}?|(?!9[56]){_AREA})(?P<code>{_CODES})",
    re.ASCII,
)
_AREA_AND_CODE = re.compile(rf"{_AREA}(?:{_CODES})", re.ASCII)

_ASSIGNED = re.compile(  # most of any list: a handset, together or in the usual groups, with or without +86
    r"(?P<code>(?:\+|00)?86[ -]?)?(?P<first>1[3-9]\d)(?P<joint>[ -]?)(?P<middle>\d{4})(?P=joint)(?P<last>\d{4})",
    re.ASCII,
)
# 11 digits that begin with 1 are a handset, assigned or not, but 106… are SMS ports and 12… are services. 13 digits
# that begin with 14[0-4] are the internet of things.
_MOBILE = re.compile(r"1(?:0[0-57-9]|[13-9]\d)\d{8}|14[0-4]\d{10}", re.ASCII)
# Other 13 digits that begin so are nobody's, but possible after 86: no foreign number has country code 1 and 13 digits.
# Behind a trunk 0 they may be the rest of a foreign number that somebody dialled with 011.
_LONG_MOBILE = re.compile(r"1(?:0[0-57-9]|[13-9]\d)\d{10}", re.ASCII)
_SERVICE = re.compile(r"9[56]\d{3,6}", re.ASCII)
_AREA_AND_SHORT = re.compile(rf"{_AREA}[19]\d{{4,5}}", re.ASCII)
_BEIJING = re.compile(r"10[2-57-8]\d{7}", re.ASCII)
_PORT = re.compile(r"106\d{4,17}", re.ASCII)  # SMS ports have up to 20 digits
_COMMON = re.compile(r"[48]00\d{7}", re.ASCII)  # 400 and 800 numbers: no area code, nationwide
_SHORTEST_ABROAD = 7
_TOO_SHORT = "an international number begins with its country code and has at least 7 digits"


def normalise(value: str, region: str = "CN") -> str:
    """Normalise a number, however it is written: E.164 digits without ``+``, or a short code.

    The result has 2 to 15 digits, an SMS port (``106…``) up to 20. Spaces, dashes, brackets, the digits of every
    script, invisible characters, ``tel:`` URIs, ``+``, ``00`` and the trunk prefix ``0`` are understood. Groups of
    digits are joined only where they are those of one number (`models.indicators.written_numbers`). ``region``
    (ISO 3166) is the country of national numbers.

    - A short code stays (``95588``, ``+86 95588``); with an area code it becomes E.164 (``01012345`` →
      ``861012345``). SMS ports (``1069…``) stay. 400 and 800 numbers get their country code.
    - Bare digits are read as a Chinese handset or service, else as an international number, else as a Chinese
      landline without its ``0``. So a North American number that looks like a Chinese handset (11 digits that begin
      with ``13`` to ``19``) needs its ``+``.
    - Foreign numbers that cannot be dialled are kept (9 to 15 digits, or 7 to 15 with ``+``): fraudsters display such
      numbers. Digits after ``86`` or a trunk ``0`` must be a possible Chinese number. If they are not, the prefix was
      put before a foreign number, and nobody can say which number is meant.

    ``normalise("+" + number)`` returns an E.164 number unchanged. Raises ``ValueError`` with one sentence when the
    value is not one phone number.

    >>> normalise("+86 138-0013-8000"), normalise("（０１０）8888 8888"), normalise("0086 (0)755 2222 3333")
    ('8613800138000', '861088888888', '8675522223333')
    >>> normalise("400-812-3123"), normalise("95588"), normalise("tel:+852-2345-6789")
    ('864008123123', '95588', '85223456789')
    """
    if (match := _ASSIGNED.fullmatch(value)) and (region == "CN" or match["code"]):
        return f"86{match['first']}{match['middle']}{match['last']}"
    text = number_of(value, region)
    if text.startswith("+"):
        return _international(text[1:].removeprefix("00"))
    if text.startswith("00"):
        return _international(text[2:])
    if len(text) < 2:
        raise ValueError("a phone number has at least 2 digits")
    return _chinese(text) if region == "CN" else _national(text, region)


def normalise_prefix(value: str, region: str = "CN") -> str:
    """Normalise a number prefix, the digits with which many normalised numbers begin; it may end with ``*``.

    A prefix with ``+``, ``00`` or the trunk prefix ``0`` is completed. Bare digits that begin with ``13`` to ``19`` are
    Chinese handsets (``1700*`` → ``861700``); other bare digits stay as they are. Raises ``ValueError`` when the prefix
    has fewer than 5 digits with the country code, has more than 14, or would cover a protected number.

    >>> normalise_prefix("+99 900*"), normalise_prefix("1064899*")
    ('99900', '1064899')
    """
    text = prefix_of(value)
    if text.startswith(("+", "00")):
        prefix = text.removeprefix("+").removeprefix("00")
    elif text.startswith("0") or (region == "CN" and re.match(r"1[3-9]", text)):
        code = phonenumbers.country_code_for_region(region)
        if not code:
            raise ValueError("the region is not one that has phone numbers; give its two letters, for example CN")
        prefix = f"{code}{text.removeprefix('0')}"
    else:
        prefix = text
    if problem := prefix_problem(prefix):
        raise ValueError(problem)
    return prefix


def prefix_problem(prefix: str) -> str | None:
    """Why these digits cannot be a number prefix, as a sentence; None when they can."""
    if not (prefix.isascii() and prefix.isdigit()) or prefix.startswith("0"):
        return "a number prefix has digits only and begins with a country code or a short code's digit"
    if not 5 <= len(prefix) <= 14:
        return "a number prefix has 5 to 14 digits with its country code; shorter ones cover too many people"
    if covered := _covered(prefix):
        return f"this prefix would cover {covered} ({NAMES[covered]}), which can never be an indicator"
    return None


def is_normal(number: str) -> bool:
    """Whether a number of a record is in the form that :func:`normalise` returns.

    A Chinese handset without its 86 passes: it cannot be distinguished from a North American number.

    >>> is_normal("8613800138000"), is_normal("95588"), is_normal("8695588"), is_normal("013800138000")
    (True, True, False, False)
    """
    if not (number.isascii() and number.isdigit() and len(number) >= 2) or number.startswith("0"):
        return False
    if len(number) < 7 or _PORT.fullmatch(number):
        return True
    try:
        return _international(number) == number
    except ValueError:
        return False


def hotlines() -> dict[str, HotlineKind]:
    """Every form in which a record can carry a protected number, with its kind; for one look-up per event.

    The forms are the code alone, with the country code, and with country and area code: some 44,000 strings, 4 MB.

    >>> forms = hotlines()
    >>> forms["95588"], forms["8695588"], forms["8675595588"]
    ('bank', 'bank', 'bank')
    """
    areas = ["", "10", *map(str, range(20, 30)), *map(str, range(300, 1000))]
    forms = {f"86{area}{code}": kind for area in areas for code, kind in PROTECTED.items()}
    return {**forms, **PROTECTED}


def hotline(number: str) -> HotlineKind | None:
    """The kind of a protected number, with or without country and area code; None for any other number.

    Cheap for the numbers of records: nearly all of them need one dictionary look-up.

    >>> hotline("95588"), hotline("861096110"), hotline("+86 755 110"), hotline("8613800138000")
    ('bank', 'police', 'police', None)
    >>> hotline("106900095588") is None  # an SMS port that ends like the bank's number is not the bank's
    True
    """
    kind = PROTECTED.get(number)
    if kind is not None or (len(number) > 10 and number.isascii() and number.isdigit() and number[0] != "0"):
        return kind
    try:
        digits = digits_of(number).removeprefix("+")
    except ValueError:
        return None
    match = _SPELLED.fullmatch(digits)
    return PROTECTED[match["code"]] if match else None


def is_protected(number: str) -> bool:
    """Whether this number, in any of its spellings, can never be an indicator.

    >>> is_protected("01096110"), is_protected("+86 95588"), is_protected("8613800138000")
    (True, True, False)
    """
    return hotline(number) is not None


def _checked(number: str) -> str:
    if len(number) > 15 and not _PORT.fullmatch(number):
        raise ValueError(f"a phone number has at most 15 digits, and this has {len(number)}")
    return number


def _international(digits: str) -> str:
    """E.164 digits from the digits after ``+`` or ``00``, without trunk zeros between country code and number."""
    if digits.startswith("86"):
        return _domestic(digits[2:].lstrip("0"), trunk=digits.startswith("860"))
    if digits.startswith("0") or len(digits) < _SHORTEST_ABROAD:
        raise ValueError(_TOO_SHORT)
    _checked(digits)
    # Only a trunk prefix (0, or 8 in the former Soviet Union) can be superfluous; the library takes 30 µs or more.
    length = next((n for n in (1, 2, 3) if int(digits[:n]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 0)
    if length and digits[length] in "08" and _trunk(int(digits[:length])).match(digits, length):
        if number := _valid("+" + digits):
            return number
        if digits[length] == "0":  # no national number begins with it; an 8 may be the first digit of one
            digits = digits[:length] + digits[length:].lstrip("0")
            if len(digits) < _SHORTEST_ABROAD:
                raise ValueError(_TOO_SHORT)
    return digits


@cache
def _trunk(code: int) -> re.Pattern[str]:
    """The prefix that callers within a country dial before a national number, according to ``phonenumbers``.

    The pattern matches nothing for a country without such a prefix.
    """
    region = phonenumbers.region_code_for_country_code(code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    return re.compile((metadata and metadata.national_prefix_for_parsing) or r"(?!)")


def _domestic(rest: str, *, trunk: bool) -> str:
    """A Chinese number from the digits after the country code or the trunk prefix ``0``."""
    number = "86" + rest
    if any(form.fullmatch(rest) for form in (_MOBILE, _COMMON, landlines())):
        return number
    if not trunk and _LONG_MOBILE.fullmatch(rest):
        return number
    if rest in PROTECTED:
        return rest
    if _AREA_AND_CODE.fullmatch(rest) or (_AREA_AND_SHORT.fullmatch(rest) and not _is_short(rest)):
        return number
    if not trunk and _is_short(rest):
        return _checked(rest)
    if rest.startswith("106") and len(rest) > 10:
        raise ValueError("Beijing's numbers have 8 digits after 010; an SMS port is written without the 0")
    if len(rest) < 9:
        raise ValueError("this is too short for an area code and a number; write it with both")
    raise ValueError("China has no such number; a foreign number has neither 86 nor 0 before its country code")


@cache
def landlines() -> re.Pattern[str]:
    """China's landlines, without country code and trunk prefix, according to ``phonenumbers``."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    known = metadata.fixed_line if metadata else None
    return re.compile((known.national_number_pattern if known else None) or r"(?!)", re.ASCII)


def _is_short(rest: str) -> bool:
    """Whether Chinese digits without an area code are a short code: 1xx, 1xxxx, 95xxx, or an SMS port."""
    if rest.startswith("106") and len(rest) >= 7:
        return len(rest) != 10  # with ten digits it is Beijing's 10 6xxx xxxx
    if rest.startswith("1"):
        return 3 <= len(rest) <= 6 or (7 <= len(rest) <= 8 and not re.match(r"10[19]", rest))
    return _SERVICE.fullmatch(rest) is not None


def _chinese(digits: str) -> str:
    """Read a number from bare digits as people in China write them."""
    if digits.startswith(CARRIER_SELECTION) and len(digits) >= 5 + LEAST_BEHIND:
        return normalise(digits[5:])
    if digits.startswith("0"):
        return _domestic(digits.lstrip("0"), trunk=True)
    if digits.startswith("86") and (len(digits) >= 9 or is_protected(digits)):
        return _domestic(digits[2:].lstrip("0"), trunk=digits.startswith("860"))
    if _MOBILE.fullmatch(digits) or _COMMON.fullmatch(digits) or _BEIJING.fullmatch(digits):
        return "86" + digits
    if len(digits) <= 6 or _SERVICE.fullmatch(digits) or digits.startswith("106"):
        return _checked(digits)
    if len(digits) < 9 and not digits.startswith("1"):
        raise ValueError("a local number needs its area code (or, from abroad, + and its country code)")
    if len(digits) not in (10, 11):
        return _international(digits)
    if _valid("+" + digits) is not None:
        return _international(digits)
    return _valid(digits, "CN") or _international(digits)


def _national(digits: str, region: str) -> str:
    """Read a number from bare digits as people in another region write them; that region's reading comes first."""
    if len(digits) <= 6 and not digits.startswith("0"):
        return digits
    if number := _valid(digits, region):
        return number
    if len(digits) == 10 and digits[0] not in "01" and phonenumbers.country_code_for_region(region) == 1:
        return "1" + digits  # North American; national numbers are written without a trunk prefix
    if digits.startswith("0") or len(digits) < 9:
        raise ValueError("this is not a number of this region; give the right region, or write + and the country code")
    return _international(digits)


def _valid(written: str, region: str | None = None) -> str | None:
    """E.164 digits when ``phonenumbers`` accepts this as a valid number; else None."""
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def _covered(prefix: str) -> str | None:
    """The first protected number that a record could carry under this prefix, or None."""
    starts = [prefix]
    if prefix.startswith("86"):
        starts.append(prefix[2:])
        if area := re.match(_AREA, prefix[2:]):
            starts.append(prefix[2 + area.end() :])
    return next((code for start in starts for code in PROTECTED if code.startswith(start)), None)
