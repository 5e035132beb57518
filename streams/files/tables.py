"""Tables: finds the headings of a table of indicators among its first lines, and reads its rows.

Each row is parsed by itself. No value has a line break, so a missing quote costs only its own line.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, cast

from models.indicators.indicator import IndicatorError, IndicatorType, guess_type, type_named
from streams.files.list_entries import Entry, Wrong, unquoted

COLUMNS: Final[dict[str, str]] = {
    **dict.fromkeys(("value", "indicator", "ioc", "iocvalue", "ip", "ipaddress", "值", "ip地址"), "value"),
    **dict.fromkeys(("number", "phone", "tel", "telephone", "mobile", "msisdn", "callerid"), "number"),
    **dict.fromkeys(
        ("phonenumber", "telephonenumber", "mobilenumber", "calleridnumber", "companyphonenumber"), "number"
    ),
    **dict.fromkeys(("号码", "电话", "电话号码", "手机", "手机号", "手机号码"), "number"),
    **dict.fromkeys(("涉诈号码", "涉诈电话", "诈骗号码", "诈骗电话", "詐騙號碼", "詐騙電話"), "number"),
    **dict.fromkeys(("涉案号码", "涉案电话", "嫌疑人号码", "嫌疑人电话", "诈骗手机号", "来电号码"), "number"),
    **dict.fromkeys(("號碼", "電話", "電話號碼", "手機", "手機號碼", "電話番号", "番号", "전화번호", "번호"), "number"),
    **dict.fromkeys(
        (
            "domain",
            "host",
            "hostname",
            "fqdn",
            "domainname",
            "域名",
            "涉诈域名",
            "诈骗域名",
            "网域",
            "網域",
            "ドメイン",
        ),
        "domain",
    ),
    **dict.fromkeys(
        ("url", "link", "weburl", "website", "网址", "涉诈网址", "诈骗网址", "链接", "網址", "連結", "アドレス"), "url"
    ),
    "도메인": "domain",
    **dict.fromkeys(("홈페이지주소", "홈페이지", "주소", "웹사이트"), "url"),
    **dict.fromkeys(("type", "类型"), "type"),
    **dict.fromkeys(("scamtype", "诈骗类型", "詐騙類型"), "scam_type"),
    **dict.fromkeys(("confidence", "置信度"), "confidence"),
    **dict.fromkeys(("source", "来源", "來源"), "source"),
    **dict.fromkeys(("validfrom", "生效时间", "生效時間"), "valid_from"),
    **dict.fromkeys(("validuntil", "失效时间", "失效時間"), "valid_until"),
    **dict.fromkeys(("case", "案件编号", "案件編號"), "case"),
    "revoked": "revoked",
}
"""A table's headings, as `field_of` compares them, with the fields they stand for; other columns are ignored."""

VALUES: Final = ("value", "number", "domain", "url")
DELIMITERS: Final = (",", "\t", ";", "|")

_TEXTS: Final = ("scam_type", "source", "valid_from", "valid_until", "case")
_REVOKED: Final = {"revoked": True, "true": True, "1": True, "false": False, "0": False}
_UNHEARD: Final = re.compile(r"[\s_\-*]|[(（].*[)）]$")
"""What a heading may have beside its word: blanks, hyphens, a star and a remark in brackets."""
_HOST: Final = re.compile(r"[^\W_]\.[^\W\d_]{2}")
_DATE: Final = re.compile(r"(?:19|20)\d\d\D?\d{1,2}\D?\d{1,2}", re.ASCII)
_NORTH_AMERICAN: Final = "companyphonenumber"
"""The heading of the numbers in the complaints that the Federal Trade Commission publishes (Do Not Call)."""


def field_of(head: str) -> str | None:
    """The field that a heading stands for; None for any other heading.

    >>> field_of("Valid From"), field_of("手机号码（必填）"), field_of("Remarks")
    ('valid_from', 'number', None)
    """
    return COLUMNS.get(_word(head))


def has_heading(text: str) -> bool:
    """Whether a text has a heading that stands for a value and is not ASCII, which its encoding cannot hide."""
    return any(
        not cell.isascii() and field_of(cell) in VALUES
        for line in text.splitlines()
        for cell in re.split(r"[,;|\t]", line)
    )


def _word(head: str) -> str:
    return _UNHEARD.sub("", unicodedata.normalize("NFKC", head).strip().strip('"').lower())


def looks_like_a_value(cell: str) -> bool:
    """Whether a cell holds a number, a host or an address rather than a word.

    >>> [looks_like_a_value(cell) for cell in ("evil.example/a", "+999 00 123456", "loan", "2026-03-01", "90")]
    [True, True, False, False, False]
    """
    return _HOST.search(cell) is not None or sum(map(str.isdigit, _DATE.sub("", cell))) >= 9


