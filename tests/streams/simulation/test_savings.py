"""What alerts are worth: orders from alerts, the chance that a contact helps, and what it all comes to."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest
from msgspec.structs import replace

from bench.quality.rarity import TRUE_RATE
from bench.quality.savings.assumptions import Assumptions, rows
from bench.quality.savings.chain import Column, figures, names, saved
from bench.quality.savings.findings import find
from bench.quality.savings.played import IN_FORCE, Played, Sent, orders_of
from bench.quality.savings.section import section
from bench.quality.savings.worth import of_a_minute, of_a_point, per_hour, prevented
from models.base.durations import HOUR, MINUTE
from models.capacity.handling import Handled
from models.capacity.orders import Needs, Order
from models.city.acting import Truth
from models.city.chance import BEGIN
from models.detection.alerts import Alert
from models.policy.policy import DispatchRules, Severity
from streams.files import policy_file
from streams.settings import Settings
from streams.simulation.operation import Issued

NOON: Final = BEGIN + 12 * HOUR
NEEDS: Final = Needs(acknowledge=0, call=10 * MINUTE, travel=10 * MINUTE, visit=0, answered=True)


@pytest.fixture(scope="module")
def rules() -> DispatchRules:
    return policy_file.load(Settings().policy_file).dispatch


def alert(
    severity: Severity, minutes: float, status: Any = "raised", episode: str = "e1", who: str = "999001"
) -> Issued:
    """An alert some minutes after noon."""
    at = NOON + int(minutes * MINUTE)
    word = Alert(
        id=f"{episode}-{severity}",
        subscriber=who,
        episode=episode,
        severity=severity,
        stage="medium",
        risk=0.9,
        scam_type="loan",
        status=status,
        reasons=(),
        indicators=(),
        first_seen=NOON,
        at=at,
        policy="p",
        model="m",
    )
    return Issued(word, at)


def victim(paid_after: float | None, who: str = "999001", gang: str = "loan-0-0", **changed: Any) -> Truth:
    """A person whom a gang first contacted at noon, and who was in deep from then on."""
    paid_at = None if paid_after is None else NOON + int(paid_after * MINUTE)
    truth = Truth(who, "loan", "loan", gang, NOON, {"deep": NOON}, paid_at, 10_000 if paid_after is not None else 0)
    return replace(truth, **changed)


def handled(spoke: float | None = None, visited: float | None = None, called: float | None = None) -> Handled:
    """An order of noon, and when officers spoke with the person, were at the door, and dialled, in minutes after it."""
    order = Order(id="o1", station="s", severity="urgent", raised=NOON)
    spoke_at, visited_at, called_at = (
        None if at is None else NOON + int(at * MINUTE) for at in (spoke, visited, called)
    )
    return Handled(order=order, needs=NEEDS, called=called_at, spoke=spoke_at, visited=visited_at)


def sent(number: int, severity: Severity, who: str, minutes: float = 0) -> Sent:
    """An order about a person."""
    return Sent(Order(id=f"o{number}", station="s", severity=severity, raised=NOON + int(minutes * MINUTE)), who)


def small(name: str = "a", known: int = 10) -> Played:
    """A city with one victim who is warned an hour before paying, one who is not, and an order about somebody else."""
    truths = [victim(60), victim(60, who="999002", gang="loan-0-1")]
    orders = {IN_FORCE: [sent(1, "urgent", "999001"), sent(2, "high", "999003")], "0.9": []}
    return Played(name, 20_000, 1, known, truths, orders)


def test_a_more_severe_alert_takes_the_place_of_its_order_and_the_last_withdrawal_calls_it_back() -> None:
    """An order is one of an episode; a reminder is none."""
    issued = [alert("low", 0), alert("high", 1), alert("urgent", 3), alert("urgent", 5, "withdrawn")]
    issued += [alert("high", 6, "withdrawn"), alert("high", 9), alert("high", 2, episode="e2")]
    found = orders_of(issued, {"urgent", "high"}, {"999001": "ps-0101"}, 20_000)

    minutes = [
        (
            each.order.severity,
            (each.order.raised - NOON) / MINUTE,
            each.order.recalled and (each.order.recalled - NOON) / MINUTE,
        )
        for each in found
    ]
    assert minutes == [("high", 1, 3), ("high", 2, None), ("urgent", 3, 6), ("high", 9, None)]


@pytest.mark.parametrize(("people", "stations"), [(20_000, 1), (60_000, 3)])
def test_small_stations_of_the_city_share_a_queue(people: int, stations: int) -> None:
    """As many people to a queue as a station has in life."""
    homes = {f"99900{number}": home for number, home in enumerate(("ps-0101", "ps-0206", "ps-0406"))}
    issued = [alert("high", 0, episode=who, who=who) for who in homes]
    found = orders_of(issued, {"high"}, homes, people)

    assert len({each.order.station for each in found}) == stations


def test_a_call_before_the_payment_saves_with_its_chance_and_a_second_call_adds_nothing() -> None:
    """In deep, 40 of 100 believe it."""
    once, twice = [handled(spoke=10)], [handled(spoke=10), handled(spoke=20)]

    assert saved(victim(60), once, Assumptions()) == pytest.approx(4_000)
    assert saved(victim(60), twice, Assumptions()) == pytest.approx(4_000)
    assert saved(victim(60, stages={"medium": NOON}), once, Assumptions()) == pytest.approx(5_000)
    assert saved(victim(None), once, Assumptions()) == 0.0


def test_call_and_visit_are_chances_of_their_own() -> None:
    """Who is not at home, or does not believe it, may still believe the other."""
    some = Assumptions()
    both = 1 - (1 - some.heeds_deep) * (1 - some.home * some.heeds_visit)

    assert saved(victim(60), [handled(spoke=10, visited=30)], some) == pytest.approx(10_000 * both)


def test_after_the_payment_only_what_is_still_in_the_account_can_be_held() -> None:
    """Half as much after each half-life; a contact of before the fraud does nothing."""
    some = Assumptions()
    at_once, later = (saved(victim(60), [handled(spoke=at)], some) for at in (60, 60 + some.half_life))

    assert at_once == pytest.approx(10_000 * some.heeds_deep * some.frozen * 0.5 ** (some.stop / some.half_life))
    assert later == pytest.approx(at_once / 2)
    assert saved(victim(60), [handled(spoke=-1)], some) == 0.0


def test_a_relative_may_reach_who_does_not_answer() -> None:
    """Ten minutes after the call, with a chance of its own."""
    tried = handled(called=0)

    assert saved(victim(60), [tried], Assumptions()) == pytest.approx(10_000 * 0.3 * 0.4)


def test_figures_have_a_row_for_each_gang_and_each_person_whom_none_tried(rules: DispatchRules) -> None:
    """The loss is everybody's, the hours are those of all orders."""
    found = figures(small(), IN_FORCE, Assumptions(), rules)

    assert names(small()) == ["loan-0-0", "loan-0-1", "+999003"]
    assert found[:, Column.LOST].tolist() == [10_000, 10_000, 0]
    assert found[0, Column.SAVED] > 4_000
    assert found[1:, Column.SAVED].tolist() == [0, 0]
    assert found[:, Column.ORDERS].tolist() == pytest.approx([1, 0, 1])
    assert found[:, Column.WRONG].tolist() == pytest.approx([0, 0, 1])
    assert found[2, Column.HOURS] == pytest.approx(found[2, Column.WRONG_HOURS])
    assert (found[[0, 2], Column.HOURS] > 0.1).all()


