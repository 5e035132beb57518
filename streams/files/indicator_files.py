"""Indicator files: reads lists of indicators as offices really send them: CSV, JSON Lines or one value on each line.

It recognises the form of a file, fills in the fields that a line leaves out, and passes each line to
:func:`models.indicators.indicator.check`. It continues after a bad line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Final, Literal, cast

import msgspec

from models.indicators.indicator import (
    Indicator,
    IndicatorError,
    IndicatorType,
    check,
    guess_type,
    type_named,
)
from streams.files.text_lines import FileError, TextLines

COLUMNS: Final[dict[str, str]] = {
    **dict.fromkeys(("value", "indicator", "值"), "value"),
    **dict.fromkeys(("number", "phone", "tel", "号码", "电话", "电话号码", "手机号", "手机号码"), "number"),
    **dict.fromkeys(("domain", "host", "域名"), "domain"),
    **dict.fromkeys(("url", "link", "网址", "链接"), "url"),
    **dict.fromkeys(("type", "类型"), "type"),
    **dict.fromkeys(("scam_type", "诈骗类型"), "scam_type"),
    **dict.fromkeys(("confidence", "置信度"), "confidence"),
    **dict.fromkeys(("source", "来源"), "source"),
    **dict.fromkeys(("valid_from", "生效时间"), "valid_from"),
    **dict.fromkeys(("valid_until", "失效时间"), "valid_until"),
    **dict.fromkeys(("case", "案件编号"), "case"),
    "revoked": "revoked",
}
"""A table's headings, in lower case, with the fields they stand for; other columns are ignored."""

VALUES: Final = ("value", "number", "domain", "url")

