"""Features: what an episode's evidence amounts to at one moment, in one place and one order.

The score reads them, a trained model will read the very same. Contact features are shares 0 to 1 (the confidence of
the strongest indicator met in that way), context features are capped counts.
"""

from __future__ import annotations

from msgspec import Struct


class Features(Struct, frozen=True, gc=False):
    """One moment of one episode. The field order is the order of a model's columns."""

    sms: float = 0.0
    """Share: an SMS from or to a known number."""
    domain: float = 0.0
    """Share: an SMS with a known domain or URL."""
    missed: float = 0.0
    """Share: an unanswered call from a known number."""
    brief_talk: float = 0.0
    """Share: an answered call that was hung up within ``windows.talk``."""
    in_progress: float = 0.0
    """Share: a call with a known number that is going on at this moment."""
    talk: float = 0.0
    """Share: at least ``windows.talk`` of talk, ended or still going on."""
    long_talk: float = 0.0
    """Share: at least ``windows.long_talk`` of talk, ended or still going on."""
    callback: float = 0.0
    """Share: the subscriber has rung a known number."""
    repeated_contact: float = 0.0
    """Count 0 to 3: contacts after the first."""
    code: float = 0.0
    """Count 0 to 3: verification codes near a contact."""
    bank_call: float = 0.0
    """0 or 1: a call to a bank's hotline after a contact."""
    check_call: float = 0.0
    """0 or 1: a call to 110, 96110, 12381, 114 or an authority after a contact."""
    long_call: float = 0.0
    """0 or 1: a long call with another number after a contact."""
    bank_notice: float = 0.0
    """0 or 1: a bank wrote of a payment after a contact."""
    vulnerable: float = 0.0
    """Count 0 to 2: vulnerability flags of the subscriber."""


CONTACT_FEATURES = ("sms", "domain", "missed", "brief_talk", "in_progress", "talk", "long_talk", "callback")
CONTEXT_FEATURES = (
    "repeated_contact",
    "code",
    "bank_call",
    "check_call",
    "long_call",
    "bank_notice",
    "vulnerable",
)
