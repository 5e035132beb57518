"""Indicators: known fraud numbers and domains as values, checked so that none can accuse the innocent.

An import makes indicators with :func:`check`, which normalises each value. :func:`encode` writes them for the topic
``indicators``. Readers of the topic use :func:`parse`, which trusts no record. The terms are those of STIX 2.1; times
are epoch milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, cast, get_args

import msgspec

from models.indicators import numbers
from models.indicators.scam_types import ENTRIES
from models.texts import domains
from models.texts.deobfuscation import deobfuscated

IndicatorType = Literal["number", "number-prefix", "domain", "url"]
TYPES: Final[tuple[str, ...]] = get_args(IndicatorType)

SCAM_TYPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({each.name: (each.zh, each.en) for each in ENTRIES})
"""Names of the scam types in Chinese and English, from their entries (`models.indicators.scam_types`).

The list is open: any kebab-case word is a scam type.
"""

SUSPECTED: Final = "suspected"
"""The scam type of an unreported number that behaves like a gang's number (`models.lookback.suspicion`)."""

_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}\.?([:/?].*)?", re.ASCII | re.DOTALL)
_NETWORK = re.compile(r"((?:\d{1,3}\.){3}\d{1,3})(?:/\d{1,2}|\s*[-–~\s]\s*(?:\d{1,3}\.){0,3}\d{1,3})", re.ASCII)
_SINKS = frozenset({"0.0.0.0", "255.255.255.255"})  # noqa: S104 - no address that anything binds to
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
_PADDED = re.compile(r"\s*((?=[\d.]*\b0\d)(?:\d{1,3}\.){3}\d{1,3})(?![\d.])", re.ASCII)
_IPV6 = re.compile(r"[\da-f]*:[\da-f]*:[\da-f:.]*", re.ASCII | re.IGNORECASE)
_SEVERAL = re.compile(r"[\s,;|，；、]\s*(?:https?|hxxps?)://|[（）【】《》「」，；、。！？“”]", re.IGNORECASE)
"""What stands between two addresses, or around a note behind one."""
_QUANTITY = re.compile(r"\d(?:[.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
_NUMBER_SIGNS = frozenset("+＋(（")
_HOST_SIGNS = frozenset(".。．｡:/")
_LONGEST = 2000  # characters of a value; no address that people type or get by SMS is longer
_SCAM_TYPE = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_SECONDS = 100_000_000_000  # as milliseconds this is March 1973, as seconds the year 5138
_LATEST = 253_402_300_799_999  # the end of the year 9999


class IndicatorError(ValueError):
    """A value or record cannot be an indicator; one sentence says why.

    A sentence with seven digits or more could repeat a phone number, so all its digits become ``#``.

    >>> str(IndicatorError("'+999 00 123456 ext 1' is not a host"))
    "'+### ## ###### ext #' is not a host"
    """

    def __init__(self, reason: str) -> None:
        digits = sum(map(str.isdigit, reason))
        super().__init__("".join("#" if sign.isdigit() else sign for sign in reason) if digits > 6 else reason)


class Indicator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One known fraud number, number prefix, domain or URL, with its validity, confidence and source.

    The constructor checks nothing: :func:`check` and :func:`parse` do.
    """

    type: IndicatorType
    value: str
    """The normalised value: see :func:`normalise`."""
    scam_type: str
    """One of :data:`SCAM_TYPES`, or another word of ``a-z``, ``0-9`` and ``-``."""
    confidence: int
    """How sure the source is, 0 to 100 per cent."""
    source: str
    valid_from: int
    """Epoch ms; 0 means valid from the beginning of time."""
    valid_until: int | None = None
    """Epoch ms, exclusive; None means valid until revoked."""
    revoked: bool = False
    case: str | None = None
    """The case from which the indicator comes."""

    @property
    def key(self) -> str:
        """``type:value``, the key of the indicator's record."""
        return f"{self.type}:{self.value}"


_decoder = msgspec.json.Decoder(Indicator)
_encoder = msgspec.json.Encoder()


def guess_type(value: str) -> IndicatorType:
    """Guess the type of an indicator from the form of its value; :func:`check` decides whether the value is valid.

    >>> guess_type("+86 138 0013 8000"), guess_type("861700*")
    ('number', 'number-prefix')
    >>> guess_type("https://evil.top/"), guess_type("192.0.2.7"), guess_type("bit.ly/3AbC")
    ('domain', 'domain', 'url')
    """
    text = _refanged(value.strip())
    if _NETWORK.fullmatch(text):
        return "domain"
    if _ADDRESS.fullmatch(text) is None and not any(map(str.isalpha, text)):
        return "number-prefix" if text.endswith("*") else "number"
    if _QUANTITY.fullmatch(text):  # 1.38E10, a number that a spreadsheet has cut short
        return "number"
    # A number followed by a note counts as a number, so that its error message speaks of a number.
    if text[:4].lower() == "tel:" or text[:1] in _NUMBER_SIGNS or (text[0].isdigit() and _HOST_SIGNS.isdisjoint(text)):
        return "number"
    if _IPV6.fullmatch(text):
        return "domain"
    rest = text.partition("://")[2] or text
    if rest.startswith("["):
        return "url"
    return "url" if _path_of(text) or re.search(r":\d+/?$", rest) else "domain"


def _path_of(text: str) -> str:
    """What stands behind the host of an address, without the sign that begins it."""
    path = re.search(r"[/?#](.*)", text[scheme.end() if (scheme := _SCHEME.match(text)) else 0 :], re.DOTALL)
    return path[1] if path else ""


def normalise(kind: IndicatorType, value: str, region: str = "CN") -> str:
    """Normalise a value: the digits of a number or a prefix, a host, or a host and path without scheme.

    ``region`` is the country of national numbers. Defanged addresses (``hxxps://evil[.]top``), a scheme before a domain
    and ``*.`` are understood. Raises :class:`IndicatorError` when the value cannot be normalised.

    >>> normalise("number", "+86 (0)10-8888 8888"), normalise("domain", "*.Evil[.]TOP.")
    ('861088888888', 'evil.top')
    """
    if len(value) > _LONGEST:
        raise IndicatorError(f"a value has at most {_LONGEST} characters")
    if kind != "url" and "." in value:
        value = _one_address(value)
    if not kind.startswith("number"):
        _check_zeros(value)
    try:
        if kind == "number":
            return numbers.normalise(value, region)
        if kind == "number-prefix":
            return numbers.normalise_prefix(value, region)
        text = _refanged(value.strip()).removeprefix("*").removeprefix(".")
        if kind == "url" and (path := _path_of(text)) and _SEVERAL.search(path):
            raise IndicatorError("this is more than one address, or an address and a note; list one address by itself")
        return _normal_address(kind, text)
    except ValueError as error:
        raise IndicatorError(str(error).rstrip(".")) from None


def check(indicator: Indicator, region: str = "CN") -> Indicator:
    """Check an indicator and return it with its value normalised.

    Raises :class:`IndicatorError` for a protected number or a prefix that covers one, a public suffix, a host that
    strangers share (it needs a path and the type ``url``), and a field out of range.

    >>> fields = {"scam_type": "loan", "confidence": 80, "source": "centre", "valid_from": 0}
    >>> check(Indicator(type="domain", value="Evil.TOP", **fields)).key
    'domain:evil.top'
    """
    value = normalise(indicator.type, indicator.value, region)
    checked = indicator if value == indicator.value else msgspec.structs.replace(indicator, value=value)
    _validate(checked)
    return checked


def parse(record: bytes) -> Indicator:
    """Read an indicator from a record of the topic; raises :class:`IndicatorError` when it is not valid.

    The value must be normalised already: any other form would be a different key and never match.
    """
    try:
        indicator = _decoder.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IndicatorError(f"this is not an indicator record: {error}") from None
    if indicator.type == "number":
        normal = numbers.is_normal(indicator.value)
    elif indicator.type == "number-prefix":
        normal = True  # its digits are looked at below
    else:
        try:
            normal = (
                len(indicator.value) <= _LONGEST and _normal_address(indicator.type, indicator.value) == indicator.value
            )
        except ValueError:
            normal = False
    if not normal:
        raise IndicatorError(f"the {indicator.type} is not in its normal form; import it with forewarn indicators")
    _validate(indicator)
    return indicator


def encode(indicator: Indicator) -> bytes:
    """Encode an indicator as its record: JSON with a fixed order of fields, without unset fields.

    >>> fields = {"scam_type": "loan", "confidence": 80, "source": "centre", "valid_from": 0}
    >>> encode(Indicator(type="number", value="99900123456", **fields))
    b'{"type":"number","value":"99900123456","scam_type":"loan","confidence":80,"source":"centre","valid_from":0}'
    """
    return _encoder.encode(indicator)


def _one_address(value: str) -> str:
    """The value, or the address of a network of one address; raises `IndicatorError` for any other network."""
    network = _NETWORK.fullmatch(value.strip())
    if network is None:
        return value
    if value.strip().endswith("/32"):
        return network[1]
    raise IndicatorError("this is a network or a range of addresses; list the addresses that are known, one by one")


def _check_zeros(value: str) -> None:
    """Refuse an address with zeros before its numbers: people pad decimal numbers, and browsers read octal ones."""
    address = _PADDED.match(value)
    if address is None:
        return
    decimal = ".".join(str(int(part)) for part in address[1].split("."))
    try:
        is_clear = domains.normalise_host(address[1]) == decimal
    except ValueError:
        is_clear = False
    if not is_clear and max(map(int, decimal.split("."))) < 256:
        raise IndicatorError("the zeros make it unclear which address this is; write its numbers without them")


def _refanged(value: str) -> str:
    """An address without the disguises of fraudsters and analysts, as they are undone in texts."""
    return re.sub(r"(?i)^hxxp(?=s?:)", "http", deobfuscated(value))


def _normal_address(kind: IndicatorType, text: str) -> str:
    """The normal form of a domain or URL without disguise; raises ValueError when it has none."""
    if kind == "url":
        return domains.normalise_url(text)
    if "//" in text and (url := domains.normalise_url(text)) == domains.host_of(text):
        return url  # behind a scheme, one number is an address
    return domains.normalise_host(re.sub(r"(?i)^[a-z]+://", "", text).rstrip("/") if "/" in text else text)


def _validate(indicator: Indicator) -> None:
    if problem := _problem_of_value(indicator.type, indicator.value) or _problem_of_fields(indicator):
        raise IndicatorError(problem)


def _problem_of_value(kind: IndicatorType, value: str) -> str | None:
    if kind == "number":
        if numbers.is_protected(value):
            return "this is the number of an authority, a bank or a carrier, which can never be an indicator"
        return None
    if kind == "number-prefix":
        return numbers.prefix_problem(value)
    host, slash, path = value.partition("/")
    host = host.partition("?")[0]
    if kind == "domain":
        if ":" in value:
            return "an IPv6 address is listed as a url, in brackets"
        if not domains.parents(value):  # cached, so the next call is cheap
            return f"{value} is a public suffix, under which anybody can have a name"
        if value in _SINKS or (value.startswith("127.") and domains.is_address(value)):
            return f"{value} is where blocked hosts are sent, and no host of a fraudster"
        if domains.is_shared_host(value):
            return f"{value} is shared by strangers; list its path too, as a url"
        return None
    name = host if host.startswith("[") else host.partition(":")[0]
    if not (slash and path) and "?" not in value and domains.is_shared_host(name.strip("[]")):
        return f"{name} is shared by strangers; a url of it needs its path"
    return None


def _problem_of_fields(indicator: Indicator) -> str | None:
    if not _SCAM_TYPE.fullmatch(indicator.scam_type):
        return "scam_type is a word of up to 40 letters a-z, digits and hyphens, for example task-rebate"
    if not 0 <= indicator.confidence <= 100:
        return "confidence is 0 to 100 per cent"
    for name, text in (("source", indicator.source), ("case", indicator.case)):
        if text is not None and not (0 < len(text) <= 200 and text.isprintable()):
            return f"{name} is a text of 1 to 200 characters on one line"
    for name, at in (("valid_from", indicator.valid_from), ("valid_until", indicator.valid_until)):
        if at is not None and not 0 <= at <= _LATEST:
            return f"{name} is in epoch milliseconds, up to the year 9999"
        if at is not None and 0 < at < _SECONDS:
            return f"{name} is in epoch milliseconds, and this looks like seconds"
    if indicator.valid_until is not None and indicator.valid_until <= indicator.valid_from:
        return "valid_until must be after valid_from"
    return None


def type_named(name: str) -> IndicatorType:
    """The indicator type with this name; raises :class:`IndicatorError` for any other word.

    >>> type_named("domain")
    'domain'
    """
    if name not in TYPES:
        raise IndicatorError(f"type is one of {', '.join(TYPES)}, not {name!r}")
    return cast(IndicatorType, name)