_TEXTS: Final = ("scam_type", "source", "valid_from", "valid_until", "case")
_REVOKED: Final = {"revoked": True, "true": True, "1": True, "false": False, "0": False}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA: Final = re.compile(r'="(.*)"')


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The values of fields that a line leaves out."""

    type: IndicatorType | None = None
    """None: guessed from each value."""
    scam_type: str = "other"
    confidence: int = 80
    source: str = "import"
    valid_from: int = 0
    """Epoch ms; 0: valid at any time, so that earlier contacts count as well."""
    case: str | None = None
    region: str = "CN"
    """The region whose national numbers the file contains."""


@dataclass(frozen=True)
class Refusal:
    """A line that is not an indicator, with the reason."""

    line: int
    reason: str


class _Line(msgspec.Struct, kw_only=True):
    """An indicator record in which every field except the value may be missing."""

    value: str
    type: IndicatorType | None = None
    scam_type: str | None = None
    confidence: int | None = None
    source: str | None = None
    valid_from: int | str | None = None
    valid_until: int | str | None = None
    revoked: bool = False
    case: str | None = None


_line_decoder = msgspec.json.Decoder(_Line)


class IndicatorFile:
    """A list of indicators that is read once, line by line.

    Iteration yields an :class:`Indicator` for each value (checked and normalised) and a :class:`Refusal` for each line
    that is not an indicator. It raises :class:`FileError` when the file is cut off or is not text. ``form`` is the kind
    of list, and ``ignored`` has the headings of the columns that are not read.
    """

    def __init__(self, raw: IO[bytes], defaults: Defaults | None = None) -> None:
        self._defaults = defaults or Defaults()
        self._lines = TextLines(raw)
        self.form: Literal["csv", "jsonl", "list"] = "list"
        self.ignored: tuple[str, ...] = ()
        self._columns: Sequence[str | None] = ()
        self._delimiter = ","
        first = self._lines.first()
        if first.startswith("["):
            raise FileError("this is one JSON array; write one object on each line (JSON Lines) instead")
        if first.startswith("{"):
            self.form = "jsonl"
        else:
            self._recognise_table(first)

    def __iter__(self) -> Iterator[Indicator | Refusal]:
        readers = {"csv": self._table, "jsonl": self._records, "list": self._values}
        for found in readers[self.form]():
            yield from self._undecoded()
            yield found
        yield from self._undecoded()

    def _undecoded(self) -> Iterator[Refusal]:
        for line in self._lines.take_undecoded():
            yield Refusal(line, "this is neither UTF-8 nor GB18030 text")

    def _recognise_table(self, first: str) -> None:
        """Read the file as a table if its first line has a heading that stands for a value.

        Raises :class:`FileError` when two columns stand for one field, or a table has no such heading.
        """
        for delimiter in (",", "\t", ";"):
            try:
                heads = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter), [])]
            except csv.Error:  # the line has a line break inside, or a very large cell
                continue
            columns = [COLUMNS.get(head.lower()) for head in heads]
            if not any(column in VALUES for column in columns):
                continue
            named = [column for column in columns if column]
            twice = {column for column in named if column not in VALUES and named.count(column) > 1}
            if twice:
                raise FileError(f"two columns of the table stand for {min(twice)}; leave one out")
            self.form, self._delimiter, self._columns = "csv", delimiter, columns
            self.ignored = tuple(head for head, column in zip(heads, columns, strict=True) if not column)
            return
        cells = next((first.split(d) for d in (",", "\t", ";") if first.count(d) >= 2), None)
        if cells is not None and "/" not in first:
            raise FileError(f"the table needs headings, one of them for a value: {', '.join(VALUES)}")

    def _table(self) -> Iterator[Indicator | Refusal]:
        next(self._lines)
        for text in self._lines:
            # Each line is parsed by itself. No value has a line break, so a missing quote costs only its own line.
            try:
                row = next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
            except csv.Error as error:
                yield Refusal(self._lines.number, f"this is not a row of a table: {error}")
                continue
            if any(cell.strip() for cell in row):
                yield from self._row(row, self._lines.number)

    def _row(self, row: list[str], line: int) -> Iterator[Indicator | Refusal]:
        cells: list[tuple[str, str]] = [
            (column, text) for column, cell in zip(self._columns, row, strict=False) if column and (text := _text(cell))
        ]
        fields = dict(cells)
        found = False
        for column, value in cells:
            if column in VALUES:
                found = True
                yield self._made(line, fields, column, value)
        if not found:
            yield Refusal(line, "the row has no value")

    def _made(self, line: int, fields: dict[str, str], column: str, value: str) -> Indicator | Refusal:
        try:
            if column == "value":
                kind = type_named(fields["type"]) if "type" in fields else self._defaults.type
            elif column == "number":
                kind = "number-prefix" if value.endswith("*") else "number"
            elif column == "url" and guess_type(value) == "domain":
                kind = "domain"  # an address without a path means the whole domain, with or without http in the text
            else:
                kind = cast(IndicatorType, column)
            confidence = fields["confidence"].removesuffix("%") if "confidence" in fields else None
            if confidence is not None and not (confidence.isascii() and confidence.isdigit()):
                raise IndicatorError("confidence is a whole number from 0 to 100")
            if (revoked := _REVOKED.get(fields.get("revoked", "0").lower())) is None:
                raise IndicatorError(f"revoked is one of {', '.join(_REVOKED)}")
            return self._complete(
                _Line(
                    value=value,
                    type=kind,
                    confidence=None if confidence is None else int(confidence[:9]),
                    revoked=revoked,
                    **{name: fields[name] for name in _TEXTS if name in fields},
                )
            )
        except ValueError as error:
            return Refusal(line, str(error))

    def _records(self) -> Iterator[Indicator | Refusal]:
        for text in self._lines:
            if not text.strip():
                continue
            try:
                yield self._complete(_line_decoder.decode(text))
            except (msgspec.MsgspecError, RecursionError) as error:
                reason = IndicatorError(f"this is not an indicator record: {error}")  # which may quote the line
                yield Refusal(self._lines.number, str(reason))
            except ValueError as error:
                yield Refusal(self._lines.number, str(error))

    def _values(self) -> Iterator[Indicator | Refusal]:
        for text in self._lines:
            # A comment after a value needs a space before its #, because a URL may contain one.
            value = text.partition(" #")[0].strip()
            if not value or value.startswith("#"):
                continue
            try:
                yield self._complete(_Line(value=value))
            except ValueError as error:
                yield Refusal(self._lines.number, str(error))

    def _complete(self, line: _Line) -> Indicator:
        """The checked indicator of a line, with the defaults for missing fields; raises ValueError when it is none."""
        defaults = self._defaults
        return check(
            Indicator(
                type=line.type or defaults.type or guess_type(line.value),
                value=line.value,
                scam_type=defaults.scam_type if line.scam_type is None else line.scam_type,
                confidence=defaults.confidence if line.confidence is None else line.confidence,
                source=defaults.source if line.source is None else line.source,
                valid_from=defaults.valid_from if line.valid_from is None else instant(line.valid_from),
                valid_until=None if line.valid_until is None else instant(line.valid_until),
                revoked=line.revoked,
                case=defaults.case if line.case is None else line.case,
            ),
            defaults.region,
        )


def instant(written: int | str) -> int:
    """Epoch milliseconds of a time as people write it: as milliseconds, or as a date with an optional time.

    A time without an offset is UTC. Raises ``ValueError`` with one sentence.

    >>> instant("2024-11-05"), instant("2024/1/5 08:30"), instant("2024-11-05T08:00:00+08:00"), instant("0")
    (1730764800000, 1704443400000, 1730764800000, 0)
    """
    if isinstance(written, int):
        return written
    text = written.strip()
    if text.isascii() and text.isdigit() and len(text) != 8:  # eight digits are a date, for example 20241105
        return int(text[:20])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        for form in ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S"):
            try:
                at = datetime.strptime(text, form)
                break
            except ValueError:
                continue
        else:
            raise ValueError("a time is written 2024-11-05, 2024-11-05T08:00:00+08:00 or in epoch ms") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _text(cell: str) -> str:
    """The text of a cell, without the marks that keep a spreadsheet from reading it as a number: ``="…"`` or ``'…``."""
    text = cell.strip()
    formula = _FORMULA.fullmatch(text)
    return formula[1].strip() if formula else text.removeprefix("'")
