"""Payments: an officer's request to stop a payment, and the stop at every account that the money went through.

Stolen money is split over a first, a second and a third level of cards within minutes. Each bank on its way has to be
asked to stop it. An invalid :class:`StopPayment` can be neither built nor decoded.
`models.casework.payment_steps` moves one forward, and `models.casework.payment_totals` says how much was saved. Full
account numbers are never kept. Amounts are in yuan, as on the topics, and are compared in fen. Times are epoch
milliseconds.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from models.base.durations import MINUTE
from models.events.event import EARLIEST, LATEST

Status = Literal["requested", "accepted", "frozen", "failed"]

MOST_CNY: Final = 10_000_000_000
"""The largest payment in yuan; up to it every amount is exact in fen."""

_MASKED = re.compile(r"\*{2,}[0-9A-Za-z]{4}")
_KEY = re.compile(r"[0-9a-f]{16,64}")
_WHOLE = re.compile(r"\d{11}|(?:\d[ -]?){12}")
_SHORTEST = 8  # characters of an account number; four of them are shown
_NAMED = 5  # accounts that a message lists


class PaymentError(ValueError):
    """A stop-payment is invalid; the message says why in one sentence, and what is possible."""


def normalised(number: str) -> str:
    """An account number in the form that is hashed: without blanks and hyphens, in plain digits.

    However the number was typed, the form is the same.

    >>> normalised(" 0000 0000-0000 ０００１ ")
    '0000000000000001'
    """
    return "".join(sign for sign in unicodedata.normalize("NFKC", number) if not sign.isspace() and sign != "-")


def mask(number: str) -> str:
    """The part of an account number that is kept for people to read: its last four letters or digits.

    Raises :class:`PaymentError` for a number that is too short.

    >>> mask("0000 0000 0000 0001")
    '****0001'
    """
    signs = [sign for sign in normalised(number) if sign.isascii() and sign.isalnum()]
    if len(signs) < _SHORTEST:
        raise PaymentError(f"An account has at least {_SHORTEST} letters and digits; write it whole.")
    return "****" + "".join(signs[-4:])


def holds_number(text: str) -> bool:
    """Whether a text seems to contain a whole account number.

    >>> holds_number("Example Bank, 0000 0000 0000 0001"), holds_number("Example Bank, 0001")
    (True, False)
    """
    return _WHOLE.search(text) is not None


class Account(Struct, frozen=True, kw_only=True):
    """A bank account, card or wallet: a masked number for people, and a keyed hash that identifies it."""

    masked: str
    """As :func:`mask` writes it."""
    key: str
    """The hash under the site's key, 16 to 64 hexadecimal digits; `streams` computes it."""

    def __post_init__(self) -> None:
        """Raise :class:`PaymentError` unless the number is masked and the key is a hash."""
        if not _MASKED.fullmatch(self.masked):
            raise PaymentError("An account is kept masked, as asterisks and its last four letters or digits.")
        if not _KEY.fullmatch(self.key):
            raise PaymentError("An account's key is a keyed hash of 16 to 64 hexadecimal digits.")


class Request(Struct, frozen=True, kw_only=True):
    """An officer's request to the centre to stop a payment."""

    id: str
    case: str
    officer: str
    unit: str
    at: int
    victim: Account
    payee: Account
    bank: str
    """The payee's bank."""
    amount_cny: float
    paid_at: int | None = None
    """When the payment was made; None if it has not been made yet."""

    def __post_init__(self) -> None:
        """Raise :class:`PaymentError` for an invalid request."""
        _check_words(id=self.id, case=self.case, officer=self.officer, unit=self.unit, bank=self.bank)
        _check_amount("amount_cny", self.amount_cny)
        check_time(self.at)
        if self.paid_at is not None:
            check_time(self.paid_at)
            if self.paid_at > self.at:
                raise PaymentError("paid_at lies after the request; leave it out until the payment has been made.")
        if self.victim.key == self.payee.key:
            raise PaymentError(
                "The victim's account and the payee's are the same; name the one that the money went to."
            )

    @property
    def minutes_since_payment(self) -> float | None:
        """The minutes from the payment to the request, which show its urgency; None if nothing has been paid."""
        return None if self.paid_at is None else (self.at - self.paid_at) / MINUTE


class Stop(Struct, frozen=True, kw_only=True):
    """The stop of one account on the money trail, and its current state."""

    account: Account
    level: int
    """1 for the payee, whom the victim paid; 2 for accounts that got money from the payee; and so on."""
    parent: str | None
    """The key of the account from which the money came; None for the payee."""
    bank: str
    received_cny: float
    """Yuan of this payment that the account received.

    Money that a card passes on is not checked against this: it may include other people's money.
    """
    at: int
    """When the state began; never earlier than the previous state, because the clocks of banks differ."""
    requested_at: int
    status: Status = "requested"
    frozen_cny: float = 0.0
    frozen_at: int | None = None
    """When the account was first frozen."""
    reason: str | None = None
    """Why the stop failed."""


class StopPayment(Struct, frozen=True, kw_only=True):
    """A request and its stops, the payee's first; an invalid one cannot be built."""

    request: Request
    stops: tuple[Stop, ...]

    def __post_init__(self) -> None:
        """Raise :class:`PaymentError` for the first problem, whether this was built or decoded."""
        _check_stops(self.request, self.stops)

    def stop(self, key: str) -> Stop:
        """The stop of the account with this key; raises :class:`PaymentError` if there is none."""
        for each in self.stops:
            if each.account.key == key:
                return each
        raise PaymentError(f"This account has not been traced; {named(self.stops)} have been, so trace it first.")


