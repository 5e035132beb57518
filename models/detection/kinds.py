"""Kinds: every kind of signal in one registry, with the properties of each kind.

A contact touches a known indicator and can open an episode. A context means nothing by itself and everything near a
contact. To add a kind, write its name into `ContactKind` or `ContextKind` and its entry into `KINDS`, and create the
signal where its event is read (`models.detection.recognition`). If another place needs a line, then mypy, the check
below or tests/test_registries.py names it (docs/signals.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from models.policy.stages import Stage

ContactKind = Literal[
    "fraud-number-call",
    "fraud-number-callback",
    "fraud-number-talk",
    "fraud-number-missed",
    "fraud-number-sms",
    "fraud-number-reply",
    "fraud-number-text",
    "fraud-domain-sms",
]
ContextKind = Literal["verification-code", "bank-notice", "bank-call", "check-call", "long-call"]
KindName = Literal[ContactKind, ContextKind]
"""The name of a kind of signal in records, in checkpoints and in the ``reasons`` of an alert."""

NUMBER_CALL: Final = "fraud-number-call"
"""A call from a known number has started; whether it is answered is not known yet."""
NUMBER_CALLBACK: Final = "fraud-number-callback"
"""The subscriber rings a known number."""
NUMBER_TALK: Final = "fraud-number-talk"
"""A call with a known number has ended after ``duration_s`` of talk."""
NUMBER_MISSED: Final = "fraud-number-missed"
"""A call with a known number has ended unanswered."""
NUMBER_SMS: Final = "fraud-number-sms"
"""An SMS from a known number."""
NUMBER_REPLY: Final = "fraud-number-reply"
"""The subscriber has written to a known number."""
NUMBER_TEXT: Final = "fraud-number-text"
"""An SMS whose text names a known number, so that the subscriber may ring it."""
DOMAIN_SMS: Final = "fraud-domain-sms"
"""An SMS with a known domain or URL."""
CODE: Final = "verification-code"
"""A verification code has arrived."""
BANK_NOTICE: Final = "bank-notice"
"""A bank has written about a transfer or payment."""
BANK_CALL: Final = "bank-call"
"""The subscriber rings a bank's hotline."""
CHECK_CALL: Final = "check-call"
"""The subscriber rings 110, 96110, 12381, 114 or an authority: a check, or a call for help."""
LONG_CALL: Final = "long-call"
"""A call with another number was unusually long."""

ContactFeature = Literal["sms", "reply", "domain", "missed", "callback"]
ContextFeature = Literal["code", "bank_call", "check_call", "long_call", "bank_notice"]

CallPart = Literal["none", "begins", "talked", "missed"]
"""What a contact says about a call with a known number.

A running call counts as ``in_progress``. Its length decides the rest: ``brief_talk``, ``talk`` or ``long_talk``, and
the stage medium from ``windows.talk`` on.
"""

Rule = Literal["plain", "code", "payment", "other-call"]
"""How a context counts.

- ``plain``: within ``windows.context_after_hours`` after a contact.
- ``code``: from ``windows.code_before`` before a contact to ``windows.code_after`` after it; the stage is deep then.
- ``payment``: as ``plain``. Within ``windows.harmed_hours`` after the stage became deep, the stage is harmed.
- ``other-call``: as ``plain``. Its length counts, and so do verification codes that arrive during the call.
"""


class Contact(Struct, frozen=True, gc=False, kw_only=True):
    """A kind of signal that touches a known indicator."""

    name: ContactKind
    zh: str
    """The reason in an alert: ``{n}``, ``{minutes}`` and ``{scam}`` are filled in."""
    en: str
    feature: ContactFeature | None = None
    """The share of `Features` that it raises at once.

    The points of the same name in ``policy.yaml`` are its points. A call's other shares follow from ``call``.
    """
    reaches: Stage | None = None
    """The stage that it shows at once."""
    call: CallPart = "none"


class Context(Struct, frozen=True, gc=False, kw_only=True):
    """A kind of signal that counts only near a contact."""

    name: ContextKind
    zh: str
    en: str
    feature: ContextFeature
    """The field of `Features` in which it counts, and the name of its points in ``policy.yaml``. Kinds may share one.

    A new field changes the columns of the model: raise ``FEATURES_VERSION`` and train the model again.
    """
    ledger: int
    """Its number in the rows of the ledger, 0 to 15. Take the next free number, and never change one in use."""
    reaches: Stage | None = None
    """The stage that it shows as soon as it counts; ``rule`` may raise the stage further."""
    rule: Rule = "plain"


Kind = Contact | Context

