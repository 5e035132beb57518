"""Stop-payments: money is followed from card to card, impossible steps are refused, and the saved money is counted."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import MINUTE
from models.casework import payments
from models.casework.payment_steps import NEXT, Accepted, AskedAgain, Failed, Frozen, Step, Traced, after, opened
from models.casework.payment_totals import totals
from models.casework.payments import Account, PaymentError, Request, Status, Stop, StopPayment, fen, mask, normalised

ELEVEN = 1_760_000_400_000
"""When the victim paid."""
LOSS = 1_000_000


def account(number: int) -> Account:
    """A made-up account: its masked form, and a stand-in for its keyed hash."""
    return Account(masked=f"****{number:04}", key=f"{number:016x}")


def key(number: int) -> str:
    """The key of such an account."""
    return account(number).key


def at(minutes: float) -> int:
    """A moment so many minutes after the payment."""
    return ELEVEN + round(minutes * MINUTE)


def request(**fields: Any) -> Request:
    """A request of the victim (account 9999), who paid a million to account 1 eight minutes ago."""
    return Request(
        **{
            "id": "p-0001",
            "case": "case-0001",
            "officer": "000042",
            "unit": "ps-0101",
            "at": at(8),
            "victim": account(9999),
            "payee": account(1),
            "bank": "Example Bank",
            "amount_cny": LOSS,
            "paid_at": ELEVEN,
            **fields,
        }
    )


def traced(number: int, parent: int, level: int, received: float, minutes: float = 9) -> Traced:
    """Money that moved from one account to another."""
    return Traced(
        account=account(number),
        parent=key(parent),
        level=level,
        bank="Other Bank",
        received_cny=received,
        at=at(minutes),
    )


def played(*steps: Step, payment: StopPayment | None = None) -> StopPayment:
    """A stop-payment after these steps."""
    payment = payment or opened(request())
    for step in steps:
        payment = after(payment, step)
    return payment


def brought_to(status: Status) -> StopPayment:
    """A stop-payment whose first stop has this status."""
    steps: dict[Status, tuple[Step, ...]] = {
        "requested": (),
        "accepted": (Accepted(account=key(1), at=at(9)),),
        "frozen": (Frozen(account=key(1), frozen_cny=5, at=at(9)),),
        "failed": (Failed(account=key(1), reason="no such account", at=at(9)),),
    }
    return played(*steps[status])


STEPS: dict[Status, Step] = {
    "requested": AskedAgain(account=key(1), at=at(10)),
    "accepted": Accepted(account=key(1), at=at(10)),
    "frozen": Frozen(account=key(1), frozen_cny=7, at=at(10)),
    "failed": Failed(account=key(1), reason="closed", at=at(10)),
}


def test_a_request_begins_with_the_payee_and_says_how_urgent_it_is() -> None:
    payment = opened(request())
    (stop,) = payment.stops

    assert (stop.account, stop.level, stop.parent, stop.status) == (account(1), 1, None, "requested")
    assert (stop.received_cny, stop.at) == (LOSS, at(8))
    assert payment.request.minutes_since_payment == 8
    assert request(paid_at=None).minutes_since_payment is None


def test_the_published_case_is_told_as_it_was() -> None:
    """A million paid at 11:00, over five cards in ten minutes; 937,700 frozen on twelve of levels 3 to 6 by 12:29."""
    payment = played(*(traced(number, 1, 2, 200_000, minutes=number) for number in range(2, 7)))
    payment = played(Failed(account=key(1), reason="the account is empty", at=at(10)), payment=payment)
    # Each second-level card passed the money on to two cards, two of which passed it on twice more.
    payment = played(
        *(traced(10 + number, 2 + number // 2, 3, 100_000, minutes=12) for number in range(10)),
        *(traced(20 + number, 10 + number, 4, 90_000, minutes=20) for number in range(3)),
        *(traced(30 + number, 20 + number, 5, 80_000, minutes=30) for number in range(2)),
        traced(40, 30, 6, 70_000, minutes=40),
        payment=payment,
    )
    amounts = {
        **dict.fromkeys(range(13, 20), 100_000),  # level 3: seven cards
        **{22: 90_000, 21: 10_000},  # level 4: two
        **{31: 64_000, 30: 10_000},  # level 5: two
        40: 63_700,  # level 6: one
    }
    for place, (number, amount) in enumerate(amounts.items()):
        payment = played(
            Accepted(account=key(number), at=at(45)),
            Frozen(account=key(number), frozen_cny=amount, at=at(45 + 4 * place)),
            payment=payment,
        )
    all_in_all = totals(payment)

    assert (all_in_all.loss_cny, all_in_all.frozen_cny, all_in_all.cards) == (1_000_000, 937_700, 12)
    assert all_in_all.share == pytest.approx(0.9377)
    assert (all_in_all.first_frozen_min, all_in_all.last_frozen_min) == (45, 89)
    assert [(level.level, level.accounts, level.cards, level.frozen_cny) for level in all_in_all.levels] == [
        (1, 1, 0, 0),
        (2, 5, 0, 0),
        (3, 10, 7, 700_000),
        (4, 3, 2, 100_000),
        (5, 2, 2, 74_000),
        (6, 1, 1, 63_700),
    ]
    assert all_in_all.levels[1].received_cny == LOSS


@pytest.mark.parametrize("before", NEXT)
@pytest.mark.parametrize("become", NEXT)
def test_a_stop_becomes_what_it_can_and_else_says_what_it_can_become(before: Status, become: Status) -> None:
    payment = brought_to(before)
    if become in NEXT[before]:
        assert after(payment, STEPS[become]).stops[0].status == become
        return
    with pytest.raises(PaymentError) as caught:
        after(payment, STEPS[become])

    assert str(caught.value) == (
        f"****0001 is {before} and cannot become {become}; from {before} it can become {' or '.join(NEXT[before])}."
    )


def test_a_later_figure_of_frozen_money_stands_in_the_place_of_the_earlier() -> None:
    payment = played(
        Frozen(account=key(1), frozen_cny=300, at=at(20)),
        Frozen(account=key(1), frozen_cny=500.5, at=at(25)),
    )
    all_in_all = totals(payment)

    assert (all_in_all.frozen_cny, all_in_all.cards) == (500.5, 1)
    assert (all_in_all.first_frozen_min, all_in_all.last_frozen_min) == (20, 25)


def test_a_stop_that_failed_is_asked_for_again_without_its_reason() -> None:
    (stop,) = played(Failed(account=key(1), reason="wrong bank", at=at(9)), AskedAgain(account=key(1), at=at(11))).stops

    assert (stop.status, stop.reason, stop.requested_at) == ("requested", None, at(11))


def test_a_card_that_was_frozen_empty_saved_nothing() -> None:
    all_in_all = totals(played(Frozen(account=key(1), frozen_cny=0, at=at(20))))

    assert (all_in_all.cards, all_in_all.frozen_cny, all_in_all.first_frozen_min) == (0, 0, None)


def test_what_has_not_been_paid_has_no_minutes() -> None:
    payment = after(opened(request(paid_at=None)), Frozen(account=key(1), frozen_cny=10, at=at(20)))

    assert totals(payment).frozen_cny == 10
    assert totals(payment).first_frozen_min is None


def test_a_banks_clock_that_is_slow_loses_no_freeze_and_turns_no_time_back() -> None:
    payment = played(Accepted(account=key(1), at=at(12)), Frozen(account=key(1), frozen_cny=10, at=at(11)))

    assert totals(payment).first_frozen_min == 12


def test_the_figures_of_an_account_can_be_mended_and_its_state_stays() -> None:
    payment = played(
        traced(2, 1, 2, 100_000), Frozen(account=key(2), frozen_cny=90_000, at=at(20)), traced(2, 1, 2, 95_000, 30)
    )

    assert payment.stop(key(2)).received_cny == 95_000
    assert (payment.stop(key(2)).status, payment.stop(key(2)).at) == ("frozen", at(20))
    assert len(payment.stops) == 2


TREE = (traced(2, 1, 2, 500_000), traced(3, 2, 3, 400_000), traced(4, 3, 4, 300_000), traced(5, 1, 2, 500_000))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (traced(6, 77, 3, 10), "The account from which ****0006 got the money has not been traced; ****0002, ****0005"),
        (traced(6, 2, 4, 10), "****0006 got the money from level 2 (****0002), so its level is 3 and not 4."),
        (traced(6, 2, 2, 10), "so its level is 3 and not 2."),
        (traced(2, 4, 5, 10), "round in a circle: ****0002 is at level 2 of the way that leads there"),
        (traced(4, 4, 5, 10), "round in a circle: ****0004 is at level 4"),
        (traced(1, 4, 5, 10), "round in a circle: ****0001 is at level 1"),
        (traced(3, 5, 3, 10), "****0003 has been traced at level 3; add what it received on another way"),
        (traced(9999, 4, 5, 10), "One of the accounts is the victim's own"),
        (traced(6, 4, 5, 1_000_001), "****0006 cannot have received 1,000,001 yuan of a loss of 1,000,000"),
        (traced(6, 4, 5, 0), "received_cny is in yuan with at most two decimals, from 0.01"),
        (traced(6, 4, 5, 0.001), "received_cny is in yuan with at most two decimals"),
        (traced(6, 4, 5, float("nan")), "received_cny is in yuan"),
        (Accepted(account=key(77), at=at(10)), "has not been traced; ****0001, ****0002, ****0003, ****0004, ****0005"),
        (Frozen(account=key(3), frozen_cny=400_000.01, at=at(10)), "400,000.01 yuan cannot be frozen on ****0003"),
        (Frozen(account=key(3), frozen_cny=-1, at=at(10)), "frozen_cny is in yuan with at most two decimals, from 0 "),
        (Frozen(account=key(3), frozen_cny=1, at=at(-1)), "This is earlier than the payment"),
        (Frozen(account=key(3), frozen_cny=1, at=at(10) // 1000), "A time must be epoch milliseconds"),
        (Failed(account=key(3), reason="", at=at(10)), "reason is a text of 1 to 200 characters"),
        (Failed(account=key(3), reason="no 0000 0000 0000 0001", at=at(10)), "to contain a whole account number"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(step: Step, said: str) -> None:
    payment = played(*TREE)
    with pytest.raises(PaymentError) as caught:
        after(payment, step)

    assert said in str(caught.value)
    assert str(caught.value).count(". ") == 0
    assert key(3) not in str(caught.value)


def test_no_more_can_be_frozen_than_was_lost_in_all() -> None:
    payment = played(*TREE, Frozen(account=key(5), frozen_cny=500_000, at=at(10)))
    payment = played(Frozen(account=key(3), frozen_cny=400_000, at=at(10)), payment=payment)
    with pytest.raises(PaymentError, match=r"1,000,000\.01 yuan would be frozen of a loss of 1,000,000"):
        after(payment, Frozen(account=key(4), frozen_cny=100_000.01, at=at(10)))

    assert totals(after(payment, Frozen(account=key(4), frozen_cny=100_000, at=at(10)))).share == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"amount_cny": 0}, "amount_cny is in yuan"),
        ({"amount_cny": 12.345}, "at most two decimals"),
        ({"paid_at": at(9)}, "paid_at lies after the request; leave it out"),
        ({"paid_at": 1_760_000_400}, "A time must be epoch milliseconds"),
        ({"payee": account(9999)}, "The victim's account and the payee's are the same"),
        ({"case": ""}, "case is a text of 1 to 200 characters"),
        ({"unit": "a\nb"}, "unit is a text of 1 to 200 characters on one line"),
        ({"bank": "Bank 0000000000000001"}, "bank seems to contain a whole account number"),
    ],
)
def test_a_request_that_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PaymentError, match=said):
        request(**fields)


@pytest.mark.parametrize("masked", ["0000000000000001", "****00001", "0001", "*0001", "****000１", ""])
def test_a_whole_account_number_is_never_kept(masked: str) -> None:
    with pytest.raises(PaymentError, match="kept masked"):
        Account(masked=masked, key="0" * 16)


@pytest.mark.parametrize("digest", ["0" * 15, "G" * 16, "0" * 65, ""])
def test_an_account_is_told_from_others_by_a_hash_alone(digest: str) -> None:
    with pytest.raises(PaymentError, match="keyed hash"):
        Account(masked="****0001", key=digest)


def test_one_account_is_hashed_and_masked_alike_however_it_was_typed() -> None:
    ways = ["0000000000000001", "0000 0000 0000 0001", "0000-0000-0000-0001", " ００００ 0000 0000 0001\u3000"]

    assert {(normalised(each), mask(each)) for each in ways} == {("0000000000000001", "****0001")}
    with pytest.raises(PaymentError, match="write it whole"):
        mask("0000001")


def test_the_check_of_a_trail_follows_no_way_while_the_levels_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each account's way was followed to the payee, so that the check took the square of the number of accounts."""
    monkeypatch.delattr(payments, "way_to")
    payment = played(*TREE)

    assert msgspec.json.decode(msgspec.json.encode(payment), type=StopPayment) == payment


