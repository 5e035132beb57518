"""The bulletin: who counts, where and when; what may be shown; and that adding and subtracting leads to nobody."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.optimize import linprog

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.bulletin import LEAST, NOBODY, WEEKS, Bulletin, BulletinError, Figures, bulletin, figures, shown
from models.casework.reached import Reached, of_alert, of_case
from tests.casework import HOME, OFFICE, T0, Desk, alert, feedback

STATIONS: Final = OFFICE.stations
EDGES: Final = tuple(T0 + week * 7 * DAY for week in range(WEEKS + 1))
LAST, BEFORE, OLD = EDGES[-2], EDGES[-3], EDGES[-6]
"""A moment in the last week, in the week before, and in the first of the four weeks before the last."""
HIDDEN: Final = LEAST - 1


def people(count: int, at: int = LAST, unit: str = HOME, scam: str = "loan", **more: Any) -> list[Reached]:
    """That many people whom a scam reached at a moment; each has a name of their own."""
    return [Reached(f"{unit} {scam} {at} {number}", at, unit, scam, **more) for number in range(count)]


def made(*reached: Sequence[Reached], unit: str = HOME, known_from: int = 0) -> Bulletin:
    """The bulletin of a unit for the last week."""
    return bulletin([*itertools.chain(*reached)], STATIONS, unit, EDGES, known_from)


def marks(found: Bulletin) -> dict[str, str]:
    """What the bulletin says of each scam type beside its count."""
    return {each.scam_type: " ".join(("new",) * each.is_new + ("spreads",) * each.spreads) for each in found.types}


# Who counts


def test_a_case_counts_where_its_order_went_first_and_says_what_came_of_it() -> None:
    desk = Desk()
    desk.alert(alert())
    desk.wait(T0 + 2 * MINUTE)
    desk.feedback(feedback("attempt", T0 + 3 * MINUTE, means="call", reached=True))
    desk.feedback(feedback("transferred", T0 + 4 * MINUTE, to="ps-0101"))
    lost: dict[str, Any] = {"loss_cny": 100.0, "loss_checked": True}
    desk.feedback(feedback("outcome", T0 + 5 * MINUTE, unit="ps-0101", outcome="already-harmed", **lost))
    found = of_case(desk.case())

    assert desk.case().unit == "ps-0101"
    assert found == Reached(
        desk.case().subscriber, T0, HOME, "impersonated-authority", True, True, True, age_band="60-69", language="zh"
    )


@pytest.mark.parametrize("outcome", ["false-positive", "duplicate"])
def test_a_case_in_which_no_scam_reached_anybody_does_not_count(outcome: Any) -> None:
    desk = Desk()
    desk.alert(alert())
    desk.end(T0 + MINUTE, outcome, note="It is the case of another number.")

    assert of_case(desk.case()) is None


def test_what_was_withdrawn_or_too_long_ago_does_not_count_until_an_order_is_given() -> None:
    withdrawn, old = Desk(), Desk()
    withdrawn.alert(alert())
    withdrawn.alert(alert(status="withdrawn"))
    old.alert(alert("high", at=T0 - 15 * DAY))
    assert (of_case(withdrawn.case()), of_case(old.case())) == (None, None)

    old.alert(alert("urgent", at=T0 + HOUR), T0 + HOUR)
    found = of_case(old.case())
    assert found is not None
    assert found.at == T0 + HOUR


def test_an_alert_that_called_for_a_reminder_counts_in_the_area_of_its_cell() -> None:
    mild = replace(alert("low", cell="001-01-3-0"), stage="shallow")

    assert of_alert(mild, T0 + 1, STATIONS) == Reached(mild.subscriber, T0 + 1, "ps-0101", "impersonated-authority")
    assert of_alert(replace(mild, cell=""), T0, STATIONS) == Reached(mild.subscriber, T0, "", "impersonated-authority")
    for other in (
        replace(mild, severity="urgent"),
        replace(mild, stage="deep"),
        replace(mild, status="withdrawn"),
        replace(mild, scam_type="suspected"),
    ):
        assert of_alert(other, T0, STATIONS) is None


def test_everybody_counts_once_for_the_area_and_once_for_each_scam_type() -> None:
    twice = [
        *people(20),
        *people(20, ordered=True, talked=True),
        *(each._replace(scam_type="task") for each in people(9)),
    ]
    found = figures(twice, STATIONS, LAST, LAST + 1)[HOME]

    assert (found.people, found.ordered, found.reminded, found.talked) == (20, 20, 20, 20)
    assert found.types == {"loan": 20, "task": 10}


def test_ages_and_languages_are_those_of_people_with_an_order() -> None:
    found = figures([*people(8, ordered=True, age_band="60-69", language="yue"), *people(40)], STATIONS, LAST, LAST + 1)

    assert (found[HOME].ages, found[HOME].languages) == ({"60-69": 10}, {"yue": 10})


def test_people_of_no_known_area_count_for_the_city_alone() -> None:
    found = figures([*people(10, unit=""), *people(10, unit="ps-9999")], STATIONS, LAST, LAST + 1)

    assert found["centre"].people == 20
    assert {unit for unit, each in found.items() if each != NOBODY} == {"centre"}


# What is shown


def test_what_is_before_or_after_the_span_does_not_count() -> None:
    found = figures([*people(20, LAST - 1), *people(10, LAST), *people(30, EDGES[-1])], STATIONS, LAST, EDGES[-1])

    assert found[HOME].people == 10


@pytest.mark.parametrize("few", [1, HIDDEN])
def test_nobody_and_few_people_look_the_same(few: int) -> None:
    """In a station's bulletin there is no difference at all, whatever is compared."""
    rest = [*people(20, unit="ps-0101"), *people(20, BEFORE, unit="ps-0101")]

    for reached in (people(few), people(few, BEFORE), people(few, OLD), people(few, ordered=True, age_band="90+")):
        shifted = [each._replace(unit="ps-0206") for each in reached]
        assert made(rest, reached) == made(rest, shifted)


