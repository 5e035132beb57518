"""Indicator files: reads lists of indicators as offices really send them, each line an indicator or a refusal.

It recognises the layout of a file (:mod:`streams.files.list_layouts`), fills in the fields that a line leaves out, and
passes each entry to :func:`models.indicators.indicator.check`. It continues after a bad line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from msgspec.structs import replace

from models.indicators.indicator import Indicator, IndicatorType, check, guess_type
from models.indicators.number_ranges import parts
from streams.files.instants import instant
from streams.files.list_entries import Entry, Wrong
from streams.files.list_layouts import HEAD, LayoutError, recognised
from streams.files.tables import has_heading
from streams.files.text_lines import FileError, TextLines

_MOST_WRONG: Final = 1000
"""After so many lines, a file of which none is an indicator is given up."""
_FEW: Final = 20
"""So many refusals are worth reading one by one, even if nothing else is in the file."""


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


class IndicatorFile:
    """A list of indicators that is read once, line by line.

    Iteration yields an :class:`Indicator` for each value (checked and normalised) and a :class:`Refusal` for each line
    that is not an indicator. It raises :class:`FileError` when the file is cut off, is not text, is in an encoding that
    is in doubt (``encoding`` decides), or is no list. ``layout`` says what kind of list it is, and ``left_out`` counts
    what is read and is no indicator, such as exceptions.
    """

    def __init__(self, raw: IO[bytes], defaults: Defaults | None = None, encoding: str | None = None) -> None:
        self._defaults = defaults or Defaults()
        self._lines = TextLines(raw, encoding, self._defaults.region, has_heading)
        head = self._lines.head(HEAD)
        try:
            self.layout = recognised(head, is_whole=len(head) < HEAD)
        except LayoutError as error:
            raise FileError(str(error)) from None
        self._region = self.layout.region or self._defaults.region
        self.left_out: Counter[str] = Counter()

    @property
    def encoding(self) -> str | None:
        """The encoding of the text so far; None if it is all ASCII."""
        return self._lines.encoding

    def __iter__(self) -> Iterator[Indicator | Refusal]:
        """See the class. Refusals at the beginning are held back until the first indicator."""
        refused: list[Refusal] = []
        found = self._found()
        for item in found:
            if isinstance(item, Indicator):
                yield from refused
                yield item
                yield from found
                return
            refused.append(item)
            if len(refused) == _MOST_WRONG:
                break
        if len(refused) > _FEW:
            first = refused[0]
            raise FileError(
                f"none of the first {len(refused):,} lines is an indicator; the file was read as {self.layout.name}, "
                f"and line {first.line} was refused because {first.reason}"
            )
        yield from refused

    def _found(self) -> Iterator[Indicator | Refusal]:
        read, skipped = self.layout.read, self.layout.skipped
        for text in self._lines:
            line = self._lines.number
            yield from self._undecoded()
            if line <= skipped:
                continue
            for item in read(text.rstrip("\r\n")):
                if isinstance(item, Entry):
                    try:
                        yield self._complete(item)
                    except ValueError as error:
                        yield from self._of_range(item, Refusal(line, str(error)))
                elif isinstance(item, Wrong):
                    yield Refusal(line, item.reason)
                else:
                    self.left_out[item.what] += 1
        yield from self._undecoded()

    def _undecoded(self) -> Iterator[Refusal]:
        for line in self._lines.take_undecoded():
            encoding = (self.encoding or "utf-8").upper()
            yield Refusal(line, f"this is not {encoding} text; say with --encoding if it is another")

    def _of_range(self, entry: Entry, refusal: Refusal) -> Iterator[Indicator | Refusal]:
        """The indicators of a range of numbers; the refusal if the entry is none."""
        numbers = parts(entry.value, self._region) if entry.type in (None, "number") else []
        if not numbers:
            yield refusal
        for number in numbers:
            kind: IndicatorType = "number-prefix" if number.endswith("*") else "number"
            try:
                yield self._complete(replace(entry, type=kind, value="+" + number))
            except ValueError as error:
                yield Refusal(refusal.line, str(error))

    def _complete(self, entry: Entry) -> Indicator:
        """The checked indicator of an entry, with the defaults for missing fields; raises ValueError if it is none."""
        defaults = self._defaults
        return check(
            Indicator(
                type=entry.type or defaults.type or guess_type(entry.value),
                value=entry.value,
                scam_type=defaults.scam_type if entry.scam_type is None else entry.scam_type,
                confidence=defaults.confidence if entry.confidence is None else entry.confidence,
                source=defaults.source if entry.source is None else entry.source,
                valid_from=defaults.valid_from if entry.valid_from is None else instant(entry.valid_from),
                valid_until=None if entry.valid_until is None else instant(entry.valid_until),
                revoked=entry.revoked,
                case=defaults.case if entry.case is None else entry.case,
            ),
            self._region,
        )
