"""Bulletin: what scams reached an area in a week, in numbers that point at nobody (``docs/bulletin.md``).

`figures` counts people and rounds the counts at once; everything after it sees rounded counts alone. So nothing that
a bulletin says, computes or leaves out tells more than the rounded counts do.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import Struct

from models.casework.reached import Reached
from models.casework.routing import Stations, Tier

LEAST: Final = 8
"""The fewest people that are shown as a number."""
STEP: Final = 5
"""Counts are rounded to the nearest multiple of this.

Both are the rule by which NHS England publishes hospital statistics below the national level (disclosure control
methodology for HES and ECDS, 2018); here it holds for the whole city as well.
"""
MOST_ROWS: Final = 8
"""The most rows of a table, so that a bulletin fits on one page."""
WEEKS: Final = 8
"""How many weeks in a row the bulletin of the last of them looks at."""
MONTH: Final = 4
"""The weeks that count together as a month."""

Span = tuple[int, int]
"""From one moment up to another, the second left out (epoch ms)."""
Period = Literal["week", "month"]
Trend = Literal["more", "fewer", "same", "unknown"]
"""The count now against the count before, both as shown."""


class BulletinError(ValueError):
    """There is nothing that may be shown; one sentence says why and what to do."""


class Figures(Struct, frozen=True):
    """The people of an area in a span of time, as rounded counts; a count below `LEAST` is None, or has no row."""

    people: int | None
    """People with an order or a reminder."""
    ordered: int | None
    talked: int | None
    """People with an order whom an officer reached."""
    reminded: int | None
    """People with a reminder by SMS."""
    harmed: int | None
    """People who had lost money when an officer reached them."""
    types: dict[str, int]
    """By scam type; a person whom two reached counts for each."""
    ages: dict[str, int]
    """By age band, of the people with an order."""
    languages: dict[str, int]
    """By language, of the people with an order."""


class TypeRow(Struct, frozen=True):
    """One scam type in the bulletin's area."""

    scam_type: str
    people: int
    before: int | None
    """In the period before; None: too few, or not known (`Bulletin.compared`)."""
    trend: Trend
    share: int
    """Per cent of the area's people."""
    city_share: int | None
    """Per cent of the city's people; None in the city's own bulletin, or where the city has too few."""
    is_new: bool
    """Whether the weeks before, up to four as far as they are known, had too few to be shown."""
    spreads: bool
    """Whether it has at least half as many people again as in the period before, and ten more."""
    stations: int
    """The stations of the area whose own count is shown; 0 in a station's bulletin."""


class Bulletin(Struct, frozen=True):
    """A bulletin: rounded counts, and no word about any person."""

    asked: str
    """The unit that was asked for."""
    unit: str
    """The unit whose area is shown: the one asked for, or one above it if that has too few people."""
    tier: Tier
    period: Period
    """The week, or the four weeks that end with it."""
    begins: int
    ends: int
    """The period (epoch ms), without its end."""
    compared: bool
    """Whether the period before is known."""
    news_known: bool
    """Whether the weeks before are known, so that something can be new."""
    now: Figures
    before: Figures | None
    types: tuple[TypeRow, ...]
    """The scam types with the most people, at most `MOST_ROWS`."""


def shown(count: int) -> int | None:
    """The number that a bulletin shows for a count of people; None for fewer than `LEAST`.

    >>> [shown(count) for count in (0, 1, 7, 8, 12, 13, 100, 102, 103)]
    [None, None, None, 10, 10, 15, 100, 100, 105]
    """
    return None if count < LEAST else (count + STEP // 2) // STEP * STEP


@dataclass(slots=True)
class _People:
    """The people of one area, to be counted: each is counted once, whatever reached them and how often."""

    all: set[str] = field(default_factory=set)
    ordered: set[str] = field(default_factory=set)
    talked: set[str] = field(default_factory=set)
    reminded: set[str] = field(default_factory=set)
    harmed: set[str] = field(default_factory=set)
    types: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    ages: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)

    def add(self, each: Reached) -> None:
        self.all.add(each.person)
        (self.ordered if each.ordered else self.reminded).add(each.person)
        self.types[each.scam_type].add(each.person)
        if each.talked:
            self.talked.add(each.person)
        if each.harmed:
            self.harmed.add(each.person)
        if each.age_band:
            self.ages[each.person] = each.age_band
        if each.language:
            self.languages[each.person] = each.language

    def rounded(self) -> Figures:
        return Figures(
            people=shown(len(self.all)),
            ordered=shown(len(self.ordered)),
            talked=shown(len(self.talked)),
            reminded=shown(len(self.reminded)),
            harmed=shown(len(self.harmed)),
            types=_rows({scam_type: len(people) for scam_type, people in self.types.items()}),
            ages=_rows(Counter(self.ages.values())),
            languages=_rows(Counter(self.languages.values())),
        )