def test_what_comes_out_of_json_is_checked_as_well_and_a_circle_ends() -> None:
    whole = msgspec.json.encode(played(*TREE))

    assert msgspec.json.decode(whole, type=StopPayment) == played(*TREE)
    assert msgspec.json.decode(msgspec.json.encode(TREE[0]), type=Step) == TREE[0]
    circle = whole.replace(b'"parent":"%s"' % key(2).encode(), b'"parent":"%s"' % key(4).encode())
    with pytest.raises(msgspec.ValidationError, match="round in a circle"):
        msgspec.json.decode(circle, type=StopPayment)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda stop: {"level": 2}, "The first stop is the payee's"),
        (lambda stop: {"account": account(8)}, "The first stop is the payee's"),
        (lambda stop: {"frozen_cny": 5.0}, "frozen_cny and frozen_at belong to one that is frozen"),
        (lambda stop: {"status": "frozen"}, "frozen_cny and frozen_at belong to one that is frozen"),
        (lambda stop: {"status": "failed"}, "a reason belongs to one that has failed"),
        (lambda stop: {"reason": "closed"}, "a reason belongs to one that has failed"),
        (lambda stop: {"requested_at": stop.at + 1}, "not in order: paid, requested, first frozen, last changed"),
        (lambda stop: {"requested_at": at(-1)}, "not in order"),
        (lambda stop: {"status": "frozen", "frozen_at": stop.at + 1}, "not in order"),
        (lambda stop: {"requested_at": 0}, "A time must be epoch milliseconds"),
    ],
)
def test_a_state_that_nothing_leads_to_cannot_be_put_together(
    wrong: Callable[[Stop], dict[str, Any]], said: str
) -> None:
    (stop,) = opened(request()).stops
    with pytest.raises(PaymentError, match=said):
        StopPayment(request=request(), stops=(msgspec.structs.replace(stop, **wrong(stop)),))


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_whatever_is_tried_the_figures_hold_and_every_level_adds_up(seed: int, tries: int) -> None:
    """Random steps, right and wrong: a refused step changes nothing, and the resulting figures are possible."""
    dice = random.Random(seed)
    payment = opened(request())
    for _ in range(tries):
        step = _any_step(dice, payment)
        with contextlib.suppress(PaymentError):
            payment = after(payment, step)
    all_in_all = totals(payment)

    assert 0 <= all_in_all.frozen_cny <= LOSS
    assert all(0 <= stop.frozen_cny <= stop.received_cny <= LOSS for stop in payment.stops)
    assert sum(fen(level.frozen_cny) for level in all_in_all.levels) == fen(all_in_all.frozen_cny)
    assert sum(level.cards for level in all_in_all.levels) == all_in_all.cards
    assert sum(level.accounts for level in all_in_all.levels) == len(payment.stops)
    assert all(level.accounts for level in all_in_all.levels)
    for stop in payment.stops[1:]:
        assert stop.parent is not None
        assert stop.level == payment.stop(stop.parent).level + 1
    if all_in_all.cards:
        assert all_in_all.first_frozen_min is not None
        assert all_in_all.last_frozen_min is not None
        assert 0 <= all_in_all.first_frozen_min <= all_in_all.last_frozen_min
    assert msgspec.json.decode(msgspec.json.encode(payment), type=StopPayment) == payment


def _any_step(dice: random.Random, payment: StopPayment) -> Step:
    """A step that is often possible: usually of a traced account, with a figure that may be too large."""
    which = key(dice.randrange(1, 12)) if dice.random() < 0.2 else dice.choice(payment.stops).account.key
    minute = at(dice.uniform(-1, 90))
    kind = dice.randrange(6)
    if kind < 2:
        level = next((stop.level for stop in payment.stops if stop.account.key == which), 1) + dice.choice((1, 1, 1, 2))
        return Traced(
            account=account(dice.randrange(1, 12)),
            parent=which,
            level=level,
            bank="Other Bank",
            received_cny=round(dice.uniform(0, LOSS * 1.1), 2),
            at=minute,
        )
    if kind == 2:
        return Accepted(account=which, at=minute)
    if kind == 3:
        return Failed(account=which, reason="closed", at=minute)
    if kind == 4:
        return AskedAgain(account=which, at=minute)
    return Frozen(account=which, frozen_cny=round(dice.uniform(0, LOSS / 3), 2), at=minute)
