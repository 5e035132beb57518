"""Ablation: finds which reasons of an alert moved its risk, by leaving out the records behind each reason.

Reasons taken from a model's inner workings may be true of the model but not of the person. Here the alert's risk is
compared with the risk that the same model would give at the same moment without those calls and messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from models.detection.alerts import Alert, Reason
from models.detection.episodes import episodes
from models.detection.evidence import Evidence
from models.detection.features import Features
from models.detection.reused_ids import record_id
from models.detection.risk import Model
from models.detection.signals import Signal
from models.detection.wording import IS_VULNERABLE
from models.policy.policy import Policy, Windows


def weighed(alert: Alert, seen: Sequence[Signal], model: Model, policy: Policy, vulnerable: int) -> Alert:
    """The alert with its reasons ordered by how far they moved the risk; a withdrawn alert stays as it is.

    A reason is left out if the risk would be no lower without it, unless that is true of every reason. ``seen``: the
    signals of the episode up to the alert; ``vulnerable``: how many vulnerability flags the subscriber has.
    """
    if alert.status != "raised":
        return alert
    without = list(_without_each(alert, seen, policy.windows, vulnerable))
    risks = iter(model.risk([features for _, features in without if features is not None], policy))
    lower = [(0.0 if features is None else next(risks), reason) for reason, features in without]
    moved = sorted((each for each in lower if each[0] < alert.risk), key=lambda each: each[0])
    return replace(alert, reasons=tuple(reason for _, reason in moved)) if moved else alert


def _without_each(
    alert: Alert, seen: Sequence[Signal], windows: Windows, vulnerable: int
) -> Iterator[tuple[Reason, Features | None]]:
    """Each reason with the features without it; None if no contact, and so no risk, would be left."""
    for reason in alert.reasons:
        events = set(reason.events)
        left = [signal for signal in seen if record_id(signal.event) not in events]
        yield reason, _features(left, alert.at, windows, vulnerable)
    if vulnerable:
        yield IS_VULNERABLE, _features(seen, alert.at, windows, 0)


def _features(signals: Sequence[Signal], at: int, windows: Windows, vulnerable: int) -> Features | None:
    """The features at an event time of the episode that these signals form (the last, if several); None if none."""
    found = list(episodes(signals, windows))
    if not found:
        return None
    evidence = Evidence(windows, vulnerable)
    for signal in found[-1].signals:
        evidence.take(signal)
    return evidence.at(at)[0]
