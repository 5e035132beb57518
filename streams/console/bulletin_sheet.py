"""The sheet of a bulletin: its rounded counts and the playbooks' words as the contents of one page; pure.

The console shows the sheet within a page of its own, and ``forewarn bulletin`` writes it as a file that needs nothing
else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.casework.bulletin import LEAST, MOST_ROWS, Bulletin, Figures, TypeRow
from models.casework.playbooks import Language, Playbook, playbook_for
from models.casework.routing import Stations
from models.detection.wording import scam_name
from streams.console.rendering import STATIC, rendered
from streams.console.words import said, said_or

MOST_ADVICE: Final = 2
"""Scam types whose words for volunteers fit on the page."""
MOST_STORY: Final = 2
"""Sentences of a story that fit on the page."""

Word = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Count:
    """A number of people, and what it was before; empty where that is not known."""

    name: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Row:
    """One scam type; ``share`` is the width of its bar, at most 100."""

    name: str
    marks: tuple[str, ...]
    people: int
    before: str
    arrow: str
    trend: str
    """What the arrow means, for those who do not see it."""
    share: int
    city_share: str
    stations: str


class Group(NamedTuple):
    """An age band or a language; ``width`` is that of its bar, at most 100."""

    name: str
    people: int
    width: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The playbook's words about one scam type, for volunteers."""

    scam: str
    story: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that stands on the page, ready to be shown."""

    unit: str
    period: str
    before_word: str
    wider: str
    """Why it is about more than what was asked for; empty if it is not."""
    headline: tuple[str, ...]
    counts: tuple[Count, ...]
    rows: tuple[Row, ...]
    of_city: bool
    of_station: bool
    least: int
    """The fewest people that are shown as a number."""
    ages: tuple[Group, ...]
    languages: tuple[Group, ...]
    advice: tuple[Advice, ...]
    notes: tuple[str, ...]


def sheet(
    bulletin: Bulletin, stations: Stations, playbooks: Mapping[str, Playbook], zone: ZoneInfo, language: Language
) -> Sheet:
    """The contents of a bulletin's page in one language."""

    def word(key: str, **about: object) -> str:
        return said(f"bulletin.{key}", language, **about)

    def unit(name: str) -> str:
        named = stations.units[name].name
        return named.zh if language == "zh" else named.en

    def scam(scam_type: str) -> str:
        return scam_name(scam_type)[0 if language == "zh" else 1]

    return Sheet(
        unit=unit(bulletin.unit),
        period=_period(bulletin, zone, language),
        before_word=word(f"then.{bulletin.period}"),
        wider=_wider(bulletin, unit, word),
        headline=_headline(bulletin, lambda rows: ("、" if language == "zh" else ", ").join(map(scam, rows)), word),
        counts=tuple(_count(name, bulletin, word) for name in ("people", "ordered", "talked", "reminded", "harmed")),
        rows=tuple(_row(each, bulletin.compared, scam, word) for each in bulletin.types),
        of_city=bulletin.tier == "city",
        of_station=bulletin.tier == "station",
        least=LEAST,
        ages=tuple(sorted(_groups(bulletin.now.ages, lambda age: said("case.age.band", language, band=age)))),
        languages=_groups(bulletin.now.languages, lambda name: said_or(f"speak.{name}", language, name)),
        advice=tuple(_advice(each.scam_type, scam, playbooks, language) for each in _foremost(bulletin)),
        notes=(word("arithmetic", n=LEAST), *(() if bulletin.compared else (word("uncompared"),))),
    )


def standalone(sheet: Sheet, language: Language) -> str:
    """The sheet as one HTML file that loads nothing: for the printer, an e-mail or a notice board."""
    style = (STATIC / "bulletin.css").read_text(encoding="utf-8")
    title = f"{said('bulletin.title', language)} – {sheet.unit}"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"{rendered('bulletin_sheet', language, {'sheet': sheet})}\n</body>\n</html>\n"
    )


