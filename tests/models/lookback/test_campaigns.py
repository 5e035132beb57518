"""Campaigns: what spreads and what counts as a campaign, by counts alone."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from models.base.durations import HOUR
from models.lookback.campaigns import Spread, campaign, decode, encode, is_ordinary, judged
from models.policy.policy import CampaignRules
from tests.site import ROOT

RULES = CampaignRules(recipients=300, resembling=50, fresh_hours=48, well_known=["parcels.example"])
AT = 1_773_625_200_000


def spread(**more: object) -> Spread:
    """A fresh domain that has almost reached the required number of people."""
    known: dict[str, object] = {
        "type": "domain",
        "value": "evil.top",
        "recipients": 299,
        "subscribers": 299,
        "events": 310,
        "senders": 7,
        "first_seen": AT - HOUR,
        "last_seen": AT,
    }
    return msgspec.convert(known | more, Spread)


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, None),
        ({"recipients": 300}, "suspected"),
        ({"recipients": 300, "first_seen": AT - 49 * HOUR}, None),
        ({"recipients": 49, "resembles": "ICBC"}, None),
        ({"recipients": 50, "resembles": "ICBC"}, "suspected"),
        ({"recipients": 50, "resembles": "ICBC", "first_seen": 0}, "suspected"),
        ({"recipients": 49, "scam_type": "loan"}, None),
        ({"recipients": 50, "scam_type": "loan", "first_seen": 0}, "confirmed"),
    ],
)
def test_what_it_is_taken_for(more: dict[str, object], verdict: str | None) -> None:
    assert judged(spread(**more), RULES) == verdict


@pytest.mark.parametrize(
    ("kind", "value", "ordinary"),
    [
        ("domain", "parcels.example", True),
        ("domain", "icbc.com.cn", True),
        ("domain", "chinatax.gov.cn", True),
        ("domain", "bit.ly", True),
        ("domain", "evil.top", False),
        ("number", "95588", True),
        ("number", "106900095588", True),
        ("number", "8695588", True),
        ("number", "99900123456", False),
    ],
)
def test_what_may_reach_everybody(kind: str, value: str, ordinary: bool) -> None:
    assert is_ordinary(kind, value, RULES) is ordinary  # type: ignore[arg-type]


def test_a_record_keeps_its_contract_and_comes_back() -> None:
    schema = msgspec.json.decode((ROOT / "schemas" / "campaigns-v1.json").read_bytes())
    for more in ({}, {"scam_type": "loan", "resembles": "ICBC"}):
        made = campaign(spread(**more), "suspected", AT - HOUR)
        jsonschema.validate(msgspec.json.decode(encode(made)), schema)
        assert decode(encode(made)) == made


def test_a_campaign_keeps_its_id_as_it_grows() -> None:
    one = campaign(spread(), "suspected", AT - HOUR)
    grown = campaign(spread(subscribers=900, last_seen=AT + HOUR), "confirmed", AT - HOUR)
    assert one.id == grown.id
    assert one.id != campaign(spread(), "suspected", AT).id
    assert one.id != campaign(spread(value="worse.top"), "suspected", AT - HOUR).id
