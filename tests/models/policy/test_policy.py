"""The policy file: what is refused, how the error is worded, and what the repository's own policy contains."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detection.features import CONTACT_FEATURES, CONTEXT_FEATURES, Features
from models.detection.risk import PointScore, points
from models.policy.policy import SEVERITIES, ContactPoints, ContextPoints, PolicyError, parse
from tests.strategies import POLICY

CONTENT = (Path(__file__).parents[3] / "policy.yaml").read_bytes()


def changed(old: str, new: str) -> bytes:
    """The repository's policy with one piece of text replaced."""
    text = CONTENT.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


def test_the_policy_of_the_repository_is_good() -> None:
    policy = parse(CONTENT)

    assert set(policy.severities) == set(SEVERITIES)
    assert policy.windows.quiet_hours == 72


def test_the_policy_of_points_differs_in_its_severities_and_in_how_common_fraud_is() -> None:
    ours = parse(CONTENT)

    assert (
        msgspec.structs.replace(POLICY, severities=ours.severities, prevalence=ours.prevalence, version=ours.version)
        == ours
    )
    assert POLICY.severities != ours.severities


def test_a_policy_from_before_the_brokers_clock_has_the_same_rules() -> None:
    old = (
        changed("clock:\n  tolerance: 2 ", "# ").replace(b"\n  wait: 0.5", b"\n# ").replace(b"\n  oldest_days", b"\n# ")
    )

    assert msgspec.structs.replace(parse(old), version="") == msgspec.structs.replace(parse(CONTENT), version="")


def test_the_version_is_a_hash_of_the_content() -> None:
    other = parse(CONTENT + b"# a remark\n")

    assert parse(CONTENT).version == hashlib.sha256(CONTENT).hexdigest()[:12]
    assert other.version != parse(CONTENT).version
    assert msgspec.structs.replace(other, version="") == msgspec.structs.replace(parse(CONTENT), version="")


def test_a_version_that_is_written_in_the_file_is_not_believed() -> None:
    content = CONTENT + b"\nversion: mine\n"

    assert parse(content).version == hashlib.sha256(content).hexdigest()[:12]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "null"),
        (b"[]", "array"),
        (b"contact: 3", "$.contact"),
        (b"a: [", "not YAML"),
        (b"\xff\xfe\xff", "not YAML"),
        (b"\x00", "not YAML"),
        (b"a: !!python/object:os.system {}", "not YAML"),
        (b"contact: 2020-99-99", "not YAML"),
        (changed("  missed: 12", "  mist: 12"), "mist"),
        (changed("  missed: 12  ", "# missed: 12"), "missed"),
        (changed("  missed: 12", "  missed: many"), "$.contact.missed"),
        (changed("  missed: 12", "  missed: -1"), "$.contact.missed"),
        (changed("  missed: 12", "  missed: 101"), "$.contact.missed"),
        (changed("  missed: 12", "  missed: .nan"), "$.contact.missed"),
        (changed("  missed: 12", "  missed: yes"), "$.contact.missed"),
        (changed("  vulnerable: 5", "  vulnerable: .inf"), "$.context.vulnerable"),
        (changed("  talk: 1\n", "  talk: 0\n"), "$.windows.talk"),
        (changed("  talk: 1\n", "  talk: .nan\n"), "$.windows.talk"),
        (changed("  talk: 1\n", "  talk: 11\n"), "windows.talk"),
        (changed("quiet_hours: 72", "quiet_hours: 20000"), "$.windows.quiet_hours"),
        (changed("quiet_hours: 72", "quiet_hours: 23"), "windows.context_after_hours"),
        (changed("code_after: 60", "code_after: 4321"), "windows.code_after"),
        (changed("code_before: 10", "code_before: 4321"), "windows.code_before"),
        (changed("context_kept: 60", "context_kept: 9"), "windows.context_kept"),
        (changed("tolerance: 2 ", "tolerance: 0 "), "$.clock.tolerance"),
        (changed("  wait: 0.5 ", "  wait: -1 "), "$.clock.wait"),
        (changed("oldest_days: 14", "oldest_days: 0"), "$.dispatch.oldest_days"),
        (changed("recipients: 5 ", "recipients: 1 "), "$.pivots.recipients"),
        (changed("confidence: 10 ", "confidence: -1 "), "$.pivots.confidence"),
        (changed("  medium:\n    - {risk: 0.20}", ""), "medium"),
        (changed("  medium:\n    - {risk: 0.20}", "  medium: []"), "medium"),
        (changed("  medium:\n    - {risk: 0.20}", "  middling:\n    - {risk: 0.30}"), "$.severities"),
        (changed("{risk: 0.20}", "{risk: 1.5}"), "$.severities"),
        (changed("{risk: 0.20}", "{risk: .nan}"), "$.severities"),
        (changed("{risk: 0.85}", "{risk: 0.85, stage: drowned}"), "$.severities"),
        (changed("{risk: 0.85}", "{rist: 0.85}"), "rist"),
    ],
)
def test_a_broken_policy_is_refused_by_name(content: bytes, named: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(content)

    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.one_of(st.binary(max_size=40), st.text(alphabet="a:[]{}-&*!|>% \n\t'\"#0", max_size=30).map(str.encode)))
def test_nothing_but_a_policy_error_escapes(content: bytes) -> None:
    with pytest.raises(PolicyError):
        parse(content)


SHARES = st.floats(0, 1)
FEATURES = st.builds(
    Features,
    **dict.fromkeys(CONTACT_FEATURES, SHARES),
    **dict.fromkeys(CONTEXT_FEATURES, st.integers(0, 3).map(float)),
)


def test_points_are_given_for_the_first_features_in_their_order() -> None:
    assert ContactPoints.__struct_fields__ == CONTACT_FEATURES
    assert ContextPoints.__struct_fields__ == CONTEXT_FEATURES


@given(FEATURES, st.sampled_from(CONTACT_FEATURES + CONTEXT_FEATURES))
def test_more_of_anything_never_lowers_the_risk(features: Features, name: str) -> None:
    more = msgspec.structs.replace(features, **{name: max(getattr(features, name), 1.0)})

    less_risk, risk = PointScore().risk([features, more], POLICY)
    assert 0 <= less_risk <= risk <= 1


def test_no_contact_no_risk_whatever_else_happens() -> None:
    assert points(Features(code=3, bank_call=1, bank_notice=1, vulnerable=2), POLICY) == 0


def test_the_risk_is_the_strongest_contact_and_its_context_in_points_of_a_hundred() -> None:
    moments = [Features(sms=1, domain=0.5), Features(talk=1, code=2), Features(long_talk=1, code=3)]

    assert PointScore().risk(moments, POLICY) == [0.15, 0.96, 1.0]
