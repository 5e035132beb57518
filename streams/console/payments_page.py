"""Payments on the page of a case: how much of each is frozen, and every account that the money went through; pure.

Accounts are masked, as everywhere. A form refers to an account by its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.casework.cases import Case
from models.casework.payment_steps import NEXT
from models.casework.payment_totals import Totals, totals
from models.casework.payments import Stop, StopPayment, fen, yuan
from streams.console.bodies import Body, PaymentStep
from streams.console.forms import FormError
from streams.console.presenting import Scene
from streams.console.times import iso

_NUMERALS: Final = "一二三四五六七八九十"
DEEPEST: Final = 8
"""The level from which accounts are indented no further."""

AccountPosition = tuple[str, str, str]
"""The position of a form: the payment, the key of the account, and the step."""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account that the money went through."""

    key: str
    masked: str
    bank: str
    level: str
    indent: int
    received: str
    status: str
    state: str
    """In words, with the amount or the reason."""
    iso: str
    at: str
    frozen: str
    """The amount in the field of its form; empty unless the account is frozen."""
    steps: tuple[str, ...]
    """The steps that the user can report for it."""


@dataclass(frozen=True, slots=True)
class LevelLine:
    """How much was frozen at one level."""

    name: str
    cards: str
    received: str
    frozen: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment; ``width`` is the width of its bar of frozen money, out of 100."""

    id: str
    title: str
    asked: str
    frozen: str
    times: str
    width: int
    levels: tuple[LevelLine, ...]
    accounts: tuple[AccountLine, ...]

    @property
    def forms(self) -> set[AccountPosition]:
        """The positions of all its forms."""
        return {(self.id, account.key, step) for account in self.accounts for step in account.steps}


def payment_panels(case: Case, scene: Scene, may_say: bool) -> tuple[Payment, ...]:
    """The payments of a case, the newest first; ``may_say``: whether the user may report progress on them."""
    return tuple(_payment(each, scene, may_say) for each in reversed(case.payments))


def place_of(typed: Mapping[str, str]) -> AccountPosition:
    """The position of the form that these values came from."""
    return typed.get("payment", ""), typed.get("account", ""), typed.get("step", "")


def anchor(case: Case | None, typed: Mapping[str, str]) -> str:
    """The anchor on the page for a form: its account, or all payments for a new request."""
    payment, account, _ = place_of(typed)
    for number, each in enumerate(() if case is None else case.payments, 1):
        if each.request.id == payment and any(stop.account.key == account for stop in each.stops):
            return f"account-{number}-{account}"
    return "payments"


def why_wrong(case: Case | None, body: Body) -> FormError:
    """Why a report about a case's payments is not possible, as a word beside its form."""
    if case is None or not isinstance(body, PaymentStep):
        return FormError("wrong.payment")
    payment = next((each for each in case.payments if each.request.id == body.payment), None)
    if payment is None:
        return FormError("wrong.payment")
    loss = fen(payment.request.amount_cny)
    if body.step == "traced":
        if fen(body.received_cny) > loss:
            return FormError("wrong.received.loss", loss=yuan(loss))
        return FormError("wrong.traced")
    stop = next((each for each in payment.stops if each.account.key == body.account), None)
    if stop is None:
        return FormError("wrong.payment")
    if body.step not in NEXT[stop.status]:
        return FormError("wrong.not-possible")
    frozen, received = fen(body.frozen_cny), fen(stop.received_cny)
    if frozen > received:
        return FormError("wrong.frozen.received", most=yuan(received))
    left = loss - sum(fen(each.frozen_cny) for each in payment.stops if each is not stop)
    if frozen > left:
        return FormError("wrong.frozen.loss", loss=yuan(loss), most=yuan(left))
    return FormError("wrong.payment")


def _payment(payment: StopPayment, scene: Scene, may_say: bool) -> Payment:
    request, sums = payment.request, totals(payment)
    minutes, at = request.minutes_since_payment, scene.at(request.at)
    return Payment(
        id=request.id,
        title=scene.word("pay.title", amount=_yuan(request.amount_cny), payee=request.payee.masked, bank=request.bank),
        asked=scene.word("pay.asked.unpaid", at=at)
        if minutes is None
        else scene.word("pay.asked", n=int(minutes), at=at),
        frozen=scene.word("pay.frozen", frozen=_yuan(sums.frozen_cny), loss=_yuan(sums.loss_cny), cards=sums.cards),
        times=_times(sums, scene),
        width=max(round(sums.share * 100), 1 if sums.cards else 0),
        levels=tuple(
            LevelLine(
                name=_level(each.level, scene),
                cards=f"{each.cards} / {each.accounts}",
                received=_yuan(each.received_cny),
                frozen=_yuan(each.frozen_cny),
            )
            for each in sums.levels
        ),
        accounts=tuple(_account(stop, scene, may_say) for stop in _in_order(payment.stops)),
    )


def _level(number: int, scene: Scene) -> str:
    """The level of an account; in Chinese banks and police write 一级账户."""
    numeral = _NUMERALS[number - 1] if scene.language == "zh" and number <= len(_NUMERALS) else number
    return scene.word("pay.level.n", n=numeral)


def _times(sums: Totals, scene: Scene) -> str:
    if sums.first_frozen_min is None or sums.last_frozen_min is None:
        return ""
    first, last = int(sums.first_frozen_min), int(sums.last_frozen_min)
    if first == last:
        return scene.word("pay.frozen.time", first=first)
    return scene.word("pay.frozen.times", first=first, last=last)


def _in_order(stops: Sequence[Stop]) -> Iterator[Stop]:
    """Each account, followed by the accounts that its money went to."""
    below: dict[str | None, list[Stop]] = {}
    for stop in stops:
        below.setdefault(stop.parent, []).append(stop)
    coming = below[None][::-1]
    while coming:
        stop = coming.pop()
        yield stop
        coming += below.get(stop.account.key, [])[::-1]


def _account(stop: Stop, scene: Scene, may_say: bool) -> AccountLine:
    frozen = _yuan(stop.frozen_cny)
    state = {
        "requested": lambda: scene.word("pay.requested"),
        "accepted": lambda: scene.word("pay.accepted"),
        "frozen": lambda: scene.word("pay.frozen.amount", amount=frozen),
        "failed": lambda: scene.word("pay.failed", reason=stop.reason),
    }
    return AccountLine(
        key=stop.account.key,
        masked=stop.account.masked,
        bank=stop.bank,
        level=_level(stop.level, scene),
        indent=min(stop.level, DEEPEST),
        received=scene.word("pay.got", amount=_yuan(stop.received_cny)),
        status=stop.status,
        state=state[stop.status](),
        iso=iso(stop.at),
        at=scene.at(stop.at),
        frozen=frozen if stop.status == "frozen" else "",
        steps=(*NEXT[stop.status], "traced") if may_say else (),
    )


def _yuan(amount: float) -> str:
    return yuan(fen(amount))
