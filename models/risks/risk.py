"""Risk: the record of a risky number or account, and the decisions of people on it. Nothing is blocked by itself.

An analyst confirms or dismisses a risk, and hands a confirmed one over to the carrier or the bank. Their answer comes
back as a decision, too. Each decision has a case and a name, and gives one record on the topic ``risks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from models.casework.payments import holds_number
from models.risks.accounts import AccountEvidence
from models.risks.numbers import NumberEvidence

State = Literal["open", "confirmed", "dismissed", "handed-over", "acted-on", "declined"]
STATES: Final[tuple[State, ...]] = get_args(State)
NEXT: Final[Mapping[State, tuple[State, ...]]] = MappingProxyType(
    {
        "open": ("confirmed", "dismissed"),
        "confirmed": ("handed-over", "dismissed"),
        "handed-over": ("acted-on", "declined", "dismissed"),
        "acted-on": ("handed-over", "dismissed"),
        "declined": ("handed-over", "dismissed"),
        "dismissed": ("confirmed",),
    }
)
"""The states that a person can give a risk next. Even after a carrier or bank has acted, a mistake can be dismissed."""
KEPT_DECISIONS: Final = 50
"""Decisions that a risk keeps at most; older ones are dropped."""
LONGEST: Final = 200
"""Characters of a name, a case or a note."""

Evidence = NumberEvidence | AccountEvidence
Type = Literal["number", "account"]
TYPES: Final[tuple[Type, ...]] = get_args(Type)


class RiskError(ValueError):
    """A decision is not possible; one sentence says why, and what is."""


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody decided about a risk."""

    state: State
    """The state that the risk has since then."""
    at: int
    """Epoch ms."""
    who: str
    case: str
    """The reference of the case that the decision comes from."""
    to: str = ""
    """The carrier or bank that the risk is handed over to."""
    note: str = ""

    def __post_init__(self) -> None:
        """Raise `RiskError` for a decision that lacks something, or with a text that could hold a whole account."""
        for name, text, is_needed in (
            ("who", self.who, True),
            ("case", self.case, True),
            ("to", self.to, self.state == "handed-over"),
            ("note", self.note, False),
        ):
            if len(text) > LONGEST or not text.isprintable() or (is_needed and not text.strip()):
                raise RiskError(f"{name} is a text of {int(is_needed)} to {LONGEST} characters on one line.")
            if name in ("to", "note") and holds_number(text):
                raise RiskError(f"{name} seems to contain a whole number; the risk has it already, so leave it out.")


class Risk(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record on the topic ``risks``: its newest one is complete."""

    id: str
    """The keyed hash of the number or account, so that the key of a record tells nobody which one it is."""
    status: State
    evidence: Evidence
    found_at: int
    """When it was listed first (epoch ms)."""
    at: int
    """When this record was made: by new evidence or by a decision (epoch ms)."""
    decisions: tuple[Decision, ...] = ()
    """The newest decisions, in order."""

    @property
    def type(self) -> Type:
        """Whether it is a number or an account."""
        return "number" if isinstance(self.evidence, NumberEvidence) else "account"

    @property
    def about(self) -> str:
        """``number:`` and the number, or ``account:`` and its key; the audit log makes a pseudonym of it."""
        evidence = self.evidence
        value = evidence.number if isinstance(evidence, NumberEvidence) else evidence.account.key
        return f"{self.type}:{value}"

    @property
    def is_hub(self) -> bool:
        """Whether it is an account that was seen in two cases or more."""
        return isinstance(self.evidence, AccountEvidence) and self.evidence.is_hub


def found(id_: str, evidence: Evidence, at: int, before: Risk | None) -> Risk | None:
    """The risk with new evidence; None if nothing is new. What people decided before stands, a dismissal too."""
    if before is None:
        return Risk(id=id_, status="open", evidence=evidence, found_at=at, at=at)
    return None if before.evidence == evidence else replace(before, evidence=evidence, at=max(at, before.at))


def decided(risk: Risk, decision: Decision) -> Risk:
    """The risk after a decision; raises `RiskError`, naming what is possible, where the decision is not."""
    possible = NEXT[risk.status]
    if decision.state not in possible:
        raise RiskError(
            f"The {risk.type} is {risk.status} and cannot become {decision.state}; "
            f"from {risk.status} it can become {' or '.join(possible)}."
        )
    decisions = (*risk.decisions, decision)[-KEPT_DECISIONS:]
    return replace(risk, status=decision.state, at=max(decision.at, risk.at), decisions=decisions)


def urgency(risk: Risk) -> tuple[int, float, int]:
    """The sort key of a list: numbers by probability and then accounts by points, the greatest first, then the newest.

    The two scores cannot be compared, so the two types stand apart.
    """
    score = risk.evidence.probability if isinstance(risk.evidence, NumberEvidence) else risk.evidence.points
    return TYPES.index(risk.type), -score, -risk.evidence.last_seen


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(Risk)


def encode(risk: Risk) -> bytes:
    """The record as one line of JSON, fields always in the same order."""
    return _encoder.encode(risk)


def decode(record: bytes) -> Risk:
    """The risk in a record; raises `msgspec.MsgspecError` when it is none."""
    return _decoder.decode(record)
