"""Forms: turns a form that an officer has filled in into fields of feedback; pure.

Anything missing or wrong is reported as a key of the console's table of words, to be shown beside the form. The form
keeps the typed values.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.cases import Answered, Kind, Means, Outcome
from models.casework.deadlines import Office
from models.casework.payments import MOST_CNY, PaymentError, Status, fen, holds_number, mask, normalised
from streams.console.times import midnight

LONGEST_NOTE: Final = 1000
HOURS: Final = (1, 2, 4, 8, 12, 24)
"""The hours for which a case may be put off, as far as the policy allows."""

LONGEST_NUMBER: Final = 64
LONGEST_LINE: Final = 200
NUMBERS: Final = ("victim", "payee", "number")
"""Fields that hold a whole account number."""
NOBODY: Final = "nobody"
"""What a form says when nobody answered."""
STEPS: Final = (*get_args(Status), "traced")
"""The steps that an account of a payment can take."""

_LATELY = 12 * HOUR
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):?([0-5][0-9])", re.ASCII)
_MONEY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(万?)", re.ASCII)
_MOST = 1e12

Fields = Mapping[str, str]


class FormError(ValueError):
    """A form cannot be sent; ``word`` is the key of the reason, and ``about`` holds the values in its text."""

    def __init__(self, word: str, **about: object) -> None:
        super().__init__(word)
        self.word = word
        self.about = about


def filled(kind: Kind, fields: Fields, office: Office, now: int) -> dict[str, Any]:
    """The fields of the feedback that a form produces; raises `FormError`."""
    said = _READ[kind](fields, office, now)
    note = fields.get("note", "").strip()
    if len(note) > LONGEST_NOTE:
        raise FormError("wrong.note.long")
    if kind == "note" and not note:
        raise FormError("wrong.note")
    return said | ({"note": note} if note else {})


def feedback_id(key: str, kind: Kind, fields: Fields) -> str:
    """The id of the feedback from one form on one page.

    Pressing the button twice gives the same id; different contents give a different one. ``key`` was made for the form
    together with the page. So an officer who goes back to the page and reports something else is not ignored.
    """
    words = [key, kind, *(f"{name}={fields[name]}" for name in sorted(fields) if name not in ("key", "csrf"))]
    return hashlib.blake2b("\0".join(words).encode(errors="replace"), digest_size=12).hexdigest()


def money(text: str) -> float | None:
    """An amount in yuan, as people write it; None if the text is not an amount.

    >>> money("12,800.50"), money("￥3万"), money("1.5万元"), money("about 5"), money("")
    (12800.5, 30000.0, 15000.0, None, None)
    """
    bare = re.sub(r"[\s,，¥￥元]", "", text)
    found = _MONEY.fullmatch(bare)
    if found is None:
        return None
    value = float(found[1]) * (10_000 if found[2] else 1)
    return value if math.isfinite(value) and value <= _MOST else None


def hours(office: Office) -> tuple[int, ...]:
    """The hours for which a case may be put off here."""
    return tuple(each for each in HOURS if each <= office.rules.snooze_hours)


def _nothing(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    return {}


def _attempt(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    if fields.get("means") not in get_args(Means):
        raise FormError("wrong.means")
    answered = fields.get("answered")
    if answered not in (*get_args(Answered), NOBODY):
        raise FormError("wrong.answered")
    said = {} if answered == NOBODY else {"answered": answered}
    return {"means": fields["means"], "reached": answered == "person"} | said


def _outcome(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    outcome = fields.get("outcome")
    if outcome not in get_args(Outcome):
        raise FormError("wrong.outcome")
    said: dict[str, Any] = {"outcome": outcome}
    if fields.get("loss_checked") == "yes":
        said["loss_checked"] = True
    if outcome != "already-harmed":
        return said
    loss = money(fields.get("loss", ""))
    if loss is None:
        raise FormError("wrong.loss")
    return said | {"loss_cny": loss}


def _transferred(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    if fields.get("to") not in office.stations.units:
        raise FormError("wrong.to")
    return {"to": fields["to"]}


def _snoozed(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    if fields.get("hours") not in [str(each) for each in hours(office)]:
        raise FormError("wrong.hours", n=f"{office.rules.snooze_hours:g}")
    return {"until": now + int(fields["hours"]) * HOUR}


def _stop_payment(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    asked = {
        "payee": _number(fields, "payee"),
        "bank": _line(fields, "bank"),
        "amount_cny": _amount(fields, "amount"),
        "paid_at": _paid_at(fields, now),
        "victim": _number(fields, "victim"),
    }
    if normalised(fields["payee"]) == normalised(fields["victim"]):
        raise FormError("wrong.same-account")
    return asked


def _payment_step(fields: Fields, office: Office, now: int) -> dict[str, Any]:
    step, account = fields.get("step"), fields.get("account", "")
    if step not in STEPS:
        raise FormError("wrong.step")
    said: dict[str, Any] = {"payment": fields.get("payment", ""), "step": step, "account": account}
    if step == "frozen":
        return said | {"frozen_cny": _amount(fields, "frozen", least=0)}
    if step == "failed":
        return said | {"reason": _line(fields, "reason")}
    if step != "traced":
        return said
    # The form's account is the one that passed the money on.
    return said | {
        "parent": account,
        "account": _number(fields, "number"),
        "bank": _line(fields, "bank"),
        "received_cny": _amount(fields, "received"),
    }


def _number(fields: Fields, name: str) -> str:
    """A whole account number."""
    number = fields.get(name, "").strip()
    try:
        mask(number)
    except PaymentError:
        raise FormError(f"wrong.{name}") from None
    if len(number) > LONGEST_NUMBER:
        raise FormError(f"wrong.{name}")
    return number


def _line(fields: Fields, name: str) -> str:
    """A text on one line without an account number, because it is shown and kept."""
    text = " ".join(fields.get(name, "").split())
    if not (0 < len(text) <= LONGEST_LINE and text.isprintable()) or holds_number(text):
        raise FormError(f"wrong.{name}")
    return text


def _amount(fields: Fields, name: str, least: float = 0.01) -> float:
    """An amount that a payment can have."""
    amount = money(fields.get(name, ""))
    if amount is None or not least <= amount <= MOST_CNY or abs(amount * 100 - fen(amount)) >= 0.01:
        raise FormError(f"wrong.{name}")
    return amount


def _paid_at(fields: Fields, now: int) -> int | None:
    """When it was paid, by the city's clock: today, or last night if that time is still to come today."""
    if fields.get("paid") == "no":
        return None
    if fields.get("paid") != "yes":
        raise FormError("wrong.paid")
    found = _CLOCK.fullmatch(re.sub(r"\s", "", fields.get("time", "")).replace("：", ":"))
    if found is None:
        raise FormError("wrong.time")
    at = midnight(now) + int(found[1]) * HOUR + int(found[2]) * MINUTE
    if at > now:
        at -= DAY
    if at < midnight(now) and now - at > _LATELY:
        raise FormError("wrong.time.future")
    return at


_READ: Final[dict[Kind, Callable[[Fields, Office, int], dict[str, Any]]]] = {
    "acknowledged": _nothing,
    "attempt": _attempt,
    "outcome": _outcome,
    "returned": _nothing,
    "transferred": _transferred,
    "snoozed": _snoozed,
    "note": _nothing,
    "stop-payment": _stop_payment,
    "payment-step": _payment_step,
}
