"""Features: the evidence of an episode at one moment as numbers, defined in one place and in one order.

The points of ``policy.yaml`` use the first two groups; a trained model uses all of them. A share lies between 0 and 1:
the confidence of the strongest indicator met in that way. Counts and times are capped, so that no single person lies
far outside the range that a model was trained on.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

FEATURES_VERSION: Final = 3
"""Raise it whenever the meaning of a feature changes: a model of another version is refused."""


class Features(Struct, frozen=True, gc=False):
    """One moment of one episode. The field order is the order of a model's columns."""

    sms: float = 0.0
    """Share: an SMS from a known number."""
    reply: float = 0.0
    """Share: the subscriber has written to a known number."""
    domain: float = 0.0
    """Share: an SMS with a known domain or URL, or whose text names a known number."""
    missed: float = 0.0
    """Share: an unanswered call from a known number."""
    brief_talk: float = 0.0
    """Share: an answered call that was hung up within ``windows.talk``."""
    in_progress: float = 0.0
    """Share: a call with a known number that is in progress at this moment."""
    talk: float = 0.0
    """Share: at least ``windows.talk`` of talk, ended or still in progress."""
    long_talk: float = 0.0
    """Share: at least ``windows.long_talk`` of talk, ended or still in progress."""
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
    """0 or 1: a bank wrote about a payment after a contact."""
    vulnerable: float = 0.0
    """Count 0 to 2: vulnerability flags of the subscriber."""

    confidence: float = 0.0
    """Share: the strongest indicator met in any way."""
    talk_minutes: float = 0.0
    """Minutes 0 to 120: talk with known numbers, all calls together, ended or still in progress."""
    longest_minutes: float = 0.0
    """Minutes 0 to 60: the longest of those calls."""
    answered_calls: float = 0.0
    """Count 0 to 15: calls with known numbers that have ended after some talk."""
    missed_calls: float = 0.0
    """Count 0 to 10: unanswered calls from known numbers."""
    callbacks: float = 0.0
    """Count 0 to 5: calls to known numbers."""
    messages: float = 0.0
    """Count 0 to 10: SMS from known numbers."""
    replies: float = 0.0
    """Count 0 to 5: SMS to known numbers."""
    links: float = 0.0
    """Count 0 to 5: SMS with known domains, URLs or numbers."""
    identities: float = 0.0
    """Count 0 to 6: different indicators met."""
    hours: float = 0.0
    """Hours 0 to 336: from the first contact to the last."""
    quiet_minutes: float = 0.0
    """Minutes 0 to 1440: since the last contact with a known number or link; 0 during a call with a known number."""
    since_talk_minutes: float = 1440.0
    """Minutes 0 to 1440: since a talk with a known number last ended; 1440 if there was none."""
    codes_on_call: float = 0.0
    """Count 0 to 3: verification codes during a call with a known number."""
    codes_after: float = 0.0
    """Count 0 to 8: verification codes at any time after a contact."""
    bank_notices: float = 0.0
    """Count 0 to 4: banks' notices of payments after a contact."""
    notices_after_code: float = 0.0
    """Count 0 to 2: such notices within half an hour of a verification code near a contact."""
    other_minutes: float = 0.0
    """Minutes 0 to 60: the longest long call with another number after a contact."""
    codes_on_other: float = 0.0
    """Count 0 to 3: verification codes during such a call."""
    handed_on: float = 0.0
    """0 or 1: such a call began within ten minutes after a contact, as if one fraudster had passed the victim on."""
    courted: float = 0.0
    """0 or 1: all indicators met belong to frauds that court people for weeks before they ask for anything."""


CONTACT_FEATURES: Final = Features.__struct_fields__[:9]
CONTEXT_FEATURES: Final = Features.__struct_fields__[9:16]

MORE_IS_WORSE: Final = frozenset(
    {
        *CONTACT_FEATURES,
        *CONTEXT_FEATURES,
        *("confidence", "talk_minutes", "longest_minutes", "callbacks", "replies", "identities"),
        *(
            "codes_on_call",
            "codes_after",
            "bank_notices",
            "notices_after_code",
            "other_minutes",
            "codes_on_other",
            "handed_on",
        ),
    }
    - {"sms", "missed", "brief_talk", "in_progress", "repeated_contact"}
)
"""Features whose increase never lowers the risk, whatever a sample happens to say: training enforces this."""
