"""Risky accounts: what the stop-payments of all cases say about an account that stolen money reached or went through.

Accounts are joined by their keyed hashes, so whole numbers are needed nowhere. An account that is seen in two cases is
a hub: the gang uses it for more than one victim.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from models.base.durations import MINUTE
from models.casework.cases import Case, Outcome
from models.casework.payments import Account, Request, Stop

FAST_MIN: Final = 30.0
"""Minutes within which money has to be known to have gone on for a point; gangs split it within minutes."""
HUB_CASES: Final = 2
"""Cases in which a hub was seen, at least."""
NAMED_CASES: Final = 20
"""Cases that the evidence names at most, the newest ones."""
NAMED_BANKS: Final = 5
"""Spellings of its bank that the evidence names at most."""
MISTAKES: Final[frozenset[Outcome]] = frozenset({"false-positive", "wrong-person", "duplicate"})
"""Outcomes of cases whose payments say nothing: nobody was defrauded, or another case has the same payments."""
DEFRAUDED: Final[frozenset[Outcome]] = frozenset({"dissuaded", "refused", "already-harmed"})
"""Outcomes that say that the person was being defrauded."""


class AccountEvidence(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="account"):
    """What is known of an account; times are epoch ms, amounts are in yuan."""

    account: Account
    banks: tuple[str, ...]
    """Its bank, in the newest spellings that officers used, at most `NAMED_BANKS`."""
    levels: tuple[int, ...]
    """The levels at which it was seen: 1 is the account that the victim paid."""
    cases: int
    named_cases: tuple[str, ...]
    """The newest of these cases, at most `NAMED_CASES`."""
    victims: int
    """Different people of these cases."""
    payments: int
    received_cny: float
    frozen_cny: float = 0.0
    passed_on: int = 0
    """The payments of which money went on from here to another account."""
    fastest_min: float | None = None
    """Minutes from a victim's payment until it was known that money had gone on from here, at the least.

    The money itself was faster. None: it did not go on, or nobody said when the victim paid.
    """
    first_seen: int
    last_seen: int
    points: int = 0
    """How much speaks for looking at it first: an order, and no probability (`points`)."""

    @property
    def is_hub(self) -> bool:
        """Whether it was seen in two cases or more."""
        return self.cases >= HUB_CASES


class _Sighting(NamedTuple):
    """One account in one payment of a case."""

    case: Case
    request: Request
    stop: Stop
    onward: Sequence[Stop]
    """The accounts to which money went on from it."""


def accounts(cases: Iterable[Case]) -> list[AccountEvidence]:
    """The evidence about each account of these cases, the most points first, then the newest."""
    seen: dict[str, list[_Sighting]] = defaultdict(list)
    for case in cases:
        for payment in case.payments if case.outcome not in MISTAKES else ():
            for stop in payment.stops:
                onward = [each for each in payment.stops if each.parent == stop.account.key]
                seen[stop.account.key].append(_Sighting(case, payment.request, stop, onward))
    found = [_evidence(sightings) for sightings in seen.values()]
    return sorted(found, key=lambda each: (-each.points, -each.last_seen, each.account.key))


def defrauded(cases: Iterable[Case]) -> set[str]:
    """The subscribers of whom officers found that they were being defrauded, or whose payment was to be stopped."""
    return {
        case.subscriber
        for case in cases
        if case.outcome in DEFRAUDED or (case.payments and case.outcome not in MISTAKES)
    }


def points(cases: int, passed_on: int, fastest_min: float | None) -> int:
    """One point for each case, one for each payment that went on, and one if that was known within `FAST_MIN`.

    >>> points(1, 0, None), points(2, 1, 30.0), points(2, 1, 30.5)
    (1, 4, 3)
    """
    return cases + passed_on + (fastest_min is not None and fastest_min <= FAST_MIN)


def _evidence(sightings: Sequence[_Sighting]) -> AccountEvidence:
    newest = sorted(sightings, key=lambda each: (each.stop.requested_at, each.case.case), reverse=True)
    cases = [*dict.fromkeys(each.case.case for each in newest)]
    passed_on = sum(bool(each.onward) for each in sightings)
    fastest = min((minutes for each in sightings if (minutes := _minutes(each)) is not None), default=None)
    return AccountEvidence(
        account=newest[0].stop.account,
        banks=tuple(dict.fromkeys(each.stop.bank for each in newest))[:NAMED_BANKS],
        levels=tuple(sorted({each.stop.level for each in sightings})),
        cases=len(cases),
        named_cases=tuple(cases[:NAMED_CASES]),
        victims=len({each.case.subscriber for each in sightings}),
        payments=len(sightings),
        received_cny=round(sum(each.stop.received_cny for each in sightings), 2),
        frozen_cny=round(sum(each.stop.frozen_cny for each in sightings), 2),
        passed_on=passed_on,
        fastest_min=fastest,
        first_seen=min(each.stop.requested_at for each in sightings),
        last_seen=max(each.stop.at for each in sightings),
        points=points(len(cases), passed_on, fastest),
    )


def _minutes(sighting: _Sighting) -> float | None:
    """Minutes from the victim's payment until it was first known that money had gone on from an account."""
    paid_at = sighting.request.paid_at
    if paid_at is None or not sighting.onward:
        return None
    return round((min(each.requested_at for each in sighting.onward) - paid_at) / MINUTE, 1)