def test_the_order_of_rows_tells_nothing_that_rounding_hides() -> None:
    found = figures([*people(12, scam="b"), *people(8, scam="a"), *people(13, scam="c")], STATIONS, LAST, LAST + 1)

    assert [*found[HOME].types.items()] == [("c", 15), ("a", 10), ("b", 10)]


@pytest.mark.parametrize(
    ("reached", "unit", "period"),
    [
        ([people(LEAST)], HOME, "week"),
        ([people(4), people(4, EDGES[-5])], HOME, "month"),
        ([people(4), people(4, unit="ps-0201")], "sb-02", "week"),
        ([people(4), people(4, BEFORE, unit="ps-0201")], "sb-02", "month"),
        ([people(4), people(4, unit="ps-0101")], "centre", "week"),
        ([people(4, scam="a"), people(4, scam="b"), people(8, unit="")], "centre", "week"),
    ],
)
def test_a_week_that_is_too_small_becomes_the_smallest_wider_one(
    reached: list[list[Reached]], unit: str, period: str
) -> None:
    found = made(*reached)

    assert (found.asked, found.unit, found.period) == (HOME, unit, period)


def test_four_weeks_that_are_not_known_as_a_whole_are_not_shown() -> None:
    reached = [people(4), people(4, EDGES[-5]), people(8, unit="ps-0201")]

    assert made(*reached, known_from=EDGES[-5]).period == "month"
    assert made(*reached, known_from=EDGES[-5] + 1).unit == "sb-02"


def test_a_city_with_hardly_anybody_has_no_bulletin() -> None:
    with pytest.raises(BulletinError, match="fewer than 8 people of the city"):
        made(people(HIDDEN))


def test_a_scam_type_is_new_if_the_four_weeks_before_had_too_few() -> None:
    base = people(20, BEFORE, scam="old")
    assert marks(made(base, people(12), people(HIDDEN, OLD))) == {"loan": "new"}
    assert marks(made(base, people(12), people(LEAST, OLD))) == {"loan": ""}
    assert marks(made(base, people(12), people(LEAST, OLD - 1))) == {"loan": "new"}