def _check_stops(request: Request, stops: Sequence[Stop]) -> None:
    """Raise `PaymentError` for the first problem of a stop-payment."""
    if not stops or (stops[0].account, stops[0].level, stops[0].parent) != (request.payee, 1, None):
        raise PaymentError("The first stop is the payee's, at level 1 and without a parent.")
    known = {stop.account.key: stop for stop in stops}
    if len(known) < len(stops):
        raise PaymentError("An account is traced twice; what it received on several ways is added up in one stop.")
    if request.victim.key in known:
        raise PaymentError("One of the accounts is the victim's own; money that came back needs no stop.")
    for stop in stops[1:]:
        _check_place(stops, known, stop)
    for stop in stops:
        _check_state(request, stop)
    frozen, loss = sum(fen(stop.frozen_cny) for stop in stops), fen(request.amount_cny)
    if frozen > loss:
        raise PaymentError(
            f"{yuan(frozen)} yuan would be frozen of a loss of {yuan(loss)}; write only what came of this payment."
        )


def _check_place(stops: Sequence[Stop], known: Mapping[str, Stop], stop: Stop) -> None:
    """Raise `PaymentError` when an account cannot have got the money from its stated parent."""
    name = stop.account.masked
    parent = known.get(stop.parent) if stop.parent is not None else None
    if parent is None:
        there = [each for each in stops if each.level == stop.level - 1] or stops
        raise PaymentError(
            f"The account from which {name} got the money has not been traced; {named(there)} have been."
        )
    if stop.level != parent.level + 1:
        # Levels that all rise by one have no circle, so nobody has to follow every way.
        if stop.account.key in way_to(stops, parent.account.key):
            raise PaymentError(f"The money would go round in a circle: {name} lies on the way that leads to it.")
        came = f"level {parent.level} ({parent.account.masked})"
        raise PaymentError(
            f"{name} got the money from {came}, so its level is {parent.level + 1} and not {stop.level}."
        )


def _check_state(request: Request, stop: Stop) -> None:
    """Raise `PaymentError` when the figures, state or times of one stop are impossible."""
    name = stop.account.masked
    _check_words(bank=stop.bank)
    _check_amount("received_cny", stop.received_cny)
    _check_amount("frozen_cny", stop.frozen_cny, least=0)
    times = [at for at in (request.paid_at, stop.requested_at, stop.frozen_at, stop.at) if at is not None]
    for at in times:
        check_time(at)
    if times != sorted(times):
        raise PaymentError(f"The times of {name} are not in order: paid, requested, first frozen, last changed.")
    frozen, received, loss = fen(stop.frozen_cny), fen(stop.received_cny), fen(request.amount_cny)
    if received > loss:
        raise PaymentError(
            f"{name} cannot have received {yuan(received)} yuan of a loss of {yuan(loss)}; write only what came of it."
        )
    if frozen > received:
        raise PaymentError(
            f"{yuan(frozen)} yuan cannot be frozen on {name}, which received {yuan(received)}; "
            "freeze at most that, or correct the received amount first."
        )
    if (stop.status == "frozen") != (stop.frozen_at is not None) or (frozen and stop.status != "frozen"):
        raise PaymentError(f"{name} is {stop.status}; frozen_cny and frozen_at belong to one that is frozen.")
    if (stop.status == "failed") != (stop.reason is not None):
        raise PaymentError(f"{name} is {stop.status}; a reason belongs to one that has failed.")
    if stop.reason is not None:
        _check_words(reason=stop.reason)


def way_to(stops: Sequence[Stop], key: str | None) -> set[str]:
    """The keys of an account and of all accounts through which the money reached it; a circle ends the search too."""
    parents = {stop.account.key: stop.parent for stop in stops}
    way: set[str] = set()
    while key is not None and key not in way:
        way.add(key)
        key = parents.get(key)
    return way


def named(stops: Sequence[Stop]) -> str:
    """A few accounts by their masked numbers, as text for a message."""
    names = [stop.account.masked for stop in stops]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def fen(amount_cny: float) -> int:
    """Yuan as fen, so that sums are exact.

    >>> fen(0.1 + 0.2), fen(937_700)
    (30, 93770000)
    """
    return round(amount_cny * 100)


def yuan(amount_fen: int) -> str:
    """Fen as yuan for people to read.

    >>> yuan(93_770_000), yuan(50)
    ('937,700', '0.50')
    """
    whole, rest = divmod(amount_fen, 100)
    return f"{whole:,}.{rest:02}" if rest else f"{whole:,}"


def _check_amount(name: str, amount: float, least: float = 0.01) -> None:
    if not (math.isfinite(amount) and least <= amount <= MOST_CNY and abs(amount * 100 - fen(amount)) < 0.01):
        raise PaymentError(f"{name} is in yuan with at most two decimals, from {least:g} to {MOST_CNY:,}.")


def check_time(at: int) -> None:
    """Raise :class:`PaymentError` for a time in seconds, or from a clock that is years off."""
    if not EARLIEST <= at <= LATEST:
        raise PaymentError("A time must be epoch milliseconds of a plausible year.")


def _check_words(**words: str) -> None:
    for name, text in words.items():
        if not (0 < len(text) <= 200 and text.isprintable()):
            raise PaymentError(f"{name} is a text of 1 to 200 characters on one line.")
        if name in ("bank", "reason") and holds_number(text):
            raise PaymentError(f"{name} seems to contain a whole account number; leave only its last four digits.")
