"""The planner of look-backs: what to ask the ledger, and which signals and indicators follow from its answers.

The hunter and the simulated site use the same planner. Each puts the planner's questions to its own ledger, counts
recipients in its own way, and takes in or publishes the results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from models.base.durations import HOUR
from models.base.number_keys import number_of
from models.detection.ids import PUBLIC, Ids
from models.detection.signals import SignalRecord
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.call_patterns import CODE_ROW, Company, Leading, Led, Material
from models.lookback.contacts import own_key
from models.lookback.hunting import Contact, Hit, record_of, signal_of, withdrawal_of
from models.lookback.keys import Keys, keys_of
from models.lookback.naming import Named
from models.lookback.pivoting import Pivot
from models.lookback.questions import Question
from models.lookback.recipients import LinkedSms, Pair, Sending, last_sent, sending_by_links, sending_of
from models.lookback.suspicion import leadable, reach, suspicion
from models.policy.policy import Policy

Dealings = dict[int, list[Contact]]
"""By number key, all contacts of the number in the ledger."""


class Planner:
    """Plans the look-backs of one site; ``pivot`` and ``known`` follow the same records, ``ids`` name its signals.

    ``known`` has the hashes under which the site's ledger keeps links.

    ``policy`` may be replaced at any time; the new one applies from the next call on. The planner remembers the calls
    of the last hours, by partition, and the numbers that led people on in the last two days. Only one thread may use
    it at a time.
    """

    def __init__(self, known: Indicators, pivot: Pivot, policy: Policy, ids: Ids = PUBLIC) -> None:
        self._ids = ids
        self.policy = policy
        self._known = known
        self._pivot = pivot
        self._leading: dict[int, Leading] = {}
        self._company = Company()

    # Looking back for people

    def contacts(self, indicators: Iterable[str]) -> Question[list[Hit]]:
        """The past contacts with these indicators (``type:value``), and the signal that each gives now.

        Where an indicator is no longer known, the answer withdraws the contact, or names another indicator it matches.
        """
        looked_for = frozenset(indicators)
        return Question(keys_of(looked_for), lambda contacts: [*self._hits(contacts, looked_for)])

    def _hits(self, contacts: Iterable[Contact], looked_for: frozenset[str]) -> Iterator[Hit]:
        named, windows = Named(looked_for, self._known.hashes), self.policy.windows
        for contact in contacts:
            names = named(contact)
            if not names:
                continue  # another host with the same hash
            signal = signal_of(contact, self._known, windows)
            is_gone = not all(map(self._known.holds, names))
            if signal is None:
                if is_gone:
                    yield contact, withdrawal_of(contact, self._ids)
            elif is_gone or signal.indicator in looked_for:
                yield contact, record_of(contact.subscriber, signal, self._ids)

    def context(self, moments: Mapping[int, Sequence[int]]) -> Question[list[SignalRecord]]:
        """The signals of these subscribers (number keys) around their contacts (event times)."""
        return Question(Keys.of(map(own_key, moments)), lambda contacts: [*self._near(contacts, moments)])

    def _near(self, contacts: Iterable[Contact], moments: Mapping[int, Sequence[int]]) -> Iterator[SignalRecord]:
        windows = self.policy.windows
        before, after = windows.before_ms, windows.after_ms
        for contact in contacts:
            if any(at - before <= contact.at <= at + after for at in moments[contact.subscriber]):
                signal = signal_of(contact, self._known, windows)
                if signal is not None:
                    yield record_of(contact.subscriber, signal, self._ids)

    # Pivoting from domains to the numbers that send them

    def sendings_found(self, hits: Iterable[Hit]) -> list[Sending]:
        """The numbers that sent known domains to the people found by a look-back."""
        return [sending for hit in hits if (sending := sending_of(*hit)) is not None]

    def sendings_seen(self, messages: Iterable[LinkedSms]) -> list[Sending]:
        """The numbers that sent known domains with these SMS, all of which were received."""
        return [sending for each in messages if (sending := sending_by_links(each, self._known)) is not None]

    def derived(self, sendings: Iterable[Sending], counts: Mapping[Pair, int]) -> list[Indicator]:
        """The numbers to publish as indicators after new sendings, by how many people their senders have reached."""
        return self._pivot.due(counts, last_sent(sendings), self.policy.pivots, self.policy.campaigns)

    def outdated(self) -> list[Indicator]:
        """The derived numbers to revoke or change because their origins were revoked or changed."""
        return [*self._pivot.outdated(self.policy.pivots)]

    # Suspecting unknown numbers

    def causes(self, partition: int, material: Material) -> list[Led]:
        """The calls in a partition's new records that give cause to ask the ledger about their numbers."""
        policy = self.policy
        longest_ms = int(policy.windows.longest_call_hours * HOUR)
        if partition not in self._leading:
            self._leading[partition] = Leading(longest_ms)
        leading = self._leading[partition]
        leading.longest_ms = longest_ms
        return [led for led in leading.take(*material, policy.suspicions) if self._company.gives_cause(led)]

    def may_be_suspected(self, number: int, at: int) -> bool:
        """Whether suspecting a number key at an event time would be news, and nothing speaks against it."""
        policy = self.policy
        return self._pivot.may_be_suspected(number_of(number), at, policy.suspicions, policy.campaigns)

    def dealings(self, numbers: Iterable[int]) -> Question[Dealings]:
        """The contacts of these number keys. Numbers that people mostly contact first are left out, and trusted."""
        asked = [*numbers]
        return Question(Keys.of(asked), lambda contacts: self._dealings(contacts, asked))

    def _dealings(self, contacts: Iterable[Contact], asked: Iterable[int]) -> Dealings:
        found: Dealings = {number: [] for number in asked}
        for contact in contacts:
            found[contact.key].append(contact)
        rules = self.policy.suspicions
        for number in [each for each, some in found.items() if reach(some).is_turned_to(rules)]:
            self._company.trust(number)
            del found[number]
        return found

    def suspicions(self, dealings: Dealings, asked: Mapping[int, int]) -> Question[list[Indicator]]:
        """The suspicions of those numbers that behave like a gang's.

        ``asked`` gives the event time of the suspicion by number key. The question asks the ledger for the verification
        codes of the people that the numbers may have led on.
        """
        rules, prevalence = self.policy.suspicions, self.policy.prevalence
        strangers = {number: some for number, some in dealings.items() if reach(some).is_of_strangers(rules)}
        people: set[int] = set().union(*(leadable(some, rules) for some in strangers.values()))

        def answer(contacts: Iterable[Contact]) -> list[Indicator]:
            codes: dict[int, list[int]] = defaultdict(list)
            for contact in contacts:
                if contact.what == CODE_ROW:
                    codes[contact.subscriber].append(contact.at)
            found = (
                suspicion(number_of(number), some, codes, asked[number], prevalence, rules)
                for number, some in strangers.items()
            )
            return [each for each in found if each is not None]

        return Question(Keys.of(map(own_key, people)), answer)