def test_shares_and_rates_are_of_sums() -> None:
    """Lost 100, saved 40 and, with a delay, 30; 4 hours and 10 orders, of which 5 wrong ones took 2 hours."""
    sums = np.array([100.0, 40.0, 4.0, 10.0, 5.0, 2.0, 0.0])
    later = np.array([100.0, 30.0, 4.0, 10.0, 5.0, 2.0, 0.0])

    found = [float(each) for each in (prevented(sums), per_hour(sums), of_a_minute(sums, later))]
    assert found == pytest.approx([0.4, 10.0, 0.01])
    fewer = 10 - 5 / 0.51
    assert of_a_point(sums) == pytest.approx(fewer * 2 / 5 / 4)


def test_the_section_says_what_was_found(rules: DispatchRules) -> None:
    """Rare gangs leave the share as it is, and the wrong order weighs more; each assumption has a line."""
    findings = find([small()], {0.2: small("b", known=5), 0.4: small()}, rules)
    lines = list(section(findings))

    often, rare = findings.balances[IN_FORCE]
    assert rare.prevented.value == pytest.approx(often.prevented.value)
    assert rare.lost == pytest.approx(often.lost * TRUE_RATE)
    assert [often.wrong, rare.wrong] == pytest.approx([1 / 2, 1 / (1 + TRUE_RATE)])
    assert rare.per_hour.value < often.per_hour.value
    assert findings.hundred.value == pytest.approx(0)  # as much is prevented with five known numbers as with ten
    assert all(any(row.words in line for line in lines) for row in rows())
    assert not any("nan" in line for line in lines)  # the policy without orders saves nothing by an hour of nobody
