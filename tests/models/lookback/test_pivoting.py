"""Pivoting: which senders of known domains become derived numbers, which never do, and which are dropped again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.base.number_keys import NOBODY, key_of, name_key, number_of
from models.events.scanning import OUT
from models.indicators.indicator import Indicator, encode, parse
from models.indicators.matching import Indicators
from models.lookback.contacts import LINKED, SMS
from models.lookback.hunting import Contact, record_of, signal_of, withdrawal_of
from models.lookback.pivoting import Pivot, origins_of
from models.lookback.recipients import Recipients, Sending, last_sent, sending_of
from models.policy.policy import CampaignRules, PivotRules
from tests.site import ROOT
from tests.strategies import ANN, BO, CROOK, FRIEND, OTHER_CROOK, POLICY, T0, indicator

RULES = PivotRules(recipients=3, confidence=10)
ORDINARY = CampaignRules(recipients=300, resembling=50, fresh_hours=48, well_known=["99900888888"])
EVIL, LOAN = "domain:evil.top", "domain:loan.top"
TOPIC = (
    indicator("domain", "evil.top", 90, scam_type="task-rebate", valid_from=T0),
    indicator("domain", "loan.top", 95, valid_from=2 * T0, valid_until=3 * T0),
)


class Told:
    """A topic of indicators, and its followers."""

    def __init__(self, *records: Indicator) -> None:
        self.known = Indicators()
        self.pivot = Pivot(self.known)
        self.counts = Recipients()
        self.tell(*records)

    def tell(self, *records: Indicator) -> None:
        """Publish records, after a check that each is a valid record of the topic."""
        for record in records:
            assert parse(encode(record)) == record
            self.known.put(record)
            self.pivot.put(record)

    def delete(self, key: str) -> None:
        """Publish a tombstone."""
        self.known.remove(key)
        self.pivot.remove(key)

    def revoke(self, key: str) -> None:
        """Revoke an indicator, as an analyst would."""
        kind, _, value = key.partition(":")
        self.tell(indicator(kind, value, revoked=True))  # type: ignore[arg-type]

    def due(self, sendings: Iterable[Sending], rules: PivotRules = RULES) -> list[Indicator]:
        """The records to publish after these sendings."""
        new = [*sendings]
        return self.pivot.due(self.counts.add(new), last_sent(new), rules, ORDINARY)

    def derive(self, *origins: str) -> Indicator:
        """Derive a number from these origins, one after another; returns its final record."""
        for origin in origins:
            self.tell(*self.due(sent(origin)))
        (says,) = self.pivot.derived.values()
        return says


def sent(origin: str = EVIL, sender: str = CROOK, people: Iterable[int] = range(3), at: int = T0) -> list[Sending]:
    """An SMS with a known domain to each of these people."""
    return [Sending(origin, key_of(sender), 861_000_000_000 + each, at) for each in people]


def test_a_number_that_sent_a_known_domain_to_enough_people_is_derived() -> None:
    (found,) = Told(*TOPIC).due(sent())

    assert found == Indicator(
        type="number",
        value=CROOK,
        scam_type="task-rebate",
        confidence=80,
        source="pivot domain:evil.top",
        valid_from=T0,
    )
    assert origins_of(found) == (EVIL,)


def test_a_derived_record_keeps_the_contract() -> None:
    schema = msgspec.json.decode((ROOT / "schemas" / "indicators-v1.json").read_bytes())
    told = Told(*TOPIC)
    records = [told.derive(EVIL, LOAN)]
    told.delete(EVIL)
    told.delete(LOAN)
    records += told.pivot.outdated(RULES)

    for record in records:
        jsonschema.validate(msgspec.json.decode(encode(record)), schema)


SENDINGS = st.lists(
    st.builds(
        Sending,
        st.sampled_from([EVIL, LOAN]),
        st.sampled_from([key_of(CROOK), key_of(OTHER_CROOK), key_of("95588"), key_of("106900095588")]),
        st.integers(1, 6).map(lambda number: 861_000_000_000 + number),
    ),
    max_size=40,
)


def reached(sendings: Sequence[Sending]) -> dict[tuple[str, int], int]:
    """The number of people for each origin and sender, counted by hand."""
    pairs = {each[:2] for each in sendings}
    return {pair: len({each.subscriber for each in sendings if each[:2] == pair}) for pair in pairs}


@given(SENDINGS, st.randoms(use_true_random=False), st.integers(1, 40), st.integers(2, 5))
def test_neither_order_nor_pieces_nor_repetitions_matter(
    sendings: list[Sending], chance: object, piece: int, least: int
) -> None:
    rules = replace(RULES, recipients=least)
    shuffled = [*sendings, *sendings]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    at_once, piecemeal = Told(*TOPIC), Told(*TOPIC)
    at_once.tell(*at_once.due(sendings, rules))
    for begin in range(0, len(shuffled), piece):
        piecemeal.tell(*piecemeal.due(shuffled[begin : begin + piece], rules))

    enough = {pair for pair, people in reached(sendings).items() if people >= least}
    crooks = {CROOK, OTHER_CROOK}
    assert at_once.pivot.derived == piecemeal.pivot.derived
    assert {
        (origin, key_of(number)) for number, each in at_once.pivot.derived.items() for origin in origins_of(each)
    } == {(origin, sender) for origin, sender in enough if sender in map(key_of, crooks)}
    assert not any(map(piecemeal.known.holds, ("number:95588", "number:106900095588")))


@pytest.mark.parametrize(
    "number",
    ["95588", "110", "96110", "106900095588", "8695588", "861096110", "99900888888", "13800138", "0013800138000"],
)
def test_services_protected_and_well_known_numbers_never_are(number: str) -> None:
    assert Told(*TOPIC).due(sent(sender=number, people=range(1000))) == []


@pytest.mark.parametrize(
    "record",
    [
        indicator("number", CROOK, 20),
        indicator("number-prefix", CROOK[:7], 20),
        indicator("number", CROOK, revoked=True),
        indicator("number", CROOK, valid_until=T0 + 1),
    ],
)
def test_what_is_known_or_revoked_already_never_is(record: Indicator) -> None:
    assert Told(*TOPIC, record).due(sent()) == []


@pytest.mark.parametrize("sender", [NOBODY, name_key("USPS"), name_key("a@mail.example")])
def test_a_sender_that_is_no_number_never_is(sender: int) -> None:
    """All withheld senders have one key: together they reach everybody."""
    told = Told(*TOPIC)

    assert told.due([Sending(EVIL, sender, 861_000_000_000 + each, T0) for each in range(1000)]) == []
    assert not told.pivot.may_be_suspected(number_of(sender), T0, POLICY.suspicions, ORDINARY)


@pytest.mark.parametrize(
    "record", [indicator("number", CROOK, valid_until=T0), indicator("number-prefix", CROOK[:7], valid_until=T0)]
)
def test_what_was_known_once_no_longer_stands_in_the_way(record: Indicator) -> None:
    """An indicator counts against a derivation until its validity has ended, in event time."""
    assert Told(*TOPIC, record).due(sent(at=T0 - 1)) == []
    assert [each.value for each in Told(*TOPIC, record).due([*sent(at=T0 - 1), *sent(people=[4])])] == [CROOK]


def test_an_analysts_word_stands() -> None:
    told = Told(*TOPIC)
    told.derive(EVIL)
    told.revoke(f"number:{CROOK}")

    assert told.due([*sent(people=range(100)), *sent(LOAN)]) == []
    assert [*told.pivot.outdated(RULES)] == []

    told.delete(f"number:{CROOK}")

    assert told.due(sent(people=range(100))) == []


def test_what_a_known_number_sends_derives_nothing() -> None:
    told = Told(*TOPIC)
    told.derive(EVIL)

    assert told.due(sent(f"number:{CROOK}", FRIEND)) == []


def test_nothing_is_derived_from_what_is_known_no_more() -> None:
    told = Told(*TOPIC)
    told.revoke(EVIL)

    assert told.due(sent()) == []


@pytest.mark.parametrize("deleted", [False, True])
def test_a_number_goes_with_its_origin_and_may_come_back(deleted: bool) -> None:
    told = Told(*TOPIC)
    told.derive(EVIL)
    if deleted:
        told.delete(EVIL)
    else:
        told.revoke(EVIL)
    (gone,) = told.pivot.outdated(RULES)
    told.tell(gone)

    assert (gone.key, gone.revoked) == (f"number:{CROOK}", True)
    assert not told.known.holds(gone.key)
    assert [*told.pivot.outdated(RULES)] == []

    told.tell(TOPIC[0])

    assert [each.key for each in told.due(sent(people=[0]))] == [gone.key]


def test_a_number_stays_while_one_of_its_origins_does() -> None:
    told = Told(*TOPIC)
    both = told.derive(EVIL, LOAN)

    assert (both.source, both.scam_type, both.confidence) == (f"pivot {EVIL} {LOAN}", "loan", 85)
    assert (both.valid_from, both.valid_until) == (T0, None)

    told.revoke(EVIL)
    (left,) = told.pivot.outdated(RULES)

    assert (left.source, left.revoked) == (f"pivot {LOAN}", False)
    assert (left.valid_from, left.valid_until) == (2 * T0, 3 * T0)


def test_a_number_says_what_its_origin_says_now() -> None:
    told = Told(*TOPIC)
    told.derive(EVIL)
    told.tell(indicator("domain", "evil.top", 5, scam_type="loan"))
    (now,) = told.pivot.outdated(RULES)

    assert (now.confidence, now.scam_type, now.valid_from) == (1, "loan", 0)


def test_a_source_that_only_looks_like_a_pivot_is_left_alone() -> None:
    told = Told(indicator("number", CROOK), replace(indicator("number", OTHER_CROOK), source="pivot table"))

    assert [*told.pivot.outdated(RULES)] == []


def test_a_source_never_gets_too_long() -> None:
    urls = [indicator("url", f"evil{number}.top/{'a' * number}") for number in range(1, 400, 7)]
    told = Told(*urls)
    told.derive(*(each.key for each in urls))
    longest = Told(urls[-1])

    assert longest.due(sent(urls[-1].key)) == []


def test_what_may_be_known_of_a_domain_is_one_look_up() -> None:
    told = Told(*TOPIC, indicator("url", "bit.ly/3AbC"), indicator("domain", "a.b.co.uk"), indicator("number", CROOK))

    concerned = ["evil.top", "loan.top", "bit.ly", "b.co.uk"]
    assert [name for name in [*concerned, "fine.top", "co.uk", CROOK] if told.pivot.concerns(name)] == concerned


def brought(what: int = SMS | LINKED) -> Contact:
    """A contact of Ann's: an SMS with a known link."""
    return Contact(-1, key_of(ANN), key_of(CROOK), T0, what, -1.0, "m", "fine.example evil.top http://evil.top/a")


def test_a_past_contact_tells_its_sender() -> None:
    known = Indicators(TOPIC)
    contact = brought()
    signal = signal_of(contact, known, POLICY.windows)
    assert signal is not None

    found = record_of(contact.subscriber, signal)
    assert sending_of(contact, found) == Sending(EVIL, key_of(CROOK), key_of(ANN), T0)
    assert sending_of(contact, withdrawal_of(contact)) is None
    assert sending_of(brought(SMS | LINKED | OUT), found) is None


def test_a_past_contact_with_a_number_tells_nothing() -> None:
    contact = Contact(key_of(CROOK), key_of(BO), key_of(CROOK), T0, SMS, -1.0, "m", "")
    signal = signal_of(contact, Indicators([indicator("number", CROOK)]), POLICY.windows)
    assert signal is not None

    assert sending_of(contact, record_of(contact.subscriber, signal)) is None
