"""Naming: the id of a risk, a keyed hash of its number or account, under the site's key of pseudonyms.

An account's id is the key by which the stop-payments know it, so that a case leads to the risk.
"""

from __future__ import annotations

from models.access.audit_keys import pseudonym
from models.casework.payments import Account, mask, normalised
from models.risks.numbers import NumberEvidence
from models.risks.risk import Evidence
from streams.ledger.inquiry import wanted


def account(number: str, key: str) -> Account:
    """An account number as it is kept: its last four letters or digits and a keyed hash; raises `PaymentError`."""
    return Account(masked=mask(number), key=pseudonym(key, f"account:{normalised(number)}"))


def id_of_number(number: str, key: str) -> str:
    """The id of a number in normal form.

    >>> id_of_number("8610000000001", "a key") != id_of_number("8610000000002", "a key")
    True
    """
    return pseudonym(key, f"risk:{number}")


def id_of(evidence: Evidence, key: str) -> str:
    """The id of the risk that this evidence is about."""
    return id_of_number(evidence.number, key) if isinstance(evidence, NumberEvidence) else evidence.account.key


def normal_number(typed: str, region: str) -> str:
    """A number as people write it, in normal form; raises `IndicatorError`."""
    return wanted("number", typed, region).value
