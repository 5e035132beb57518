"""Risky accounts: stop-payments of several cases, joined by account."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from models.casework.cases import Case, Outcome
from models.casework.payment_steps import Accepted, AskedAgain, Failed, Frozen, opened
from models.casework.payments import StopPayment
from models.risks.accounts import NAMED_BANKS, NAMED_CASES, AccountEvidence, accounts, defrauded
from tests.casework import ANN, Desk, alert
from tests.models.casework.test_payments import LOSS, account, at, key, played, request, traced

BO = "8610000000002"


def a_case(name: str, *payments: StopPayment, subscriber: str = ANN, outcome: Outcome | None = None) -> Case:
    """A case with these payments."""
    desk = Desk()
    case = desk.alert(alert(episode=name, subscriber=subscriber))
    assert case is not None
    return replace(case, payments=payments, outcome=outcome)


def of(number: int, cases: Sequence[Case]) -> AccountEvidence:
    """The evidence about one made-up account."""
    (found,) = [each for each in accounts(cases) if each.account == account(number)]
    return found


def test_a_trail_gives_every_account_its_level_and_what_went_on() -> None:
    """The victim's own account is none of them."""
    trail = played(
        traced(2, 1, 2, 600_000, 20), traced(3, 2, 3, 500_000, 25), Frozen(account=key(3), frozen_cny=9, at=at(30))
    )
    found = {each.account.masked: each for each in accounts([a_case("e1", trail)])}

    assert {name: (each.levels, each.passed_on, each.fastest_min) for name, each in found.items()} == {
        "****0001": ((1,), 1, 20.0),
        "****0002": ((2,), 1, 25.0),
        "****0003": ((3,), 0, None),
    }
    last = found["****0003"]
    assert (last.received_cny, last.frozen_cny, last.banks, last.first_seen, last.last_seen) == (
        *(500_000, 9, ("Other Bank",)),
        *(at(25), at(30)),
    )


def test_an_account_in_two_cases_is_a_hub_at_whatever_levels_it_was_seen() -> None:
    """Two payments of one case are one case."""
    direct = a_case("e1", opened(request()), opened(request(id="p-0002")))
    assert not of(1, [direct]).is_hub

    behind = a_case("e2", played(traced(1, 7, 2, 5), payment=opened(request(payee=account(7)))), subscriber=BO)
    hub = of(1, [direct, behind])

    assert (hub.is_hub, hub.cases, hub.victims, hub.payments, hub.levels) == (True, 2, 2, 3, (1, 2))
    assert hub.received_cny == 2 * LOSS + 5


@pytest.mark.parametrize(("outcome", "counts"), [("false-positive", 0), ("duplicate", 0), ("dissuaded", 1), (None, 1)])
def test_payments_of_a_case_that_was_a_mistake_say_nothing(outcome: Outcome | None, counts: int) -> None:
    """And those of a duplicate stand in another case."""
    assert len(accounts([a_case("e1", opened(request()), outcome=outcome)])) == counts


@pytest.mark.parametrize(("minutes", "points"), [(30, 3), (30.1, 2)])
def test_money_that_went_on_within_half_an_hour_gives_a_point(minutes: float, points: int) -> None:
    assert of(1, [a_case("e1", played(traced(2, 1, 2, 5, minutes)))]).points == points


def test_money_of_an_unknown_time_of_payment_went_on_but_nobody_knows_how_fast() -> None:
    payment = played(traced(2, 1, 2, 5), payment=opened(request(paid_at=None)))
    found = of(1, [a_case("e1", payment)])

    assert (found.passed_on, found.fastest_min, found.points) == (1, None, 2)


def test_an_account_whose_stop_failed_and_was_asked_for_again_is_still_one_account() -> None:
    again = (Failed(account=key(1), reason="closed", at=at(9)), AskedAgain(account=key(1), at=at(12)))
    found = of(1, [a_case("e1", played(*again, Accepted(account=key(1), at=at(13))))])

    assert (found.payments, found.first_seen, found.last_seen) == (1, at(12), at(13))


def test_the_most_points_come_first_and_only_the_newest_cases_and_banks_are_named() -> None:
    """A hub may be in a thousand cases, and a record has a limit."""
    many = [
        a_case(f"e{index:02}", opened(request(at=at(8 + index), bank=f"Bank {index}", payee=account(5))))
        for index in range(30)
    ]
    first, *others = accounts([a_case("x", opened(request())), *many])

    assert (first.account, first.cases, len(others)) == (account(5), 30, 1)
    assert first.named_cases == tuple(f"e{29 - index:02}" for index in range(NAMED_CASES))
    assert first.banks == tuple(f"Bank {29 - index}" for index in range(NAMED_BANKS))


def test_those_whom_officers_found_being_defrauded_are_known_by_outcome_or_payment() -> None:
    cases = [
        a_case("a", subscriber="8610000000011", outcome="dissuaded"),
        a_case("b", subscriber="8610000000012", outcome="unreachable"),
        a_case("c", opened(request()), subscriber="8610000000013"),
        a_case("d", opened(request()), subscriber="8610000000014", outcome="false-positive"),
        a_case("e", subscriber="8610000000015"),
    ]

    assert defrauded(cases) == {"8610000000011", "8610000000013"}
