"""Risk: what an analyst may decide about a number or account, step by step, and what becomes of new evidence."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from models.casework.payments import Account
from models.risks.accounts import AccountEvidence
from models.risks.numbers import NumberEvidence
from models.risks.risk import (
    KEPT_DECISIONS,
    NEXT,
    STATES,
    Decision,
    Risk,
    RiskError,
    State,
    decided,
    decode,
    encode,
    found,
    urgency,
)

T0 = 1_760_000_000_000
NUMBER = NumberEvidence(number="8610000000001", people=60, active_days=3, first_seen=T0, last_seen=T0, probability=0.9)
ACCOUNT = AccountEvidence(
    account=Account(masked="****0001", key="0" * 16),
    banks=("Example Bank",),
    levels=(1,),
    cases=2,
    named_cases=("e2", "e1"),
    victims=2,
    payments=2,
    received_cny=5.0,
    first_seen=T0,
    last_seen=T0,
    points=2,
)


def risk(evidence: NumberEvidence | AccountEvidence = NUMBER) -> Risk:
    """A risk that was just found."""
    first = found("a" * 16, evidence, T0, None)
    assert first is not None
    return first


def decision(state: State, at: int = T0 + 1, **more: Any) -> Decision:
    """A decision with all that it needs."""
    needed = {"who": "os:analyst", "case": "A-2026-118", "to": "Example Carrier" if state == "handed-over" else ""}
    return Decision(state=state, at=at, **{**needed, **more})


def test_a_risk_goes_from_the_analyst_to_the_carrier_and_back() -> None:
    """Each decision stays with its case and name, and the record keeps them all."""
    now = risk()
    states: list[State] = ["confirmed", "handed-over", "declined", "handed-over", "acted-on"]
    for minute, state in enumerate(states, 1):
        now = decided(now, decision(state, T0 + minute))

    assert (now.status, now.at, now.found_at) == ("acted-on", T0 + 5, T0)
    assert [each.state for each in now.decisions] == states
    assert {(each.who, each.case) for each in now.decisions} == {("os:analyst", "A-2026-118")}
    assert decode(encode(now)) == now


def test_every_step_that_is_not_foreseen_is_refused_with_those_that_are() -> None:
    """Nobody hands over what nobody has confirmed."""
    for before in STATES:
        for after in STATES:
            here = replace(risk(), status=before)
            if after in NEXT[before]:
                assert decided(here, decision(after)).status == after
            else:
                with pytest.raises(RiskError, match=f"is {before} and cannot become {after}; from {before} it can"):
                    decided(here, decision(after))


def test_every_state_can_be_left_so_that_a_mistake_can_be_mended() -> None:
    assert NEXT.keys() == set(STATES)
    assert all("dismissed" in following for state, following in NEXT.items() if state != "dismissed")


@pytest.mark.parametrize(
    ("state", "wrong", "words"),
    [
        ("confirmed", {"case": ""}, "case is a text of 1 to 200"),
        ("confirmed", {"case": " "}, "case is a text of 1 to 200"),
        ("confirmed", {"who": ""}, "who is a text of 1 to 200"),
        ("handed-over", {"to": ""}, "to is a text of 1 to 200"),
        ("confirmed", {"note": "two\nlines"}, "note is a text of 0 to 200 characters on one line"),
        ("confirmed", {"note": "x" * 201}, "note is a text of 0 to 200"),
        ("confirmed", {"note": "paid to 0000 0000 0000 0001"}, "note seems to contain a whole number"),
    ],
)
def test_a_decision_needs_a_case_a_name_and_for_a_handover_the_receiver(
    state: State, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(RiskError, match=words):
        decision(state, **wrong)


def test_new_evidence_keeps_what_people_decided() -> None:
    """A dismissed number that goes on is not listed as open again."""
    dismissed = decided(risk(), decision("dismissed"))
    more = found(dismissed.id, replace(NUMBER, people=99), T0 + 9, dismissed)

    assert more == replace(dismissed, evidence=replace(NUMBER, people=99), at=T0 + 9)
    assert found(dismissed.id, NUMBER, T0 + 9, dismissed) is None


def test_a_clock_that_is_set_back_does_not_turn_records_back() -> None:
    late = decided(risk(), decision("confirmed", T0 + 9))

    assert decided(late, decision("dismissed", T0 + 3)).at == T0 + 9


def test_the_record_keeps_only_the_newest_decisions() -> None:
    now = risk()
    for turn in range(KEPT_DECISIONS):
        now = decided(decided(now, decision("dismissed", T0 + 2 * turn)), decision("confirmed", T0 + 2 * turn + 1))

    assert len(now.decisions) == KEPT_DECISIONS
    assert all(one.at < other.at for one, other in pairwise(now.decisions))


def test_numbers_stand_before_accounts_the_likeliest_and_those_with_most_points_first() -> None:
    likely, unlikely = risk(), risk(replace(NUMBER, probability=0.6))
    hub, single = risk(ACCOUNT), risk(replace(ACCOUNT, points=1))

    assert sorted([single, hub, unlikely, likely], key=urgency) == [likely, unlikely, hub, single]
    assert [each.type for each in (likely, hub)] == ["number", "account"]