def _rows(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts that are shown, the most people first; equal ones by name, so that the order tells nothing."""
    rounded = {name: number for name, count in counts.items() if (number := shown(count)) is not None}
    return dict(sorted(rounded.items(), key=lambda row: (-row[1], row[0])))


NOBODY: Final = _People().rounded()


def figures(reached: Iterable[Reached], stations: Stations, begins: int, ends: int) -> dict[str, Figures]:
    """The rounded counts of every unit's area from one moment up to another (epoch ms, the second left out).

    People whose area is not known, or whose unit has left the tree, count for the city alone.
    """
    areas = {unit: _People() for unit in stations.units}
    paths = {unit: stations.path(unit) for unit in stations.units}
    city = (stations.centre,)
    for each in reached:
        if begins <= each.at < ends:
            for unit in paths.get(each.unit, city):
                areas[unit].add(each)
    return {unit: people.rounded() for unit, people in areas.items()}


def bulletin(
    reached: Collection[Reached], stations: Stations, unit: str, edges: Sequence[int], known_from: int
) -> Bulletin:
    """The bulletin of a unit for the last of the weeks between these edges (epoch ms), which are `WEEKS` + 1.

    The area and the time are the smallest that have a scam type to show: the unit's week, its four weeks, the same of
    the unit above, and so on. What was before ``known_from`` (epoch ms) is not known. Raises `BulletinError` when even
    the city has too few people.
    """
    week, month = (edges[-2], edges[-1]), (edges[-1 - MONTH], edges[-1])
    spans: dict[Period, Span] = {"week": week}
    if month[0] >= known_from:
        spans["month"] = month
    counted = {period: figures(reached, stations, *span) for period, span in spans.items()}
    for area, period in itertools.product(stations.path(unit), spans):
        if counted[period][area].types:
            weeks_before = [edge for edge in edges[-2 - MONTH : -2] if edge >= known_from]
            before = (edges[-3], week[0]) if period == "week" else (edges[0], month[0])
            earlier = (min(weeks_before, default=week[0]), week[0]) if period == "week" else before
            return _bulletin(
                (unit, area, period, spans[period]),
                counted[period],
                _counted(reached, stations, before, known_from),
                _counted(reached, stations, earlier, known_from),
                stations,
            )
    raise BulletinError(
        f"fewer than {LEAST} people of the city got an order or a reminder for any one scam type, so nothing can be "
        "shown: choose another week"
    )


def _counted(
    reached: Collection[Reached], stations: Stations, span: Span, known_from: int
) -> dict[str, Figures] | None:
    """The counts of an earlier span; None if it is not known: too long ago, or the city had hardly anybody then."""
    if span[0] < known_from:
        return None
    found = figures(reached, stations, *span)
    return found if found[stations.centre].people else None


def _bulletin(
    what: tuple[str, str, Period, Span],
    counted: Mapping[str, Figures],
    before: Mapping[str, Figures] | None,
    earlier: Mapping[str, Figures] | None,
    stations: Stations,
) -> Bulletin:
    asked, unit, period, span = what
    now, city = counted[unit], counted[stations.centre]
    below = [each.id for each in stations.units.values() if each.tier == "station" and unit in stations.path(each.id)]
    rows = []
    for scam_type, people in [*now.types.items()][:MOST_ROWS]:
        then = None if before is None else before[unit].types.get(scam_type)
        rows.append(
            TypeRow(
                scam_type=scam_type,
                people=people,
                before=then,
                trend="unknown" if before is None else trend(people, then),
                share=_share(people, now.people),
                city_share=None if unit == stations.centre else _city_share(city, scam_type),
                is_new=earlier is not None and scam_type not in earlier[unit].types,
                spreads=before is not None and _spreads(people, then),
                stations=0 if unit in below else sum(scam_type in counted[each].types for each in below),
            )
        )
    return Bulletin(
        asked=asked,
        unit=unit,
        tier=stations.units[unit].tier,
        period=period,
        begins=span[0],
        ends=span[1],
        compared=before is not None,
        news_known=earlier is not None,
        now=now,
        before=None if before is None else before[unit],
        types=tuple(rows),
    )


def trend(now: int | None, before: int | None) -> Trend:
    """The direction from one shown count to another; too few people count as fewer than any number.

    >>> trend(20, 15), trend(10, None), trend(None, 10), trend(None, None)
    ('more', 'more', 'fewer', 'same')
    """
    one, other = now or 0, before or 0
    return "same" if one == other else "more" if one > other else "fewer"


def _spreads(people: int, before: int | None) -> bool:
    """Whether it has grown plainly; a count that was too small to be shown is taken as `STEP`."""
    then = before or STEP
    return people >= 1.5 * then and people >= then + 2 * STEP


def _share(part: int, whole: int | None) -> int:
    """Per cent of the people; both counts are as shown, and rounding leaves the part below the whole."""
    return round(100 * part / whole) if whole else 0


def _city_share(city: Figures, scam_type: str) -> int | None:
    people = city.types.get(scam_type)
    return None if people is None else _share(people, city.people)