class Heading(NamedTuple):
    """The headings of a table, and where they stand."""

    line: int
    """How many lines come before the rows."""
    written: str
    delimiter: str
    heads: tuple[str, ...]

    @property
    def fields(self) -> tuple[str | None, ...]:
        """The field of each column; None for a column that is ignored."""
        return tuple(map(field_of, self.heads))

    @property
    def ignored(self) -> tuple[str, ...]:
        """The headings of the columns that are not read."""
        return tuple(head for head, field in zip(self.heads, self.fields, strict=True) if not field)

    @property
    def region(self) -> str | None:
        """The country of the numbers, if the headings show it."""
        return "US" if _NORTH_AMERICAN in map(_word, self.heads) else None


def heading(lines: Sequence[str]) -> Heading | None:
    """The headings among the first lines of a file: its first row, below a title, or in a comment; None without any.

    Raises ``ValueError`` when two columns stand for one field.
    """
    is_first = True  # of the rows
    for number, line in enumerate(lines, 1):
        is_comment = line.startswith(("#", ";"))
        text = line.lstrip("#; ") if is_comment else line.strip()
        if not text or text.lower().startswith("sep="):
            continue
        found = _heading_of(text, number)
        if found is not None and (
            _heads_rows(found, lines[number:]) if is_comment else is_first or len(found.heads) > 1
        ):
            return found
        if not is_comment:
            if looks_like_a_value(text):
                return None
            is_first = False
    return None


def _heads_rows(found: Heading, below: Sequence[str]) -> bool:
    """Whether a comment is the heading of the row below it, and not only mentions a word that could be a heading."""
    row = next((line for line in below if line.strip() and not line.startswith("#")), "")
    return len(found.heads) > 1 and len(cells_of(row, found.delimiter)) == len(found.heads)


def _heading_of(text: str, number: int) -> Heading | None:
    for delimiter in DELIMITERS:
        heads = tuple(cell.strip() for cell in cells_of(text, delimiter))
        found = Heading(number, text, delimiter, heads)
        if not any(field in VALUES for field in found.fields) or any(map(looks_like_a_value, heads)):
            continue
        named = [field for field in found.fields if field]
        twice = {field for field in named if field not in VALUES and named.count(field) > 1}
        if twice:
            raise ValueError(f"two columns of the table stand for {min(twice)}; leave one out")
        return found
    return None


def cells_of(text: str, delimiter: str) -> list[str]:
    """The cells of a line; none if it is no row of a table."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:  # the line has a line break inside, or a very large cell
        return []


class Table:
    """Reads the rows below a heading."""

    def __init__(self, found: Heading) -> None:
        self._heading = found
        self._fields = found.fields
        self._is_first = True

    def __call__(self, text: str) -> Iterator[Entry | Wrong]:
        """The entries of a row: one for each value in it."""
        if text.startswith("#"):
            return
        try:
            row = next(csv.reader([text], delimiter=self._heading.delimiter, strict=True), [])
        except csv.Error as error:
            yield Wrong(f"this is not a row of a table: {error}")
            return
        if text.count('"') % 2:
            yield Wrong("a quotation mark is missing, or a cell goes on in another line")
            return
        is_first, self._is_first = self._is_first, False
        if not any(map(str.strip, row)) or text.strip() == self._heading.written:
            return
        if any(map(str.strip, row[len(self._fields) :])):  # a sign between two cells may belong to a value
            yield Wrong("the row has more cells than headings; put a cell with a comma or the like in quotation marks")
            return
        cells = [
            (field, value)
            for field, cell in zip(self._fields, row, strict=False)
            if field and (value := unquoted(cell))
        ]
        values = [each for each in cells if each[0] in VALUES]
        if is_first and values and all(field_of(value) in VALUES for _, value in values):
            return  # a second row of headings, in another language
        if not values:
            yield Wrong("the row has no value")
            return
        fields = dict(cells)
        for field, value in values:
            try:
                yield _entry(fields, field, value)
            except ValueError as error:
                yield Wrong(str(error))


def _entry(fields: dict[str, str], field: str, value: str) -> Entry:
    if field == "value":
        kind = _type_of(fields["type"], value) if "type" in fields else None
    elif field == "number":
        kind = "number-prefix" if value.endswith("*") else "number"
    elif field == "url" and guess_type(value) == "domain":
        kind = "domain"  # an address without a path means the whole domain, with or without http in the text
    else:
        kind = cast(IndicatorType, field)
    confidence = fields["confidence"].removesuffix("%") if "confidence" in fields else None
    if confidence is not None and not (confidence.isascii() and confidence.isdigit()):
        raise IndicatorError("confidence is a whole number from 0 to 100")
    if (revoked := _REVOKED.get(fields.get("revoked", "0").lower())) is None:
        raise IndicatorError(f"revoked is one of {', '.join(_REVOKED)}")
    return Entry(
        value=value,
        type=kind,
        confidence=None if confidence is None else int(confidence[:9]),
        revoked=revoked,
        **{name: fields[name] for name in _TEXTS if name in fields},
    )


def _type_of(written: str, value: str) -> IndicatorType:
    """The type that a table names, also by a word that is a heading of such values: ``URL``, ``电话``."""
    named = field_of(written)
    if named == "number" and value.endswith("*"):
        return "number-prefix"
    return type_named(named if named in VALUES[1:] else written)
