"""The overview: what the centre's page shows of all units, from their tallies; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import get_args

from models.cases import Case, Outcome
from models.routing import Tier
from models.tallies import Tally, missed, summed, tallies
from streams.console.presenting import Order, Scene, orders
from streams.console.times import local, midnight

FULL = 100
"""The width of the bar of the unit that has the most."""


@dataclass(frozen=True, slots=True)
class Row:
    """One unit's line; ``urgent_width`` and ``rest_width`` are its bar's, of 100 together at most."""

    unit: str
    name: str
    tier: Tier
    open: int
    urgent: int
    overdue: int
    escalated: int
    opened: int
    closed: int
    acknowledge: str
    reach: str
    outcomes: tuple[tuple[str, int], ...]
    loss: str
    urgent_width: int
    rest_width: int


@dataclass(frozen=True, slots=True)
class Group:
    """A sub-bureau with everything below it, its own desk and its stations."""

    total: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The centre's page."""

    day: str
    city: Row
    centre: Row
    groups: tuple[Group, ...]
    late: Sequence[Order]


def overview(cases: Mapping[str, Case], scene: Scene) -> Overview:
    """The page of all units; orders are listed as far as whoever looks may see them (``scene.mine``)."""
    stations = scene.stations
    own = tallies(cases.values(), scene.now, midnight(scene.now))
    # A unit that has left the tree keeps its cases until somebody else has them: they are the centre's to see.
    city = next(unit for unit in stations.units.values() if unit.tier == "city")
    centre = Tally()
    for name, tally in own.items():
        if name == city.id or name not in stations.units:
            centre += tally
    total = Tally()
    for tally in own.values():
        total += tally
    bureaux = [unit for unit in stations.units.values() if unit.tier == "sub-bureau"]
    sums = {unit.id: summed(own, stations, unit.id) for unit in bureaux}
    most_bureau = max((tally.open for tally in (*sums.values(), centre)), default=0)
    most = max((own[unit].open for unit in own if unit in stations.units), default=0)
    groups = []
    for bureau in bureaux:
        below = [unit for unit in stations.units.values() if unit.parent == bureau.id]
        rows = [_row(bureau.id, own.get(bureau.id, Tally()), most, scene, scene.word("centre.own"))]
        rows += [_row(unit.id, own.get(unit.id, Tally()), most, scene) for unit in below]
        groups.append(Group(_row(bureau.id, sums[bureau.id], most_bureau, scene), tuple(rows)))
    late = [case for case in cases.values() if scene.mine(case) and missed(case, scene.now)]
    return Overview(
        day=local(scene.now).strftime("%Y-%m-%d"),
        city=_row(city.id, total, total.open, scene),
        centre=_row(city.id, centre, most_bureau, scene),
        groups=tuple(groups),
        late=orders(late, scene),
    )


def minutes(spans: Sequence[int], scene: Scene) -> str:
    """The median of some spans in minutes, with one decimal below ten; a dash for none."""
    if not spans:
        return "–"
    middle = median(spans) / 60_000
    return scene.word("centre.minutes", n=f"{middle:.1f}" if middle < 10 else f"{middle:.0f}")


def _row(unit: str, tally: Tally, most: int, scene: Scene, name: str = "") -> Row:
    urgent, all_of_them = (round(FULL * count / most) if most else 0 for count in (tally.urgent, tally.open))
    return Row(
        unit=unit,
        name=name or scene.unit(unit),
        tier=scene.stations.units[unit].tier,
        open=tally.open,
        urgent=tally.urgent,
        overdue=tally.overdue,
        escalated=tally.escalated,
        opened=tally.opened,
        closed=tally.closed,
        acknowledge=minutes(tally.acknowledged_ms, scene),
        reach=minutes(tally.reached_ms, scene),
        outcomes=tuple(
            (scene.word(f"outcome.{outcome}"), tally.outcomes[outcome])
            for outcome in get_args(Outcome)
            if tally.outcomes[outcome]
        ),
        loss=scene.word("centre.yuan", n=f"{tally.loss_cny:,.0f}") if tally.loss_cny else "",
        urgent_width=urgent,
        rest_width=all_of_them - urgent,
    )
