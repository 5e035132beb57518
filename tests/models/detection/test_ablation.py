"""Ablation: the reasons of an alert are the ones that moved its risk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.durations import HOUR, MINUTE
from models.base.number_keys import key_of
from models.detection.alerts import Alert
from models.detection.episodes import episodes
from models.detection.evidence import Evidence
from models.detection.kinds import CONTACTS, CONTEXTS
from models.detection.risk import Model, PointScore
from models.detection.signals import Signal
from models.lookback.hunting import record_of
from models.policy.policy import Policy
from streams.files import model_file
from tests.stories import Story
from tests.strategies import ANN, CROOK, POLICY, T0, ToldEngine, known

MODELS = [PointScore(), model_file.load("").model]
"""The trained model is the one that ships with Forewarn."""


def signal(code: str, after: int, event: str, minutes: float) -> Signal:
    """A signal, ``after`` ms from `T0`."""
    indicator = f"number:{CROOK}" if code in CONTACTS else ""
    return Signal(T0 + after, code, event, CROOK, indicator, "loan" if indicator else "", 90, minutes * 60)


SIGNALS = st.lists(
    st.builds(
        signal,
        st.sampled_from(sorted(CONTACTS | CONTEXTS)),
        st.integers(0, 20 * HOUR),
        st.sampled_from("abcdefgh"),
        st.sampled_from([0.5, 3.0, 30.0]),
    ),
    min_size=1,
    max_size=10,
    unique_by=(lambda each: each.event, lambda each: each.at),  # the test identifies moments by their time
)


def told(signals: list[Signal], model: Model, policy: Policy, vulnerable: int = 0) -> list[Alert]:
    """The alerts that follow from these signals, given one by one in event time."""
    story = Story(ToldEngine(known(), policy, model, {ANN: vulnerable} if vulnerable else {}))
    return story.tell(*(record_of(key_of(ANN), each) for each in sorted(signals)))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name.partition("@")[0])
@settings(max_examples=40)
@given(signals=SIGNALS, vulnerable=st.integers(0, 2))
def test_without_the_events_of_the_first_reason_the_risk_is_lower(
    model: Model, signals: list[Signal], vulnerable: int
) -> None:
    """Either leaving out any one of the named reasons lowers the risk, or leaving out none of them does."""
    for alert in told(signals, model, POLICY, vulnerable):
        if alert.status == "raised":
            without = [_risk(alert, signals, set(reason.events), model, vulnerable) for reason in alert.reasons]
            whole = _risk(alert, signals, set(), model, vulnerable)
            named = [risk for reason, risk in zip(alert.reasons, without, strict=True) if reason.code != "vulnerable"]
            assert whole == alert.risk
            if any(risk < whole for risk in named):
                assert all(risk < whole for risk in named)


def _risk(alert: Alert, signals: list[Signal], left_out: set[str], model: Model, vulnerable: int) -> float:
    """The risk at the alert's moment if these events had never happened."""
    left = [each for each in sorted(signals) if each.event not in left_out and each.at <= alert.at]
    risk = 0.0
    for episode in episodes(left, POLICY.windows):
        evidence = Evidence(POLICY.windows, vulnerable)
        for each in episode.signals:
            evidence.take(each)
        risk = model.risk([evidence.at(alert.at)[0]], POLICY)[0]
    return risk


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name.partition("@")[0])
def test_what_changed_nothing_is_no_reason(model: Model) -> None:
    """A missed call of yesterday counts for nothing next to half an hour on the phone with codes read out."""
    alerts = told(
        [
            signal("fraud-number-call", 20 * HOUR, "call", 0),
            signal("verification-code", 20 * HOUR + 9 * MINUTE, "code", 0),
            signal("verification-code", 20 * HOUR + 12 * MINUTE, "again", 0),
            signal("fraud-number-talk", 20 * HOUR + 30 * MINUTE, "call", 30),
        ],
        model,
        POLICY,
    )
    (urgent,) = [each for each in alerts if each.severity == "urgent"][:1]
    assert urgent.reasons[0].events == ("call",)
    assert {event for reason in urgent.reasons for event in reason.events} <= {"call", "code", "again"}


def test_that_somebody_is_vulnerable_is_a_reason_where_it_counts() -> None:
    said = [signal("fraud-number-talk", 0, "call", 3), signal("verification-code", MINUTE, "code", 0)]
    with_flags, without = (told(said, PointScore(), POLICY, flags)[-1] for flags in (2, 0))
    assert [reason.code for reason in with_flags.reasons][-1] == "vulnerable"
    assert "vulnerable" not in {reason.code for reason in without.reasons}
    assert with_flags.reasons[-1].zh
    assert with_flags.reasons[-1].events == ()
