"""Cases: from an alert to an outcome, with every step that can come between."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.cases import (
    LARGEST_HISTORY,
    LARGEST_PAYMENTS,
    MOST_ACCOUNTS,
    OVER,
    Case,
    FeedbackError,
    Missed,
    PaymentAsked,
    encode,
    frozen_cny,
    who_has,
)
from models.casework.deadlines import Office
from models.casework.joining import sends
from models.casework.payment_steps import Accepted, Frozen
from models.casework.payment_totals import totals
from models.casework.payments import Account
from models.casework.proof import is_reached
from models.casework.reporting import POSSIBLE
from models.casework.routing import parse as parse_stations
from models.casework.snapshots import decode
from models.policy.policy import SEVERITIES
from tests.casework import ANN, HOME, OFFICE, ROOT, T0, Desk, alert, feedback, steps
from tests.models.casework.test_payments import account, traced

HIGH = OFFICE.deadlines("high")
BO = "8610000000002"


def opened(severity: Any = "urgent") -> Desk:
    """A desk with one case, opened at `T0`."""
    desk = Desk()
    desk.alert(alert(severity))
    return desk


def test_an_alert_opens_a_case_with_the_deadlines_of_its_severity() -> None:
    case = opened().case()

    assert (case.case, case.subscriber, case.status, case.unit, case.tier) == ("e1", ANN, "open", HOME, "station")
    assert case.acknowledge_by == T0 + 2 * MINUTE
    assert case.call_by == T0 + 5 * MINUTE
    assert case.visit_by == T0 + 30 * MINUTE
    assert case.person.age_band == "60-69"


def test_the_order_goes_to_where_the_person_is_now() -> None:
    desk = Desk()
    desk.alert(alert(cell="001-01-30-2"))

    assert desk.case().unit == "ps-0102"


def test_who_was_merely_touched_gets_no_officer() -> None:
    assert opened("low").board.cases == {}


def test_medium_asks_for_no_visit() -> None:
    assert opened("medium").case().visit_by is None


def test_deadlines_that_nobody_meets_send_the_order_up_to_the_city() -> None:
    desk = opened()
    desk.wait(T0 + 2 * MINUTE - 1)
    assert desk.case().unit == HOME

    desk.wait(T0 + 2 * MINUTE)
    case = desk.case()
    assert (case.unit, case.above, case.tier, case.had) == (HOME, ("sb-02",), "sub-bureau", ())
    assert desk.case().acknowledge_by == T0 + 4 * MINUTE

    desk.wait(T0 + 4 * MINUTE)
    assert (desk.case().unit, desk.case().above, desk.case().tier) == (HOME, ("sb-02", "centre"), "city")

    desk.wait(T0 + DAY)
    assert steps(desk.case()) == ["opened", "escalated", "escalated", "overdue", "overdue", "overdue"]
    assert [entry.deadline for entry in desk.case().history[3:]] == ["call", "acknowledge", "visit"]
    assert [entry.unit for entry in desk.case().history[1:3]] == [HOME, "sb-02"]
    assert desk.case().due is None
    assert desk.case().missed == (
        Missed("call", T0 + 5 * MINUTE),
        Missed("acknowledge", T0 + 2 * MINUTE),
        Missed("visit", T0 + 30 * MINUTE),
    )


def test_an_order_that_is_acknowledged_but_not_called_goes_up_and_has_to_be_called_from_there() -> None:
    desk = opened()
    desk.feedback(feedback("acknowledged", T0 + MINUTE))
    desk.wait(T0 + 5 * MINUTE)

    assert (desk.case().unit, desk.case().above, desk.case().status) == (HOME, ("sb-02",), "open")
    assert desk.case().call_by == T0 + 10 * MINUTE
    assert desk.case().missed == (Missed("call", T0 + 5 * MINUTE),)


def test_the_station_that_comes_late_still_has_its_case() -> None:
    desk = opened()
    desk.wait(T0 + 2 * MINUTE)
    desk.feedback(feedback("acknowledged", T0 + 3 * MINUTE))

    case = desk.case()
    assert (case.unit, case.above, case.status, case.missed) == (HOME, ("sb-02",), "acknowledged", ())
    assert desk.wait(T0 + 5 * MINUTE - 1) == []


def test_an_attempt_that_reaches_the_person_leaves_no_deadline_but_an_urgent_visit() -> None:
    for severity, visit in (("high", None), ("urgent", T0 + 30 * MINUTE)):
        desk = opened(severity)
        desk.talk(T0 + MINUTE)
        assert (desk.case().status, desk.case().due) == ("in-progress", visit)

    desk.feedback(feedback("attempt", T0 + 9 * MINUTE, means="visit", reached=True))
    assert desk.case().due is None


def test_an_attempt_in_vain_leaves_the_next_call_due_so_that_nobody_is_forgotten() -> None:
    desk = opened("medium")
    desk.feedback(feedback("attempt", T0 + HOUR, means="call", reached=False))
    assert desk.case().call_by == T0 + 25 * HOUR

    desk.talk(T0 + 2 * HOUR)
    desk.feedback(feedback("attempt", T0 + 3 * HOUR, means="sms", reached=False))
    assert desk.case().due is None


def test_a_call_that_is_not_answered_leaves_the_visit() -> None:
    desk = opened()
    desk.feedback(feedback("attempt", T0 + MINUTE, means="call", reached=False))

    assert (desk.case().call_by, desk.case().visit_by) == (None, T0 + 30 * MINUTE)


def test_an_sms_is_no_call() -> None:
    desk = opened()
    desk.feedback(feedback("attempt", T0 + MINUTE, means="sms", reached=False))

    assert desk.case().call_by == T0 + 5 * MINUTE


def test_an_outcome_closes_the_case_and_a_second_one_corrects_it() -> None:
    desk = opened()
    desk.end(T0 + MINUTE)
    assert (desk.case().status, desk.case().due) == ("closed", None)

    harmed = feedback("outcome", T0 + HOUR, outcome="already-harmed", loss_cny=5000.0, loss_checked=True)
    desk.feedback(harmed)
    assert (desk.case().outcome, desk.case().loss_cny) == ("already-harmed", 5000.0)


def test_whoever_acknowledged_or_tried_last_has_the_case_until_it_is_ordered_anew_or_passed_on() -> None:
    desk = opened("high")
    assert who_has(desk.case()) == ""

    desk.feedback(feedback("acknowledged", T0 + MINUTE))
    desk.wait(T0 + HOUR)  # the sub-bureau has the case as well
    assert (desk.case().above, who_has(desk.case())) == (("sb-02",), "000042")
    desk.feedback(feedback("transferred", T0 + 2 * HOUR, to="ps-0101"))
    assert who_has(desk.case()) == ""


def test_the_same_button_pressed_twice_is_one_entry() -> None:
    desk = opened()
    desk.feedback(feedback("acknowledged", T0 + MINUTE, id="f1"))

    assert desk.feedback(feedback("acknowledged", T0 + MINUTE, id="f1")) is None
    assert steps(desk.case()) == ["opened", "acknowledged"]


def test_a_more_severe_alert_raises_the_case_and_has_to_be_acknowledged_again() -> None:
    desk = opened("high")
    desk.feedback(feedback("acknowledged", T0 + MINUTE))
    desk.feedback(feedback("attempt", T0 + 2 * MINUTE, means="call", reached=True))
    desk.alert(alert("urgent", why="gave a code"), T0 + 3 * MINUTE)

    case = desk.case()
    assert (case.severity, case.status, case.reasons[0].en) == ("urgent", "open", "gave a code")
    assert case.acknowledge_by == T0 + 5 * MINUTE
    assert case.call_by == T0 + 8 * MINUTE


def test_a_raised_case_never_has_a_later_deadline_than_before() -> None:
    desk = opened("high")
    desk.alert(alert("urgent"), T0 + 59 * MINUTE)

    assert desk.case().call_by == T0 + 60 * MINUTE


def test_another_episode_of_a_person_with_an_open_case_joins_it() -> None:
    desk = opened()
    desk.alert(alert("high", episode="e2"), T0 + MINUTE)

    assert list(desk.board.cases) == ["e1"]
    assert desk.case().episodes == ("e1", "e2")
    assert steps(desk.case()) == ["opened", "joined"]


def test_after_the_end_another_episode_is_another_case() -> None:
    desk = opened()
    desk.end(T0 + MINUTE)
    desk.alert(alert("high", episode="e2", at=T0 + HOUR), T0 + HOUR)

    assert [case.status for case in desk.board.cases.values()] == ["closed", "open"]


def test_a_closed_case_has_heard_the_same_alert_under_another_id() -> None:
    """A worker that decides again without the first contact names the episode after another one."""
    desk = opened()
    desk.end(T0 + MINUTE)

    assert desk.alert(alert("urgent", episode="e2"), T0 + DAY) is None
    assert desk.alert(alert("high", episode="e2", at=T0 - HOUR), T0 + DAY) is None
    assert [case.status for case in desk.board.cases.values()] == ["closed"]


def test_a_more_severe_alert_is_news_to_a_closed_case_however_late_it_comes() -> None:
    desk = opened("medium")
    desk.end(T0 + MINUTE)
    desk.alert(alert("high", episode="e2", at=T0 - HOUR), T0 + DAY)

    assert [case.status for case in desk.board.cases.values()] == ["closed", "open"]


def test_a_withdrawn_alert_is_no_reason_to_ignore_another_one_of_its_time() -> None:
    desk = opened()
    desk.end(T0 + MINUTE)
    desk.alert(alert("urgent", "withdrawn"), T0 + HOUR)
    desk.alert(alert("urgent", episode="e2"), T0 + DAY)

    assert [case.status for case in desk.board.cases.values()] == ["closed", "open"]


def test_a_repeated_alert_changes_nothing() -> None:
    desk = opened()

    assert desk.alert(alert(), T0 + MINUTE) is None


def test_an_alert_that_is_said_anew_with_other_reasons_shows_those_and_runs_no_other_deadline() -> None:
    desk = opened()
    before = desk.case()
    desk.alert(alert(why="talked for 20 minutes"), T0 + MINUTE)

    assert desk.case().reasons[0].en == "talked for 20 minutes"
    assert desk.case().due == before.due
    assert desk.case().history == before.history


def test_the_last_alert_withdrawn_calls_the_order_back() -> None:
    desk = opened()
    desk.alert(alert(status="withdrawn"), T0 + MINUTE)

    assert desk.case().status == "withdrawn"
    assert desk.wait(T0 + DAY) == []


def test_an_alert_withdrawn_beside_a_lesser_one_lowers_the_case_and_puts_its_deadlines_off() -> None:
    desk = opened()
    desk.alert(alert("high"), T0 + MINUTE)
    desk.alert(alert("urgent", status="withdrawn"), T0 + MINUTE)

    assert desk.case().severity == "high"
    assert desk.case().acknowledge_by == T0 + 15 * MINUTE
    assert desk.case().call_by == T0 + HOUR


def test_a_low_alert_alone_keeps_no_order() -> None:
    desk = opened()
    desk.alert(alert("low"), T0)
    desk.alert(alert("urgent", status="withdrawn"), T0 + MINUTE)

    assert desk.case().status == "withdrawn"


def test_what_was_called_back_is_open_again_when_its_alert_is_raised_again() -> None:
    desk = opened()
    desk.alert(alert(status="withdrawn"), T0 + MINUTE)
    desk.alert(alert(at=T0 + 2 * MINUTE), T0 + 2 * MINUTE)

    assert (desk.case().status, desk.case().acknowledge_by) == ("open", T0 + 4 * MINUTE)


def test_a_closed_case_is_reopened_by_a_more_severe_alert_of_its_episode_and_by_no_other() -> None:
    desk = opened("high")
    desk.end(T0 + MINUTE)
    desk.alert(alert("medium"), T0 + 2 * MINUTE)
    assert desk.case().status == "closed"

    desk.alert(alert("urgent"), T0 + 3 * MINUTE)
    assert (desk.case().status, desk.case().outcome, desk.case().severity) == ("open", None, "urgent")


LONG_AGO = OFFICE.rules.oldest_ms + 1
"""How long after its event time (ms) an alert sends nobody any more."""


def test_what_was_long_ago_sends_nobody_and_is_kept_as_history() -> None:
    desk = Desk()
    desk.alert(alert("urgent"), T0 + LONG_AGO)
    case = desk.case()

    assert (case.status, case.outcome, case.due) == ("closed", None, None)
    assert [(entry.kind, entry.severity) for entry in case.history] == [("too-old", "urgent")]
    assert list(desk.board.due(T0 + LONG_AGO + DAY)) == []

    desk = Desk()
    desk.alert(alert("urgent"), T0 + LONG_AGO - 1)
    assert desk.case().status == "open"


def test_a_newer_alert_makes_an_order_of_what_was_only_history() -> None:
    """Nobody has judged that case, so it needs no more severe alert."""
    desk = Desk()
    desk.alert(alert("high"), T0 + LONG_AGO)
    desk.alert(alert("medium", at=T0 + LONG_AGO), T0 + LONG_AGO + MINUTE)
    case = desk.case()

    assert (case.status, case.severity, steps(case)) == ("open", "medium", ["too-old", "reopened"])
    assert case.acknowledge_by is not None


def test_what_was_long_ago_changes_no_order_of_an_open_case() -> None:
    desk = Desk()
    desk.alert(alert("medium", at=T0 + LONG_AGO), T0 + LONG_AGO)
    before = desk.case()
    desk.alert(alert("urgent", episode="e0"), T0 + LONG_AGO + MINUTE)

    assert (desk.case().severity, desk.case().due) == ("medium", before.due)
    assert steps(desk.case()) == ["opened", "too-old"]


def test_a_case_that_is_returned_goes_up_and_one_that_is_transferred_across() -> None:
    desk = opened()
    desk.feedback(feedback("returned", T0 + MINUTE))
    assert (desk.case().unit, desk.case().acknowledge_by) == ("sb-02", T0 + 3 * MINUTE)

    desk.feedback(feedback("transferred", T0 + 2 * MINUTE, unit="sb-02", to="ps-0401"))
    assert (desk.case().unit, desk.case().tier, desk.case().had) == ("ps-0401", "station", (HOME, "sb-02"))


def test_a_snooze_expires_and_its_deadlines_begin_anew() -> None:
    desk = opened("high")
    desk.feedback(feedback("snoozed", T0 + MINUTE, until=T0 + 10 * HOUR))
    assert (desk.case().status, desk.case().due) == ("snoozed", T0 + 10 * HOUR)

    desk.wait(T0 + 10 * HOUR)
    assert (desk.case().status, desk.case().acknowledge_by) == ("open", T0 + 10 * HOUR + 15 * MINUTE)


def test_a_new_alert_wakes_what_was_put_off() -> None:
    desk = opened("high")
    desk.feedback(feedback("snoozed", T0 + MINUTE, until=T0 + 10 * HOUR))
    desk.alert(alert("high", episode="e2"), T0 + HOUR)

    assert (desk.case().status, desk.case().snoozed_until) == ("open", None)
    assert desk.case().acknowledge_by == T0 + HOUR + 15 * MINUTE


def test_a_case_that_is_over_is_forgotten_after_its_time() -> None:
    desk = opened()
    desk.end(T0 + MINUTE)

    assert desk.wait(T0 + MINUTE + 90 * DAY - 1) == []
    assert list(desk.board.due(T0 + MINUTE + 90 * DAY)) == [("e1", None)]
    assert desk.board.cases == {}


def test_an_edited_policy_keeps_cases_for_longer_from_then_on() -> None:
    desk = opened()
    desk.end(T0)
    desk.board.office = Office(msgspec.structs.replace(OFFICE.rules, kept_days=100), OFFICE.stations)

    assert desk.wait(T0 + 99 * DAY) == []
    assert desk.wait(T0 + 100 * DAY) == [None]


def test_a_severity_that_an_edit_has_left_without_deadlines_keeps_its_open_cases_moving() -> None:
    desk = opened("medium")
    rules = msgspec.structs.replace(OFFICE.rules, deadlines={"urgent": OFFICE.deadlines("urgent"), "high": HIGH})
    desk.board.office = Office(rules, OFFICE.stations)
    desk.wait(T0 + 4 * HOUR)

    assert (desk.case().above, desk.case().acknowledge_by) == (("sb-02",), T0 + 4 * HOUR + 15 * MINUTE)


def test_the_centre_looks_after_the_cases_of_a_station_that_is_closed_down() -> None:
    desk = opened()
    desk.feedback(feedback("attempt", T0 + MINUTE, means="call", reached=True))
    tree = (ROOT / "stations.yaml").read_text(encoding="utf-8")
    begin = tree.index("      - id: ps-0205")
    smaller = tree[:begin] + tree[tree.index("      - id: ps-0206") :]
    desk.board.office = Office(OFFICE.rules, parse_stations(smaller.encode()))
    desk.feedback(feedback("outcome", T0 + HOUR, unit="centre", outcome="dissuaded"))

    assert (desk.case().status, desk.case().unit, desk.case().tier) == ("closed", "centre", "city")


def test_what_is_said_to_have_been_done_in_the_future_was_done_now() -> None:
    desk = opened()
    desk.feedback(feedback("acknowledged", T0 + DAY), at=T0 + MINUTE)

    assert desk.case().history[-1].at == T0 + MINUTE


@pytest.mark.parametrize(
    ("told", "reason", "hint"),
    [
        (feedback("acknowledged", T0, case="e9"), "unknown-case", "no such case"),
        (feedback("acknowledged", T0, unit="ps-9999"), "unknown-unit", "file of stations"),
        (feedback("acknowledged", T0, unit="ps-0401"), "another-units-case", "never belonged"),
        (feedback("attempt", T0, means="call"), "incomplete", "reached"),
        (feedback("attempt", T0, reached=True), "incomplete", "means"),
        (feedback("outcome", T0), "incomplete", "outcome"),
        (feedback("outcome", T0, outcome="already-harmed"), "incomplete", "loss_cny"),
        (feedback("transferred", T0, to="ps-9999"), "unknown-unit", "transfer"),
        (feedback("snoozed", T0 + MINUTE, until=T0 + HOUR), "not-possible", "urgent"),
        (feedback("note", T0), "incomplete", "note"),
        (feedback("returned", T0, unit="centre"), "", ""),
    ],
)
def test_wrong_feedback_says_what_would_be_right_and_changes_nothing(told: Any, reason: str, hint: str) -> None:
    desk = opened()
    before = desk.case()
    if not reason:  # the centre may return a station's case to the sub-bureau
        assert desk.feedback(told) is not None
        return

    with pytest.raises(FeedbackError, match=hint) as raised:
        desk.feedback(told)

    assert raised.value.reason == reason
    assert desk.case() == before


def test_there_is_nobody_above_the_centre() -> None:
    desk = opened()
    desk.feedback(feedback("transferred", T0 + MINUTE, to="centre"))

    with pytest.raises(FeedbackError, match="The centre has no unit above it"):
        desk.feedback(feedback("returned", T0 + 5 * MINUTE, unit="centre"))


def test_a_snooze_is_bounded() -> None:
    desk = opened("high")

    with pytest.raises(FeedbackError, match="24 hours"):
        desk.feedback(feedback("snoozed", T0 + MINUTE, until=T0 + 2 * DAY))


def test_what_is_not_possible_names_what_is() -> None:
    desk = opened()
    desk.end(T0)

    with pytest.raises(FeedbackError, match="closed takes attempt, outcome, note"):
        desk.feedback(feedback("acknowledged", T0 + MINUTE))


def test_a_long_history_keeps_its_newest_entries() -> None:
    desk = opened()
    for number in range(250):
        desk.feedback(feedback("note", T0 + number, id=f"n{number}", note="called again"))

    assert len(desk.case().history) == 200
    assert desk.case().history[-1].id == "n249"


def test_no_officers_notes_make_a_case_larger_than_a_record_of_kafka() -> None:
    """Two hundred notes of control characters took 1.2 MB, and the dispatcher ended at them again after each start."""
    board = opened().board
    for number in range(200):
        board.feedback(feedback("note", T0 + number, id=f"n{number}", note="\x01" * 1000), T0 + number)

    assert len(encode(board.cases["e1"])) < LARGEST_HISTORY + 10_000
    assert board.cases["e1"].history[-1].id == "n199"


def test_no_accounts_make_a_case_larger_than_a_record_of_kafka() -> None:
    """A payment could be traced to any number of accounts, each with a masked number of any length."""
    board = stopping().board

    def report(number: int, **more: Any) -> None:
        told = msgspec.structs.replace(traced(number, 1, 2, 10), **more)
        board.feedback(feedback("payment-step", T0 + HOUR, id=f"t{number}", payment="p1", step=told), T0 + HOUR)

    with pytest.raises(FeedbackError, match="short names"):
        report(2, account=Account(masked="*" * LARGEST_PAYMENTS + "0002", key=account(2).key))
    for number in range(2, MOST_ACCOUNTS + 1):
        report(number)
    with pytest.raises(FeedbackError, match="at most 30 payments and 300 accounts"):
        report(MOST_ACCOUNTS + 1)
    assert len(encode(board.cases["e1"])) < LARGEST_PAYMENTS


def asked(**more: Any) -> PaymentAsked:
    """A payment of a million, made a minute after the alert."""
    fields = {"victim": account(9999), "payee": account(1), "bank": "Example Bank", "amount_cny": 1_000_000}
    return PaymentAsked(**{**fields, "paid_at": T0 + MINUTE, **more})


def stopping() -> Desk:
    """A desk with one case, in which a payment is being stopped."""
    desk = opened()
    desk.feedback(feedback("stop-payment", T0 + 9 * MINUTE, id="p1", asked=asked()))
    return desk


def step(desk: Desk, minutes: int, told: Any, unit: str = "centre") -> Case | None:
    """Report a step for an account of the payment."""
    return desk.feedback(feedback("payment-step", T0 + minutes * MINUTE, unit=unit, payment="p1", step=told))


def test_a_payment_is_followed_from_card_to_card_also_after_the_case_is_closed() -> None:
    desk = stopping()
    step(desk, 11, traced(2, 1, 2, 600_000))
    step(desk, 12, traced(3, 1, 2, 400_000))
    desk.end(T0 + 13 * MINUTE, "already-harmed", loss_cny=1_000_000)
    step(desk, 20, Frozen(account=account(2).key, frozen_cny=550_000, at=T0 + 20 * MINUTE))
    step(desk, 30, Frozen(account=account(3).key, frozen_cny=387_700, at=T0 + 30 * MINUTE))

    (payment,) = desk.case().payments
    assert payment.request.minutes_since_payment == 8
    assert (frozen_cny(desk.case()), totals(payment).cards) == (937_700, 2)
    assert steps(desk.case())[-2:] == ["payment-step", "payment-step"]
    assert desk.case().status == "closed"
    assert decode(encode(desk.case())) == desk.case()


def test_a_request_that_comes_twice_is_one() -> None:
    desk = stopping()

    assert desk.feedback(feedback("stop-payment", T0 + 9 * MINUTE, id="p1", asked=asked())) is None


@pytest.mark.parametrize(
    ("told", "reason", "hint"),
    [
        (feedback("stop-payment", T0), "incomplete", "asked"),
        (feedback("stop-payment", T0, asked=asked(amount_cny=-1)), "wrong-payment", "amount_cny"),
        (feedback("payment-step", T0, payment="p1"), "incomplete", "step"),
        (
            feedback("payment-step", T0, payment="p2", step=Accepted(account=account(1).key, at=T0 + 9 * MINUTE)),
            "unknown-payment",
            "it has p1",
        ),
        (
            feedback("payment-step", T0, payment="p1", step=Accepted(account=account(7).key, at=T0 + 9 * MINUTE)),
            "wrong-payment",
            "trace it first",
        ),
    ],
)
def test_what_cannot_be_of_a_payment_changes_nothing(told: Any, reason: str, hint: str) -> None:
    desk = stopping()
    before = desk.case()

    with pytest.raises(FeedbackError, match=hint) as raised:
        desk.feedback(told)

    assert raised.value.reason == reason
    assert desk.case() == before


DOABLE = [kind for kind in POSSIBLE["open"] if "payment" not in kind]
UNITS = st.sampled_from([HOME, "sb-02", "centre", "ps-0101", "nowhere"])
DOINGS = st.one_of(
    st.tuples(
        st.just("alert"),
        st.sampled_from(SEVERITIES),
        st.sampled_from(["raised", "raised", "withdrawn"]),
        st.sampled_from(["e1", "e2"]),
    ),
    st.tuples(
        st.just("feedback"),
        st.sampled_from(DOABLE),
        UNITS,
        st.sampled_from(["e1", "e2"]),
    ),
    st.tuples(st.just("wait"), st.integers(1, 40 * 60), st.none(), st.none()),
)


def follow(desk: Desk, doings: list[Any]) -> None:
    """Perform the actions one after another, a second apart."""
    now = T0
    for number, (kind, one, two, three) in enumerate(doings):
        now += 1000
        if kind == "wait":
            now += one * MINUTE
            desk.wait(now)
        elif kind == "alert":
            desk.alert(alert(one, two, episode=three, at=now), now)
        else:
            more = {"means": "call", "reached": number % 2 == 0} if one == "attempt" else {}
            more |= {"to": "ps-0101"} if one == "transferred" else {"until": now + HOUR} if one == "snoozed" else {}
            ended = ("refused", "dissuaded", "unreachable")[number % 3]
            more |= {"outcome": ended} if one == "outcome" else {"note": "x"} if one == "note" else {}
            with suppress(FeedbackError):
                desk.feedback(feedback(one, now, id=f"f{number}", unit=two, case=three, **more))
    desk.wait(now)


@settings(max_examples=100)
@given(doings=st.lists(DOINGS, max_size=25))
def test_whatever_happens_no_warning_is_without_somebody_who_has_it(doings: list[Any]) -> None:
    """Every raised alert that sends an officer has an open case, or a case that an officer has closed since."""
    desk = Desk()
    stands: dict[str, Any] = {}
    follow(desk, doings)
    now = T0
    for kind, one, two, three in doings:
        now += 1000 + (one * MINUTE if kind == "wait" else 0)
        if kind == "alert":
            stands[f"{three} {one}"] = alert(one, two, episode=three, at=now)
    open_cases = [case for case in desk.board.cases.values() if case.status not in OVER]
    closed = [case for case in desk.board.cases.values() if case.status == "closed"]

    assert len(open_cases) <= 1
    for told in stands.values():
        if sends(OFFICE, told):
            assert any(told.id in {each.id for each in case.alerts} for case in (*open_cases, *closed))
    for case in open_cases:
        assert case.status != "open" or case.acknowledge_by is not None or "overdue" in steps(case)
        assert case.severity in {each.severity for each in case.alerts if each.status == "raised"}


@settings(max_examples=100)
@given(doings=st.lists(DOINGS, max_size=25))
def test_nobody_whom_no_officer_has_reached_sinks_out_of_sight(doings: list[Any]) -> None:
    """Something is due or overdue, and the nearest station has the case unless somebody passed it on."""
    desk = Desk()
    follow(desk, doings)
    for case in desk.said:
        if case.status in OVER:
            continue
        assert is_reached(case) or case.due is not None or case.missed
        assert case.unit == HOME or {"returned", "transferred"} & {*steps(case)}
        assert case.above == tuple(unit for unit in OFFICE.stations.path(case.unit)[1:] if unit in case.above)


@settings(max_examples=100)
@given(doings=st.lists(DOINGS, max_size=25), rest=st.lists(DOINGS, max_size=5))
def test_a_board_that_is_made_anew_from_the_newest_snapshots_goes_on_as_the_first(
    doings: list[Any], rest: list[Any]
) -> None:
    first, second = Desk(), Desk()
    follow(first, doings)
    newest: dict[str, bytes] = {case.case: encode(case) for case in first.said}
    for value in newest.values():
        second.board.put(decode(value))
    for desk in (first, second):
        follow(desk, [(kind, one, two, three) for kind, one, two, three in rest])

    assert second.board.cases == first.board.cases


@settings(max_examples=100)
@given(doings=st.lists(DOINGS, max_size=25))
def test_deadlines_are_handled_when_they_are_due(doings: list[Any]) -> None:
    desk = Desk()
    follow(desk, doings)
    said: list[Case] = desk.said

    assert all(case.due is None or case.due > case.at or case.status in OVER for case in said)


def test_a_purge_forgets_the_cases_of_one_person_that_are_over() -> None:
    desk = opened()
    desk.end(T0 + MINUTE)
    desk.alert(alert(episode="e2", subscriber=BO))

    assert desk.board.purge(ANN, T0 + 1, open_too=False) == ["e1"]
    assert desk.board.cases.keys() == {"e2"}
    assert desk.board.purge(ANN, T0 + 1, open_too=True) == []


def test_an_open_case_is_purged_only_if_that_was_said() -> None:
    """Somebody may be on the way to the person."""
    desk = opened()

    assert desk.board.purge(ANN, T0 + 1, open_too=False) == []
    assert desk.board.purge(ANN, T0 + 1, open_too=True) == ["e1"]
    assert [*desk.board.due(T0 + DAY)] == []


def test_a_case_with_an_alert_about_the_numbers_new_holder_stays() -> None:
    desk = opened()
    desk.alert(alert("high", at=T0 + DAY), T0 + DAY)

    assert desk.board.purge(ANN, T0 + DAY, open_too=True) == []
    assert desk.case().subscriber == ANN
