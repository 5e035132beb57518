"""The wording of an alert: short, in both languages, and without any phone number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detection.kinds import CONTACTS, CONTEXTS, KindName
from models.detection.signals import Signal
from models.detection.wording import NO_LONGER, no_longer, reasons, scam_name
from models.indicators.indicator import SCAM_TYPES
from tests.strategies import CROOK, FRIEND, T0

CODES = sorted(CONTACTS | CONTEXTS)
SIGNALS = st.lists(
    st.builds(
        Signal,
        st.just(T0),
        st.sampled_from(CODES),
        st.sampled_from(["e1", "e2", "e3"]),
        st.sampled_from([CROOK, FRIEND, "evil.example"]),
        st.sampled_from([f"number:{CROOK}", "domain:evil.example"]),
        st.sampled_from(["", "loan", "fake-prize", "new-kind"]),
        st.integers(0, 100),
        st.floats(0, 100_000),
    ),
    max_size=300,
)


def test_every_kind_of_signal_is_a_contact_or_context_and_has_its_words() -> None:
    assert set(KindName.__args__) == CONTACTS | CONTEXTS  # type: ignore[attr-defined]
    for code in CODES:
        (reason,) = reasons([Signal(T0, code, "e")])
        assert reason.code == code
        assert reason.zh != reason.en
        assert re.search("[\u4e00-\u9fff]", reason.zh)
        assert not re.search("[\u4e00-\u9fff]", reason.en)


@given(SIGNALS)
def test_reasons_hold_no_number_domain_or_placeholder(signals: list[Signal]) -> None:
    for reason in reasons(signals):
        for words in (reason.zh, reason.en):
            assert not re.search(r"\d{7}|[{}]|evil", words)


@given(SIGNALS)
def test_each_reason_comes_once_with_its_events_contacts_first(signals: list[Signal]) -> None:
    found = reasons(signals)

    kinds = [reason.code for reason in found]
    assert len(set(kinds)) == len(kinds)
    assert sorted(kinds, key=lambda code: code not in CONTACTS) == kinds
    for reason in found:
        assert set(reason.events) <= {signal.event for signal in signals if signal.kind == reason.code}


def test_a_call_that_has_ended_is_told_by_its_end() -> None:
    call = [Signal(T0, "fraud-number-call", "c"), Signal(T0, "fraud-number-talk", "c", duration_s=90)]

    assert [(reason.code, reason.en) for reason in reasons(call)] == [
        ("fraud-number-talk", "talked to a known fraud number, about 1.5 min")
    ]


def test_talks_are_added_up_and_scam_types_named_once() -> None:
    talks = [Signal(T0, "fraud-number-talk", f"c{n}", "", "", kind, 90, 60) for n, kind in enumerate(["loan"] * 2)]
    talks.append(Signal(T0, "fraud-number-talk", "c9", "", "", "new-kind", 90, 60))

    (reason,) = reasons(talks)

    assert reason.zh == "与已知涉诈号码通话，共约3分钟（虚假贷款、new-kind）"
    assert reason.en == "talked to a known fraud number, about 3 min (fake loan, new-kind)"


@pytest.mark.parametrize("why", NO_LONGER)
def test_a_withdrawal_says_why_in_both_languages(why: str) -> None:
    reason = no_longer(why)

    assert reason.code == f"no-longer-{why}"
    assert reason.zh
    assert reason.en


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_every_scam_type_is_told_by_its_name(scam_type: str) -> None:
    assert scam_name(scam_type) == SCAM_TYPES[scam_type]
