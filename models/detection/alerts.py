"""Alerts: the decision that somebody must act, one per episode and severity.

An alert's value depends only on the records, so two runs over the same records can be compared byte for byte. Its id is
a hash of its episode and severity, so a repeat is recognised.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from models.policy.policy import Severity
from models.policy.stages import Stage

Status = Literal["raised", "withdrawn"]


class Reason(Struct, frozen=True, gc=False):
    """One reason for an alert, in words for an officer; ``events`` are the ids of the records behind it."""

    code: str
    zh: str
    en: str
    events: tuple[str, ...]


class Alert(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The record on the ``alerts`` topic. ``at`` is the event time at which the decision became due (epoch ms)."""

    id: str
    subscriber: str
    episode: str
    severity: Severity
    stage: Stage
    risk: float
    scam_type: str
    status: Status
    reasons: tuple[Reason, ...]
    indicators: tuple[str, ...]
    first_seen: int
    at: int
    policy: str
    model: str
    cell: str = ""
    """The person's last cell, if a record of the hour before names it."""


class Published(Struct, array_like=True, gc=False):
    """The latest published version of one alert: its digest, the alert without its reasons, and its basis.

    ``basis`` is a digest of everything that the reasons were weighed by. While it stays the same, so does the alert.
    """

    digest: int
    last: Alert
    basis: int = 0


_encoder = msgspec.json.Encoder()


def encode(alert: Alert) -> bytes:
    """The alert as one line of JSON without a newline, fields always in the same order."""
    return _encoder.encode(alert)


def episode_id(subscriber: str, first_event: str) -> str:
    """The name of an episode: a hash of its subscriber and the event of its first contact.

    >>> episode_id("8610000000001", "c1") == episode_id("8610000000001", "c1")
    True
    """
    return _hash("episode", subscriber, first_event)


def alert_id(episode: str, severity: Severity) -> str:
    """The id of the one alert of an episode and severity."""
    return _hash("alert", episode, severity)


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