def _period(bulletin: Bulletin, zone: ZoneInfo, language: Language) -> str:
    first, end = (
        datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).date() for at in (bulletin.begins, bulletin.ends)
    )
    last = end - timedelta(days=1)
    year, week, _ = last.isocalendar()
    days = {"first": _day(first, language), "last": _day(last, language)}
    return said(f"bulletin.period.{bulletin.period}", language, **days, year=year, week=week)


def _day(day: date, language: Language) -> str:
    month = day.month if language == "zh" else f"{day:%B}"
    return said("bulletin.day", language, month=month, day=day.day)


def _wider(bulletin: Bulletin, unit: Callable[[str], str], word: Word) -> str:
    if bulletin.unit != bulletin.asked:
        return word("wider.unit", asked=unit(bulletin.asked), unit=unit(bulletin.unit))
    return word("wider.month", asked=unit(bulletin.asked)) if bulletin.period == "month" else ""


def _headline(bulletin: Bulletin, listed: Callable[[Sequence[str]], str], word: Word) -> tuple[str, ...]:
    new, spreads = ([each.scam_type for each in rows] for rows in (_new(bulletin), _spreading(bulletin)))
    return (
        word("most", scam=listed([bulletin.types[0].scam_type])),
        *((word("new", scams=listed(new)),) if new else ()),
        *((word("spreads", scams=listed(spreads)),) if spreads else ()),
    )


def _new(bulletin: Bulletin) -> list[TypeRow]:
    return [each for each in bulletin.types if each.is_new]


def _spreading(bulletin: Bulletin) -> list[TypeRow]:
    """What spreads without being new: a new scam type has nothing that it could have grown from."""
    return [each for each in bulletin.types if each.spreads and not each.is_new]


def _foremost(bulletin: Bulletin) -> list[TypeRow]:
    """The scam types that neighbours should hear of: new ones first, then those that spread, then the most common."""
    ordered = {each.scam_type: each for each in (*_new(bulletin), *_spreading(bulletin), *bulletin.types)}
    return [*ordered.values()][:MOST_ADVICE]


def _number(count: int | None, word: Word) -> str:
    return word("few", n=LEAST) if count is None else f"{count:,}"


def _count(name: str, bulletin: Bulletin, word: Word) -> Count:
    def of(figures: Figures) -> str:
        return _number(getattr(figures, name), word)

    before = "" if bulletin.before is None else word(f"before.{bulletin.period}", n=of(bulletin.before))
    return Count(word(name), of(bulletin.now), before)


def _row(each: TypeRow, compared: bool, scam: Callable[[str], str], word: Word) -> Row:
    marks = ("new",) if each.is_new else ("spreads",) if each.spreads else ()
    arrow, _, meaning = word(f"trend.{each.trend}").partition(" ")
    return Row(
        name=scam(each.scam_type),
        marks=tuple(word(f"mark.{mark}") for mark in marks),
        people=each.people,
        before=_number(each.before, word) if compared else "–",
        arrow=arrow,
        trend=meaning,
        share=each.share,
        city_share="–" if each.city_share is None else f"{each.city_share}%",
        stations=str(each.stations or "–"),
    )


def _groups(counts: Mapping[str, int], name: Callable[[str], str]) -> tuple[Group, ...]:
    """The largest groups, at most `MOST_ROWS`."""
    most = max(counts.values(), default=1)
    found = [Group(name(key), count, round(100 * count / most)) for key, count in counts.items()]
    return tuple(found[:MOST_ROWS])


def _advice(
    scam_type: str, scam: Callable[[str], str], playbooks: Mapping[str, Playbook], language: Language
) -> Advice:
    book = playbook_for(playbooks, scam_type)
    story, never = (tuple(text.said(language) for text in texts) for texts in (book.story, book.never))
    return Advice(scam(scam_type), story[:MOST_STORY], never)
