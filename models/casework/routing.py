"""Routing: which station an order goes to, and which units are above it.

A city's police form a tree of three tiers: the centre, its sub-bureaux and their stations. A station's area is a set of
radio cells, so an order goes to the station where the person is now. If the cell has no station, the order goes to the
person's home station; if that is not known either, it goes to a sub-bureau's desk.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.base.yaml_size import check_size

Tier = Literal["city", "sub-bureau", "station"]
TIERS: Final[tuple[Tier, ...]] = ("station", "sub-bureau", "city")
"""The tiers from the lowest to the highest, in the order of an escalation."""

UnitId = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
Label = Annotated[str, Meta(min_length=1, max_length=60)]

MOST_IN_ALL: Final = 1_000_000
"""The most cells of a file; a city of thirty million people has some 200,000."""
MOST_CELLS: Final = 100_000
"""The number of cells that one pattern may stand for."""
_RANGE: Final = re.compile(r"\{([0-9]{1,12})\.\.([0-9]{1,12})(?:\.\.([0-9]{1,6}))?\}")


class RoutingError(ValueError):
    """The tree of stations cannot be used; the message says in one sentence what is wrong and where."""


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a unit in Chinese and in English."""

    zh: Label
    en: Label


class _Station(Struct, frozen=True, forbid_unknown_fields=True):
    id: UnitId
    name: Name
    cells: list[Annotated[str, Meta(min_length=1, max_length=100)]] = []


class _SubBureau(Struct, frozen=True, forbid_unknown_fields=True):
    id: UnitId
    name: Name
    stations: Annotated[list[_Station], Meta(min_length=1)]


class _City(Struct, frozen=True, forbid_unknown_fields=True):
    id: UnitId
    name: Name
    sub_bureaux: Annotated[list[_SubBureau], Meta(min_length=1)]
    desk: UnitId
    """The sub-bureau that gets the orders for people whose location and home are both unknown."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A station, a sub-bureau or the city's centre; ``parent`` is empty for the centre."""

    id: str
    tier: Tier
    parent: str
    name: Name


@dataclass(frozen=True, slots=True)
class Stations:
    """A city's tree of units, and the station of each cell."""

    units: Mapping[str, Unit]
    desk: str
    _cells: Mapping[str, str] = field(repr=False)
    """By cell, or by a prefix of cells followed by an asterisk."""

    def route(self, cell: str, home: str) -> str:
        """The unit for a person's order, from their last cell and their home station; both may be empty."""
        found = self.area(cell)
        if found is not None:
            return found
        return home if home in self.units else self.desk

    def area(self, cell: str) -> str | None:
        """The station of a cell; if several prefixes match, the longest decides. None for a cell without a station."""
        if not cell:
            return None
        if cell in self._cells:
            return self._cells[cell]
        beginnings = (self._cells.get(cell[:length] + "*") for length in range(len(cell), -1, -1))
        return next((station for station in beginnings if station is not None), None)

    def path(self, unit: str) -> tuple[str, ...]:
        """The unit and all above it, up to the city; empty for a unit that is not in the tree."""
        found = []
        while unit in self.units:
            found.append(unit)
            unit = self.units[unit].parent
        return tuple(found)

    def next_above(self, unit: str, known: Collection[str]) -> str | None:
        """The lowest unit above a unit that is not among those that know already; None if all of them do."""
        above = self.path(unit)[1:] if unit in self.units else (self.centre,)
        return next((each for each in above if each not in known), None)

    def tier(self, unit: str) -> Tier:
        """The tier of a unit; that of the centre, which looks after its cases, if it is no longer in the tree."""
        return self.units[unit if unit in self.units else self.centre].tier

    @property
    def centre(self) -> str:
        """The city's centre."""
        return next(each.id for each in self.units.values() if each.tier == "city")

    def above(self, unit: str) -> str | None:
        """The unit above; None for the city's centre, and the centre for a unit that is no longer in the tree."""
        if unit not in self.units:
            return self.centre
        return self.units[unit].parent or None


def parse(content: bytes) -> Stations:
    """Read a tree from YAML; raises `RoutingError` naming what is wrong.

    A cell that ends with ``*`` stands for all cells with that prefix. It may contain a range as in a shell:
    ``460-00-{100..199}-*``, or with a step ``{100..199..3}``.
    """
    try:
        check_size(content)
        city = msgspec.yaml.decode(content, type=_City)
    except msgspec.ValidationError as error:
        raise RoutingError(str(error)) from None
    except Exception as error:  # PyYAML has its own error classes, and msgspec wraps only some
        raise RoutingError(f"It is not YAML: {' '.join(str(error).split())}") from None
    units: dict[str, Unit] = {}
    cells: dict[str, str] = {}
    for unit in _units(city):
        if unit.id in units:
            raise RoutingError(f"the unit {unit.id} is listed twice: give one of them another id.")
        units[unit.id] = unit
    count = 0
    for station in (station for bureau in city.sub_bureaux for station in bureau.stations):
        for cell in (each for pattern in station.cells for each in _expanded(pattern, station.id)):
            count += 1
            if count > MOST_IN_ALL:
                raise RoutingError(f"the stations have more than {MOST_IN_ALL:,} cells in all: write shorter prefixes.")
            other = cells.setdefault(cell, station.id)
            if other != station.id:
                raise RoutingError(f"the cells {cell} are given to both {other} and {station.id}: take them from one.")
    if city.desk not in units or units[city.desk].tier != "sub-bureau":
        raise RoutingError(f"desk must be one of the sub-bureaux, and {city.desk} is not one.")
    return Stations(units, city.desk, cells)


def _units(city: _City) -> Iterator[Unit]:
    yield Unit(city.id, "city", "", city.name)
    for bureau in city.sub_bureaux:
        yield Unit(bureau.id, "sub-bureau", city.id, bureau.name)
        for station in bureau.stations:
            yield Unit(station.id, "station", bureau.id, station.name)


def _expanded(pattern: str, station: str) -> Iterator[str]:
    """All cells that a pattern stands for.

    >>> list(_expanded("001-01-{8..12..2}-*", "ps-0101"))
    ['001-01-8-*', '001-01-10-*', '001-01-12-*']
    """
    found = _RANGE.search(pattern)
    rest = pattern if found is None else pattern[: found.start()] + pattern[found.end() :]
    if set("{}") & set(rest) or "*" in rest[:-1]:
        raise RoutingError(
            f"the cell {pattern} of {station} has more than one range {{…}} or an asterisk before its end."
        )
    if found is None:
        yield pattern
        return
    first, last, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if last < first or not step or (last - first) // step >= MOST_CELLS:
        raise RoutingError(f"the range of the cell {pattern} of {station} is empty or longer than {MOST_CELLS:,}.")
    for number in range(first, last + 1, step):
        yield f"{pattern[: found.start()]}{number}{pattern[found.end() :]}"
