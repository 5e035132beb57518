"""Proof: what counts as reaching a person, and what has to be proved before a case is closed."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.cases import RULE, Case, Feedback, FeedbackError, Outcome, PaymentAsked
from models.casework.deadlines import Office
from models.casework.proof import REACHED, is_reached
from models.casework.reporting import EARLY
from tests.casework import HOME, OFFICE, T0, Desk, alert, feedback, steps
from tests.models.casework.test_payments import account


def opened(severity: Any = "urgent") -> Desk:
    """A desk with one case, opened at `T0`."""
    desk = Desk()
    desk.alert(alert(severity))
    return desk


def attempt(minutes: int, means: Any = "call", **more: Any) -> Feedback:
    """An attempt this many minutes after the order; in vain unless something else is said."""
    return feedback("attempt", T0 + minutes * MINUTE, means=means, **{"reached": False} | more)


def outcome(minutes: int, ended: Outcome, **more: Any) -> Feedback:
    """An outcome this many minutes after the order."""
    return feedback("outcome", T0 + minutes * MINUTE, outcome=ended, **more)


def refused(desk: Desk, told: Feedback) -> str:
    """The reason for which this is refused; it must change nothing."""
    before = desk.case()
    with pytest.raises(FeedbackError) as raised:
        desk.feedback(told)
    assert desk.case() == before
    return raised.value.reason


@pytest.mark.parametrize(
    ("means", "said", "reason"),
    [
        ("sms", {"reached": True, "answered": "person"}, "sms-reaches-nobody"),
        ("sms", {"reached": False, "answered": "relative"}, "sms-reaches-nobody"),
        ("call", {"reached": True, "answered": None}, "who-answered"),
        ("call", {"reached": True, "answered": "relative"}, "who-answered"),
        ("visit", {"reached": True, "answered": "other"}, "who-answered"),
        ("call", {"reached": False, "answered": "person"}, "who-answered"),
    ],
)
def test_only_the_person_on_the_phone_or_at_the_door_is_reached(means: Any, said: Any, reason: str) -> None:
    assert refused(opened(), attempt(1, means, **said)) == reason


@pytest.mark.parametrize("answered", ["relative", "other", None])
def test_who_else_answers_is_recorded_and_reaches_nobody(answered: Any) -> None:
    desk = opened("high")
    desk.feedback(attempt(1, answered=answered))

    assert desk.case().history[-1].answered == answered
    assert (is_reached(desk.case()), desk.case().visit_by) == (False, T0 + DAY)


def test_an_sms_ends_no_deadline_but_that_to_acknowledge() -> None:
    desk = opened()
    desk.feedback(attempt(1, "sms"))

    assert (desk.case().acknowledge_by, desk.case().call_by) == (None, T0 + 5 * MINUTE)
    assert desk.case().visit_by == T0 + 30 * MINUTE


@pytest.mark.parametrize("ended", sorted(REACHED))
def test_an_outcome_that_only_the_person_can_have_shown_needs_to_have_reached_them(ended: Outcome) -> None:
    lost = {"loss_cny": 0.0} if ended == "already-harmed" else {}
    desk = opened()
    desk.feedback(attempt(1, answered="relative"))
    desk.feedback(attempt(2, "visit", answered="other"))
    assert refused(desk, outcome(3, ended, **lost)) == "not-reached"

    desk.talk(T0 + 4 * MINUTE)
    desk.feedback(outcome(5, ended, **lost))
    assert desk.case().outcome == ended


def test_every_outcome_takes_proof_of_some_kind() -> None:
    """Two presses must not close the case of somebody who is being defrauded now."""
    reasons = {each: refused(opened(), outcome(1, each, loss_cny=0.0)) for each in get_args(Outcome)}

    assert {reason for ended, reason in reasons.items() if ended in REACHED} == {"not-reached"}
    assert {ended: reason for ended, reason in reasons.items() if ended not in REACHED} == {
        "unreachable": "too-few-attempts",
        "wrong-person": "nobody-answered",
        "duplicate": "no-other-case",
    }


def test_a_stranger_who_answers_shows_that_the_number_is_another_persons() -> None:
    desk = opened()
    desk.feedback(attempt(1, answered="other"))
    desk.feedback(outcome(2, "wrong-person"))

    assert desk.case().status == "closed"


def test_a_duplicate_names_the_other_case() -> None:
    desk = opened()
    assert refused(desk, outcome(1, "duplicate", note=" ")) == "no-other-case"

    desk.feedback(outcome(2, "duplicate", note="e2"))
    assert desk.case().status == "closed"


def test_what_was_proved_of_an_earlier_order_proves_nothing_of_a_more_severe_one() -> None:
    desk = opened("high")
    desk.talk(T0 + MINUTE)
    desk.alert(alert("urgent"), T0 + 2 * MINUTE)

    assert refused(desk, outcome(3, "dissuaded")) == "not-reached"


def in_vain(severity: Any, *means: Any) -> Desk:
    """A desk with attempts in vain by these means, a minute after one another."""
    desk = opened(severity)
    for minutes, each in enumerate(means, 1):
        desk.feedback(attempt(minutes, each))
    return desk


@pytest.mark.parametrize(
    ("severity", "means", "reason"),
    [
        ("high", ("call", "visit"), "too-few-attempts"),
        ("high", ("call", "call", "sms"), "too-few-attempts"),
        ("urgent", ("call", "call", "call"), "no-visit"),
        ("high", ("call", "call", "call"), None),
        ("urgent", ("call", "call", "visit"), None),
    ],
)
def test_unreachable_takes_as_many_attempts_as_the_policy_says_and_a_visit_if_urgent(
    severity: Any, means: Any, reason: str | None
) -> None:
    desk = in_vain(severity, *means)
    if reason is not None:
        assert refused(desk, outcome(9, "unreachable")) == reason
        return

    desk.feedback(outcome(9, "unreachable"))
    assert desk.case().history[-1].kind == "escalated"


def test_the_policy_says_how_many_attempts() -> None:
    desk = in_vain("high", "call")
    desk.board.office = Office(msgspec.structs.replace(OFFICE.rules, unreachable_attempts=1), OFFICE.stations)
    desk.feedback(outcome(9, "unreachable"))

    assert steps(desk.case())[-2:] == ["outcome", "escalated"]


def test_who_was_reached_is_not_unreachable() -> None:
    desk = in_vain("high", "call", "call", "call")
    desk.talk(T0 + 5 * MINUTE)

    assert refused(desk, outcome(9, "unreachable")) == "was-reached"


def test_unreachable_goes_up_a_tier_and_only_the_centre_gives_up() -> None:
    desk = in_vain("high", "call", "visit", "call")
    for unit, above in ((HOME, ("sb-02",)), ("sb-02", ("sb-02", "centre"))):
        desk.feedback(outcome(9, "unreachable", unit=unit))
        case = desk.case()
        assert (case.status, case.outcome, case.unit, case.above) == ("open", None, HOME, above)
        assert case.acknowledge_by == T0 + (9 + 15) * MINUTE
    assert case.call_by is not None

    desk.feedback(outcome(10, "unreachable"))  # the station again: all tiers have the case by now
    assert desk.case().status == "open"
    desk.feedback(outcome(11, "unreachable", unit="centre"))
    assert (desk.case().status, desk.case().outcome) == ("closed", "unreachable")


def test_who_was_dissuaded_is_called_again_after_a_day_and_a_week() -> None:
    desk = opened()
    desk.end(T0)
    assert desk.case().follow_ups == (T0 + DAY, T0 + 7 * DAY)

    desk.talk(T0 + DAY - EARLY - 1)  # too soon to say whether they still are
    assert len(desk.case().follow_ups) == 2
    desk.feedback(feedback("attempt", T0 + DAY, means="call", reached=False))
    assert len(desk.case().follow_ups) == 2
    desk.talk(T0 + DAY - EARLY)
    assert (desk.case().status, desk.case().follow_ups) == ("closed", (T0 + 7 * DAY,))
    desk.talk(T0 + 9 * DAY)
    assert desk.case().follow_ups == ()


def test_an_outcome_that_is_corrected_keeps_or_ends_the_follow_up() -> None:
    desk = opened()
    desk.end(T0)
    desk.feedback(outcome(60, "dissuaded", note="She has told her son."))
    assert desk.case().follow_ups == (T0 + DAY, T0 + 7 * DAY)

    desk.feedback(outcome(90, "refused"))
    assert desk.case().follow_ups == ()


def test_a_new_order_ends_the_follow_up_of_the_old_one() -> None:
    desk = opened("high")
    desk.end(T0)
    desk.alert(alert("urgent", at=T0 + HOUR), T0 + HOUR)

    assert (desk.case().status, desk.case().follow_ups) == ("open", ())


def paid(minutes: int, **more: Any) -> Feedback:
    """A request to stop a payment of 50,000 yuan."""
    asked: dict[str, Any] = {"victim": account(9999), "payee": account(1), "bank": "Example Bank"}
    asked |= {"amount_cny": 50_000, "paid_at": T0} | more
    return feedback("stop-payment", T0 + minutes * MINUTE, asked=PaymentAsked(**asked))


@pytest.mark.parametrize(
    ("ended", "loss", "differs"),
    [("already-harmed", 50_000.0, False), ("already-harmed", 5_000.0, True), ("dissuaded", None, True)],
)
def test_a_loss_is_what_the_stop_payments_add_up_to_or_was_checked(ended: Outcome, loss: Any, differs: bool) -> None:
    desk = opened()
    desk.feedback(paid(1))
    desk.feedback(paid(2, paid_at=None, amount_cny=10_000))  # not paid yet, so nothing is lost by it
    desk.talk(T0 + 3 * MINUTE)
    if differs:
        assert refused(desk, outcome(4, ended, loss_cny=loss)) == "loss-differs"

    desk.feedback(outcome(5, ended, loss_cny=loss, loss_checked=differs))
    assert desk.case().outcome == ended


def test_feedback_without_a_rule_counts_only_for_an_order_of_before() -> None:
    """It was written before anybody had to say who answered, and keeps the meaning that it had."""
    told = [attempt(1, "sms", reached=True, answered=None, rule=1), outcome(2, "dissuaded", rule=1)]
    desk = opened()
    assert [refused(desk, each) for each in told] == ["old-rule"] * 2

    desk.board.put(msgspec.structs.replace(desk.case(), rule=1))
    for each in told:
        desk.feedback(each)
    assert (desk.case().status, desk.case().due) == ("closed", None)
    assert RULE == 2


def test_an_order_of_before_takes_proof_from_who_knows_the_rule() -> None:
    desk = opened()
    desk.board.put(msgspec.structs.replace(desk.case(), rule=1))
    assert refused(desk, outcome(1, "dissuaded")) == "not-reached"

    desk.feedback(attempt(1, "call", reached=True, answered=None, rule=1))
    case: Case | None = desk.feedback(outcome(2, "dissuaded"))
    assert case is not None
    assert case.status == "closed"
