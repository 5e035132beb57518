"""Campaigns: one domain or sender's number that suddenly reaches many people, judged by counts alone.

An unknown domain or number is suspected only while it is new: a bank's domain has existed for years. One that is known
for fraud, or that borrows an organisation's name, needs to reach fewer people.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

from models.base.durations import HOUR
from models.indicators.numbers import hotline
from models.lookback.lookalikes import is_own
from models.policy.policy import CampaignRules
from models.texts.domains import is_shared_host

LEAST_DIGITS: Final = 10
"""The fewest digits of a subscriber's number. Shorter numbers belong to services, which send ordinary mass mailings."""

SERVICE_PREFIX: Final = "106"
"""The prefix of China's SMS service numbers (MIIT's numbering plan); no country's subscriber numbers have it."""

Status = Literal["suspected", "confirmed", "dismissed"]
STATUSES: Final[tuple[Status, ...]] = ("suspected", "confirmed", "dismissed")
SpreadType = Literal["domain", "number"]


class Spread(Struct, frozen=True, kw_only=True):
    """How far a domain or number has spread at one moment; times are epoch ms of event time."""

    type: SpreadType
    value: str
    recipients: int
    """Distinct people in the current hour."""
    subscribers: int
    """Distinct people in all."""
    events: int
    senders: int
    """Distinct numbers that sent it."""
    first_seen: int
    last_seen: int
    scam_type: str | None = None
    """The scam type that it is known for; None if it is unknown."""
    resembles: str = ""
    """The organisation whose name it borrows."""


class Campaign(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record on the ``campaigns`` topic."""

    id: str
    type: Literal["domain", "number", "url"]
    value: str
    status: Status
    subscribers: int
    events: int
    first_seen: int
    last_seen: int
    at: int
    """Event time of the decision."""
    scam_type: str | None = None
    senders: int | None = None
    resembles: str | None = None
    template: str | None = None
    """The most frequent template of its texts (`models.texts.templates`), as 16 hexadecimal digits."""
    template_share: float | None = None
    """The share of the most recent texts that have it, 0 to 1."""

    @property
    def key(self) -> str:
        """``type:value``, the key that an indicator of it would have."""
        return f"{self.type}:{self.value}"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Campaign)


def encode(campaign: Campaign) -> bytes:
    """The record as one line of JSON, fields always in the same order."""
    return _encoder.encode(campaign)


def decode(record: bytes) -> Campaign:
    """The campaign in a record; raises `msgspec.MsgspecError` when the record is not a campaign."""
    return _decoder.decode(record)


def is_ordinary(kind: SpreadType, value: str, rules: CampaignRules) -> bool:
    """Whether a domain or number may reach everybody and is never suspected.

    This is true of the policy's well-known values, an organisation's own domain, a service's number and a shared host.
    On a shared host, strangers share one name, so its count says nothing about any one of them.
    """
    if value in rules.well_known:
        return True
    if kind == "number":
        return len(value) < LEAST_DIGITS or value.startswith(SERVICE_PREFIX) or hotline(value) is not None
    return is_own(value) or is_shared_host(value)


def _needed(spread: Spread, rules: CampaignRules) -> int:
    """How many people the spread must reach within an hour."""
    return rules.resembling if spread.scam_type is not None or spread.resembles else rules.recipients


def judged(spread: Spread, rules: CampaignRules) -> Literal["suspected", "confirmed"] | None:
    """The status of a spread's campaign at this moment; None if it is not a campaign."""
    if spread.recipients < _needed(spread, rules):
        return None
    if spread.scam_type is not None:
        return "confirmed"
    is_new = spread.last_seen - spread.first_seen <= rules.fresh_hours * HOUR
    return "suspected" if is_new or spread.resembles else None


def campaign(spread: Spread, status: Status, began: int, template: str = "", share: float = 0.0) -> Campaign:
    """The campaign of a spread; ``began`` is the time of its first contact, which makes its id with type and value.

    ``template`` is the most frequent template of its texts, if there is any, and ``share`` is that template's share.
    """
    return Campaign(
        id=campaign_id(spread.type, spread.value, began),
        type=spread.type,
        value=spread.value,
        status=status,
        subscribers=spread.subscribers,
        events=max(spread.events, spread.subscribers),
        first_seen=began,
        last_seen=spread.last_seen,
        at=spread.last_seen,
        scam_type=spread.scam_type,
        senders=spread.senders,
        resembles=spread.resembles or None,
        template=template or None,
        template_share=round(share, 3) if template else None,
    )


def campaign_id(kind: str, value: str, began: int) -> str:
    """The id of a campaign: a hash of its type, its value and the time of its first contact.

    >>> campaign_id("domain", "evil.top", 0) == campaign_id("domain", "evil.top", 0)
    True
    """
    return hashlib.blake2b(f"campaign\0{kind}\0{value}\0{began}".encode(), digest_size=12).hexdigest()