@pytest.mark.parametrize(
    ("before", "now", "spreads"), [(20, 30, "spreads"), (40, 55, ""), (10, 15, ""), (10, 20, "spreads")]
)
def test_a_scam_type_spreads_that_has_grown_by_half_and_by_ten(before: int, now: int, spreads: str) -> None:
    assert marks(made(people(before, BEFORE), people(now))) == {"loan": spreads}


def test_what_is_not_known_is_compared_with_nothing() -> None:
    """Neither before Kafka's oldest alert, nor before the site began."""
    reached = [people(20), people(20, BEFORE)]
    assert made(*reached).types[0].trend == "same"
    assert made(*reached, known_from=BEFORE).compared

    for found in (made(*reached, known_from=BEFORE + 1), made(people(20))):
        assert (found.compared, found.before, found.types[0].before, found.types[0].trend) == (
            False,
            None,
            None,
            "unknown",
        )
        assert marks(found) == {"loan": ""}
        assert not found.news_known


def test_shares_are_of_the_counts_as_shown_beside_those_of_the_city() -> None:
    found = made(people(13), people(28, scam="a"), people(62, unit="ps-0101", scam="a"))

    assert [(each.scam_type, each.share, each.city_share) for each in found.types] == [("a", 75, 86), ("loan", 38, 14)]


def test_a_wider_area_says_in_how_many_stations_a_scam_type_is_shown() -> None:
    reached = [people(10), people(10, unit="ps-0201"), people(HIDDEN, unit="ps-0202"), people(10, unit="ps-0101")]

    assert [made(*reached, unit=unit).types[0].stations for unit in (HOME, "sb-02", "centre")] == [0, 2, 3]


# Subtraction


def bounds(count: int | None) -> tuple[int, int]:
    """What a shown count tells: the least and the most people that it may stand for.

    >>> bounds(shown(9)), bounds(shown(5))
    ((8, 12), (0, 7))
    """
    if count is None:
        return 0, LEAST - 1
    possible = [number for number in range(count - 5, count + 6) if shown(number) == count]
    return possible[0], possible[-1]


@pytest.mark.parametrize("seed", range(6))
def test_no_sum_or_difference_shows_a_group_of_one_to_four_people(seed: int) -> None:
    """Whoever has all bulletins of a week and solves all equations at once never learns that a group is so small.

    The unknowns are areas by scam types. Everybody has one scam type here, which tells a reader the most. There may
    be scam types that no bulletin names.
    """
    chance = random.Random(seed)
    leaves = ("ps-0101", "ps-0102", "sb-01", "ps-0201", "ps-0202", "sb-02", "centre")
    scams = ("a", "b", "c", "not named")
    cells = [*itertools.product(leaves, scams)]
    truth = {cell: chance.choice((0, 0, 1, 2, 3, 4, 7, 8, 12, 13)) * (cell[1] != "not named") for cell in cells}
    told = figures(
        itertools.chain(*(people(count, unit=unit, scam=scam) for (unit, scam), count in truth.items())),
        STATIONS,
        LAST,
        LAST + 1,
    )
    rows: list[list[float]] = []
    most: list[int] = []
    least: list[int] = []
    for unit in ("ps-0101", "ps-0102", "ps-0201", "ps-0202", "sb-01", "sb-02", "centre"):
        for scam in (None, *scams[:3]):
            low, high = bounds(_told(told[unit], scam))
            rows.append([float(unit in STATIONS.path(leaf) and scam in (None, each)) for leaf, each in cells])
            most, least = [*most, high], [*least, low]
    equations = np.array([*rows, *(-np.array(rows))])
    limits = np.array([*most, *(-np.array(least))])
    small = [place for place, cell in enumerate(cells) if 1 <= truth[cell] <= 4]

    def extreme(place: int, sign: int) -> float:
        """The least (1) or the most (-1) people whom all equations allow in one cell."""
        wanted = np.eye(len(cells))[place] * sign
        solved = linprog(wanted, A_ub=equations, b_ub=limits, bounds=(0, None), method="highs")
        assert solved.success
        return float(solved.fun) * sign

    assert small
    for place in small:
        assert extreme(place, 1) < 1 or extreme(place, -1) >= 5, cells[place]


def _told(found: Figures, scam: str | None) -> int | None:
    return found.people if scam is None else found.types.get(scam)
