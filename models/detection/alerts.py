"""Alerts: the decision that somebody must act, one per episode and severity.

An alert's value depends only on the records and the site's key, so two runs over the same records can be compared byte
for byte. Its id follows from its episode and severity (`models.detection.ids`), so a repeat is recognised.
"""

from __future__ import annotations

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
