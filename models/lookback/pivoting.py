"""Pivoting: a number that has sent a known fraud domain to enough different people is itself a fraud number.

The step goes from domains and URLs to their senders' numbers and no further. Nothing is derived from a number, and so
nothing from a derived indicator. The source in a derived indicator's own record names its origins, so the topic of the
indicators is the only memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from models.base.number_keys import number_of
from models.indicators.indicator import Indicator
from models.indicators.matching import FOREVER, Indicators, Listing
from models.indicators.numbers import is_normal, is_protected
from models.lookback.campaigns import is_ordinary
from models.lookback.keys import bare_host
from models.lookback.recipients import Pair
from models.lookback.suspicion import is_fresh, is_suspicion
from models.policy.policy import CampaignRules, PivotRules, SuspicionRules
from models.texts.domains import parents

_DERIVED: Final = "pivot "
_WITHDRAWN: Final = "pivot withdrawn "
"""The beginning of the source of a number withdrawn with its origins. Any other revoked number stays revoked."""
_ORIGINS: Final = ("domain:", "url:")
_ROOM: Final = 180
"""How many characters of a source may name origins. With the prefix, no record's source may be longer than 200."""


def origins_of(indicator: Indicator) -> tuple[str, ...]:
    """The indicators (``type:value``) that a number was derived from; none for any other indicator.

    >>> fields = {"scam_type": "loan", "confidence": 80, "valid_from": 0}
    >>> origins_of(Indicator(type="number", value="99900123456", source="pivot domain:evil.top", **fields))
    ('domain:evil.top',)
    >>> origins_of(Indicator(type="number", value="99900123456", source="pivot table", **fields))
    ()
    """
    if indicator.type != "number" or not indicator.source.startswith(_DERIVED):
        return ()
    names = tuple(indicator.source.removeprefix(_DERIVED).split(" "))
    return names if all(name.startswith(_ORIGINS) for name in names) else ()


def implied(number: str, origins: Mapping[str, Listing], rules: PivotRules) -> Indicator | None:
    """The indicator that these origins, each with its listing, imply for a number that sent them; None without origins.

    The origin with the highest confidence determines the scam type. The number is valid as long as any of the origins
    is, also for past contacts.
    """
    named: dict[str, Listing] = {}
    for origin, known in sorted(origins.items()):
        if len(" ".join([*named, origin])) <= _ROOM:
            named[origin] = known
    if not named:
        return None
    surest = max(named.items(), key=lambda each: (each[1].confidence, each[0]))[1]
    until = max(known.valid_until for known in named.values())
    return Indicator(
        type="number",
        value=number,
        scam_type=surest.scam_type,
        confidence=max(1, surest.confidence - rules.confidence),
        source=_DERIVED + " ".join(named),
        valid_from=min(known.valid_from for known in named.values()),
        valid_until=None if until == FOREVER else until,
    )


def withdrawn(indicator: Indicator) -> Indicator:
    """The record that withdraws a derived number; it may be derived again, as nobody has said that it is harmless."""
    return replace(indicator, revoked=True, source=_WITHDRAWN + " ".join(origins_of(indicator)))