_ENTRIES: Final[tuple[Kind, ...]] = (
    Contact(
        name="fraud-number-call",
        call="begins",
        zh="正在与已知涉诈号码通话{scam}",
        en="is on the phone with a known fraud number{scam}",
    ),
    Contact(
        name="fraud-number-callback",
        feature="callback",
        reaches="deep",
        call="begins",
        zh="主动回拨已知涉诈号码{scam}",
        en="rang a known fraud number{scam}",
    ),
    Contact(
        name="fraud-number-talk",
        call="talked",
        zh="与已知涉诈号码通话，共约{minutes}分钟{scam}",
        en="talked to a known fraud number, about {minutes} min{scam}",
    ),
    Contact(
        name="fraud-number-missed",
        feature="missed",
        call="missed",
        zh="未接已知涉诈号码来电，共{n}次{scam}",
        en="missed {n} call(s) from a known fraud number{scam}",
    ),
    Contact(
        name="fraud-number-reply",
        feature="reply",
        reaches="medium",
        zh="曾向已知涉诈号码回复短信，共{n}条{scam}",
        en="wrote {n} SMS to a known fraud number{scam}",
    ),
    Contact(
        name="fraud-number-sms",
        feature="sms",
        zh="收到已知涉诈号码的短信，共{n}条{scam}",
        en="got {n} SMS from a known fraud number{scam}",
    ),
    Contact(
        name="fraud-number-text",
        feature="domain",
        zh="收到短信{n}条，内容中留有已知涉诈号码{scam}",
        en="got {n} SMS naming a known fraud number{scam}",
    ),
    Contact(
        name="fraud-domain-sms",
        feature="domain",
        zh="收到含已知涉诈网址的短信，共{n}条{scam}",
        en="got {n} SMS with a known fraud link{scam}",
    ),
    Context(
        name="verification-code",
        feature="code",
        ledger=0,
        rule="code",
        zh="在可疑联系前后收到验证码，共{n}条",
        en="got {n} verification code(s) around the contact",
    ),
    Context(
        name="bank-call",
        feature="bank_call",
        ledger=2,
        reaches="deep",
        zh="随后致电银行客服",
        en="rang a bank's hotline afterwards",
    ),
    Context(
        name="check-call",
        feature="check_call",
        ledger=3,
        reaches="medium",
        zh="随后致电110、96110、114等核实",
        en="rang 110, 96110, 114 or an authority afterwards",
    ),
    Context(
        name="long-call",
        feature="long_call",
        ledger=4,
        rule="other-call",
        zh="随后与其他号码长时间通话",
        en="had a long call with another number afterwards",
    ),
    Context(
        name="bank-notice",
        feature="bank_notice",
        ledger=1,
        rule="payment",
        zh="随后收到银行资金变动短信",
        en="got a bank's notice of a payment afterwards",
    ),
)

_HERE: Final = "models/detection/kinds.py"

LEDGER_NUMBERS: Final = 16
"""How many numbers for contexts fit into a row of the ledger."""


def by_name(entries: Iterable[Kind]) -> dict[str, Kind]:
    """The entries by name, in their order.

    Raises `ValueError` when a name has no entry or two, when the numbers in the ledger are not 0, 1, 2 and so on or
    are too many, or when a kind has only one of the rule and the feature ``code``.

    >>> by_name([KINDS["bank-call"], KINDS["bank-call"]])
    Traceback (most recent call last):
        ...
    ValueError: models/detection/kinds.py: 'bank-call' has two entries in _ENTRIES; leave one.
    """
    found: dict[str, Kind] = {}
    for kind in entries:
        if kind.name in found:
            raise ValueError(f"{_HERE}: {kind.name!r} has two entries in _ENTRIES; leave one.")
        found[kind.name] = kind
    if lacking := [name for name in get_args(KindName) if name not in found]:
        raise ValueError(f"{_HERE}: {lacking[0]!r} has no entry in _ENTRIES; add one.")
    contexts = [kind for kind in found.values() if isinstance(kind, Context)]
    if sorted(kind.ledger for kind in contexts) != list(range(len(contexts))) or len(contexts) > LEDGER_NUMBERS:
        raise ValueError(f"{_HERE}: give a new context the next free number in the ledger, and change no other's.")
    if wrong := [kind.name for kind in contexts if (kind.rule == "code") != (kind.feature == "code")]:
        raise ValueError(f"{_HERE}: {wrong[0]!r} needs the rule and the feature 'code', or neither.")
    return found


KINDS: Final[Mapping[str, Kind]] = by_name(_ENTRIES)
"""Every kind by its name, contacts first, in the order in which an alert lists them."""

CONTACTS: Final = frozenset(name for name, kind in KINDS.items() if isinstance(kind, Contact))
CONTEXTS: Final = frozenset(name for name, kind in KINDS.items() if isinstance(kind, Context))

CALL_BEGINS: Final = frozenset(
    name for name, kind in KINDS.items() if isinstance(kind, Contact) and kind.call == "begins"
)
"""Contacts that begin a call with a known number."""
CALL_ENDS: Final = frozenset(
    name for name, kind in KINDS.items() if isinstance(kind, Contact) and kind.call in ("talked", "missed")
)
"""Contacts that end a call with a known number."""

LEDGER_KINDS: Final[tuple[str, ...]] = tuple(
    kind.name
    for kind in sorted((kind for kind in KINDS.values() if isinstance(kind, Context)), key=lambda kind: kind.ledger)
)
"""The contexts by their numbers in the ledger."""
