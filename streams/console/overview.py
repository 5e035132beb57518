"""The overview: turns the figures of all units into the contents of the centre's page; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, get_args

from models.base.durations import MINUTE
from models.casework.cases import Outcome
from models.casework.tallies import CaseCounts, Tally, summed, tallies
from streams.console.presenting import Order, Scene, orders
from streams.console.times import local, midnight

FULL: Final = 100
"""The width of the longest bar."""


@dataclass(frozen=True, slots=True)
class Row:
    """One unit's line; ``urgent_width`` and ``rest_width`` are the parts of its bar, together at most 100."""

    unit: str
    name: str
    open: int
    urgent: int
    overdue: int
    opened: int
    escalated: int
    acknowledge: str
    reach: str
    closed: int
    outcomes: tuple[tuple[str, int], ...]
    loss: str
    urgent_width: int
    rest_width: int


@dataclass(frozen=True, slots=True)
class Group:
    """A sub-bureau with its own desk and its stations."""

    total: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The centre's page: the city, the centre's own desk, the sub-bureaux, and the orders that are late."""

    day: str
    city: Row
    centre: Row
    groups: tuple[Group, ...]
    late: Sequence[Order]


def overview(accounts: Collection[CaseCounts], scene: Scene) -> Overview:
    """The page of all units; it lists only late orders that the user may read (``scene.mine``)."""
    stations, now = scene.stations, scene.now
    tree = stations.units.values()
    centre = next(unit.id for unit in tree if unit.tier == "city")
    own = {unit: Tally() for unit in stations.units}
    for unit, tally in tallies(accounts, now, midnight(now)).items():
        own[unit if unit in own else centre] += tally  # the centre looks after a unit that has left the tree
    bureaux = {unit.id: summed(own, stations, unit.id) for unit in tree if unit.tier == "sub-bureau"}
    most = max(each.open for each in own.values())
    most_summed = max(each.open for each in (own[centre], *bureaux.values()))
    groups = []
    for bureau, total in bureaux.items():
        rows = [_row(bureau, own[bureau], most, scene, scene.word("centre.own"))]
        rows += [_row(unit.id, own[unit.id], most, scene) for unit in tree if unit.parent == bureau]
        groups.append(Group(_row(bureau, total, most_summed, scene), tuple(rows)))
    city = summed(own, stations, centre)
    late = [each.case for each in accounts if each.late_from <= now and scene.mine(each.case)]
    return Overview(
        day=local(scene.now).strftime("%Y-%m-%d"),
        city=_row(centre, city, city.open, scene),
        centre=_row(centre, own[centre], most_summed, scene),
        groups=tuple(groups),
        late=orders(late, scene),
    )


def _minutes(spans: Sequence[int], scene: Scene) -> str:
    """The median in minutes, with one decimal below ten; a dash if there are no times."""
    if not spans:
        return "–"
    middle = median(spans) / MINUTE
    return scene.word("centre.minutes", n=f"{middle:.1f}" if middle < 10 else f"{middle:.0f}")


def _row(unit: str, its: Tally, most: int, scene: Scene, name: str = "") -> Row:
    urgent, all_of_them = (round(FULL * count / most) if most else 0 for count in (its.urgent, its.open))
    return Row(
        unit=unit,
        name=name or scene.unit(unit),
        open=its.open,
        urgent=its.urgent,
        overdue=its.overdue,
        opened=its.opened,
        escalated=its.escalated,
        acknowledge=_minutes(its.acknowledged_ms, scene),
        reach=_minutes(its.reached_ms, scene),
        closed=its.closed,
        outcomes=tuple(
            (scene.word(f"outcome.{outcome}"), its.outcomes[outcome])
            for outcome in get_args(Outcome)
            if its.outcomes[outcome]
        ),
        loss=scene.word("centre.yuan", n=f"{its.loss_cny:,.0f}") if its.loss_cny else "",
        urgent_width=urgent,
        rest_width=all_of_them - urgent,
    )