class Pivot:
    """Determines which numbers to derive and which to withdraw, from the records on the topic of the indicators.

    Pass every valid record to `put` or `remove`, after ``known`` has taken it in. The pivot publishes nothing itself: a
    record that is due stays due until it comes back from the topic.
    """

    def __init__(self, known: Indicators) -> None:
        self._known = known
        self.derived: dict[str, Indicator] = {}
        """The numbers in force because of their origins, each with its record."""
        self.suspected: dict[str, Indicator] = {}
        """The numbers that are suspected and not known otherwise, each with its record."""
        self._revoked: set[str] = set()
        self._owners: set[str] = set()
        """Domains that were listed at some time, or have listed names below them; most domains are not among these."""

    def put(self, indicator: Indicator) -> None:
        """Take in a record of an indicator."""
        if indicator.type == "number":
            self._put_number(indicator)
        elif indicator.type != "number-prefix":
            self._owners.add(_owner(indicator))

    def remove(self, key: str) -> None:
        """Take in a tombstone. It declares that a number is not fraudulent, so the number is not derived."""
        kind, _, value = key.partition(":")
        if kind == "number":
            self.derived.pop(value, None)
            self.suspected.pop(value, None)
            self._revoked.add(value)

    def _put_number(self, indicator: Indicator) -> None:
        self.derived.pop(indicator.value, None)
        self.suspected.pop(indicator.value, None)
        self._revoked.discard(indicator.value)
        if indicator.revoked:
            if not indicator.source.startswith(_WITHDRAWN):
                self._revoked.add(indicator.value)
        elif origins_of(indicator):
            self.derived[indicator.value] = indicator
        elif is_suspicion(indicator):
            self.suspected[indicator.value] = indicator

    def concerns(self, domain: str) -> bool:
        """Whether a registered domain, or a name below it, may be known; this takes one look-up."""
        return domain in self._owners

    def due(
        self, counts: Mapping[Pair, int], last: Mapping[int, int], rules: PivotRules, ordinary: CampaignRules
    ) -> list[Indicator]:
        """The numbers to publish, judged by how many people each sender has reached with each origin.

        ``last`` has the event time of each sender's last SMS. The numbers include those that were derived before, if
        more origins speak against them now.
        """
        reached: dict[str, set[str]] = defaultdict(set)
        times: dict[str, int] = {}
        for (origin, sender), people in counts.items():
            if people >= rules.recipients and origin.startswith(_ORIGINS):
                number = number_of(sender)
                reached[number].add(origin)
                times[number] = last[sender]
        found = []
        for number, origins in sorted(reached.items()):
            if self._may_be(number, times[number], ordinary):
                before = self.derived.get(number)
                said = self._said(number, origins if before is None else {*origins, *origins_of(before)}, rules)
                if said is not None and said != before:
                    found.append(said)
        return found

    def outdated(self, rules: PivotRules) -> Iterator[Indicator]:
        """The new records of derived numbers whose origins have changed or are no longer known."""
        for number, before in self.derived.items():
            said = self._said(number, origins_of(before), rules)
            if said is None:
                yield withdrawn(before)
            elif said != before:
                yield said

    def _said(self, number: str, origins: Iterable[str], rules: PivotRules) -> Indicator | None:
        held = {origin: known for origin in origins if (known := self._known.known(origin)) is not None}
        return implied(number, held, rules)

    def may_be_suspected(self, number: str, at: int, rules: SuspicionRules, ordinary: CampaignRules) -> bool:
        """Whether suspecting a number at an event time would be news, and nothing speaks against it."""
        before = self.suspected.get(number)
        if before is not None and is_fresh(before, at, rules):
            return False
        if number in self.derived and not self._is_over(f"number:{number}", at):
            return False
        return self._may_be(number, at, ordinary)

    def _may_be(self, number: str, at: int, ordinary: CampaignRules) -> bool:
        """Whether a number may be derived: not if it is protected, ordinary, revoked, or known in another way.

        What was known of it no longer counts once its validity has ended by the event time ``at``.
        """
        if is_ordinary("number", number, ordinary) or is_protected(number) or not is_normal(number):
            return False
        if number in self.derived and not self._is_over(f"number:{number}", at):
            return True
        names = [f"number-prefix:{number[:length]}" for length in self._known.prefix_lengths]
        if number not in self.suspected:  # a suspicion gives way to a derivation from a known domain
            names.append(f"number:{number}")
        return number not in self._revoked and all(self._is_over(name, at) for name in names)

    def _is_over(self, key: str, at: int) -> bool:
        """Whether an indicator is unknown, or its validity has ended by an event time."""
        known = self._known.known(key)
        return known is None or known.is_over(at)


def _owner(indicator: Indicator) -> str:
    """The registered domain of a domain or URL, or its address if it has no domain."""
    host = bare_host(indicator.value) if indicator.type == "url" else indicator.value
    return (parents(host) or (host,))[-1]
