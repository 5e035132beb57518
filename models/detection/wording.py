"""Wording: the reasons of an alert in Chinese and English, from the signals that led to it.

An officer reads these on the way to the door, so they are short and concrete, and contain no phone numbers. The words
for each kind of signal are in its entry (`models.detection.kinds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from models.detection.alerts import Reason
from models.detection.kinds import CALL_ENDS, KINDS, NUMBER_CALL
from models.detection.reused_ids import record_id
from models.detection.signals import Signal
from models.indicators.indicator import SCAM_TYPES, SUSPECTED

_KNOWN: Final = ("已知涉诈号码", "a known fraud number")
_ONLY_SUSPECTED: Final = ("疑似涉诈号码", "a number suspected of fraud")
"""Replaces `_KNOWN` for a number that nobody has confirmed as fraudulent."""

IS_VULNERABLE: Final = Reason("vulnerable", "属于易受骗重点保护对象", "is listed as vulnerable", ())
"""The reason that comes from the person and not from a record."""

NO_LONGER: Final = {
    "evidence": ("后续记录表明风险已降低", "later records show less risk"),
    "indicator": ("相关诈骗线索已撤销", "the indicator behind it was revoked"),
    "episode": (
        "发现更早的可疑联系，已并入该次预警",
        "an earlier contact came to light; see the alert that begins with it",
    ),
}


def scam_name(scam_type: str) -> tuple[str, str]:
    """The scam type's name in Chinese and English; a type without a name is shown as it is written.

    >>> scam_name("loan")
    ('虚假贷款', 'fake loan')
    """
    if scam_type == SUSPECTED:
        return "疑似诈骗", "suspected fraud"
    return SCAM_TYPES.get(scam_type, (scam_type, scam_type))


def reasons(signals: Sequence[Signal]) -> tuple[Reason, ...]:
    """The reasons that these signals give, contacts first, each with the events behind it.

    A call that has ended is described by its end alone. Known and suspected numbers give separate reasons.
    """
    ended = {signal.event for signal in signals if signal.kind in CALL_ENDS}
    found: dict[tuple[str, bool], list[Signal]] = {}
    for signal in signals:
        if signal.kind == NUMBER_CALL and signal.event in ended:
            continue
        found.setdefault((signal.kind, signal.scam_type == SUSPECTED), []).append(signal)
    kinds = [(kind, is_suspected) for kind in KINDS for is_suspected in (False, True)]
    return tuple(_reason(kind[0], found[kind]) for kind in kinds if kind in found)


def no_longer(why: str) -> Reason:
    """The reason of a withdrawal: ``evidence``, ``indicator`` or ``episode`` (see `NO_LONGER`)."""
    zh, en = NO_LONGER[why]
    return Reason(f"no-longer-{why}", zh, en, ())


def _reason(kind: str, signals: Sequence[Signal]) -> Reason:
    types = tuple(sorted({signal.scam_type for signal in signals if signal.scam_type}))
    minutes = round(sum(signal.duration_s for signal in signals) / 60.0, 1)
    zh, en = _words(kind, types, len(signals), minutes)
    if types == (SUSPECTED,):
        kind = kind.replace("fraud-number", "suspected-number")
    return Reason(kind, zh, en, tuple(dict.fromkeys(record_id(signal.event) for signal in signals)))


@lru_cache(maxsize=4096)
def _words(kind: str, scam_types: tuple[str, ...], count: int, minutes: float) -> tuple[str, str]:
    """A reason in Chinese and English; cached, because most alerts use one of a few hundred texts."""
    zh, en = KINDS[kind].zh, KINDS[kind].en
    if scam_types == (SUSPECTED,):
        scam_types = ()
        zh, en = zh.replace(_KNOWN[0], _ONLY_SUSPECTED[0]), en.replace(_KNOWN[1], _ONLY_SUSPECTED[1])
    names = [scam_name(scam_type) for scam_type in scam_types]
    values = {"n": count, "minutes": f"{minutes:g}"}
    return (
        zh.format(scam=f"（{'、'.join(name[0] for name in names)}）" if names else "", **values),
        en.format(scam=f" ({', '.join(name[1] for name in names)})" if names else "", **values),
    )
