"""The planner: what follows from a ledger's answers, and that a new policy applies to everything after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from msgspec.structs import replace

from models.base.durations import MINUTE
from models.base.number_keys import key_of
from models.events.scanning import ENDED
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.call_patterns import CODE_ROW, Material, is_material
from models.lookback.contacts import LINKED, SMS, own_key
from models.lookback.hunting import Contact
from models.lookback.keys import Keys
from models.lookback.pivoting import Pivot
from models.lookback.planner import Planner
from models.lookback.recipients import Counting, LinkedSms, Pair, Recipients, Sending
from models.policy.policy import Policy
from tests.models.lookback.test_suspicion import STRANGER, contact, talk
from tests.strategies import ANN, BO, CROOK, POLICY, T0, indicator

EVIL = indicator("domain", "evil.top")


@dataclass(frozen=True)
class Kept:
    """A ledger of a few contacts, which returns each of them twice."""

    contacts: Sequence[Contact]

    def find(self, keys: Keys) -> Iterator[Contact]:
        """Implements `Ledger`."""
        held = keys.hold(np.array([each.key for each in self.contacts], dtype=np.int64))
        yield from 2 * [each for each, is_held in zip(self.contacts, held.tolist(), strict=True) if is_held]


def planner(*known: Indicator, policy: Policy = POLICY) -> Planner:
    """A planner that knows these indicators."""
    indicators = Indicators(known)
    return Planner(indicators, Pivot(indicators), policy)


def code(who: int, at: float) -> Contact:
    """A verification code, minutes after `T0`."""
    return Contact(own_key(who), who, key_of("95588"), T0 + int(at * MINUTE), CODE_ROW, 0.0, f"m{at}", "")


CROOKED = Kept([*talk(1, 0, 10.0), contact(2, 0), contact(3, 0), code(1, 5), code(2, 5)])
"""`STRANGER` guided one of three people."""
SHOP = Kept([contact(who, who, 1, event=f"c{who}") for who in range(9)])
"""People contact `STRANGER` first."""


def suspected(looking: Planner, ledger: Kept) -> list[Indicator]:
    """The suspicions that follow from a query about `STRANGER`."""
    dealings = looking.dealings([STRANGER]).put_to(ledger)
    return looking.suspicions(dealings, {STRANGER: T0}).put_to(ledger)


def test_a_number_that_guides_strangers_is_suspected_however_often_it_is_asked_about() -> None:
    looking = planner()
    (first,), (second,) = suspected(looking, CROOKED), suspected(looking, CROOKED)

    assert (first.value, first.source) == (CROOK, "behaviour people:3 guided:1 led:1")
    assert second == first


def test_a_question_may_be_put_to_several_ledgers() -> None:
    question = planner().dealings([STRANGER])
    both = question.put_to(CROOKED), question.put_to(SHOP), question.put_to(CROOKED)

    assert [len(each.get(STRANGER, ())) for each in both] == [4, 0, 4]


def met(*contacts: Contact) -> Material:
    """The recorded contacts."""
    columns = [np.array(each, dtype=np.int64) for each in zip(*(each[:5] for each in contacts), strict=True)]
    keys, people, _, times, whats = columns
    assert is_material(whats).all()
    return Material.of_rows(keys, people, times, whats, np.array([each.duration_s for each in contacts]))


def test_a_call_with_a_code_in_it_gives_cause_until_people_turn_to_its_number() -> None:
    looking = planner()
    causes = [looking.causes(0, met(talk(who, 0, 10.0)[1], code(who, 5))) for who in (1, 2)]
    assert suspected(looking, SHOP) == []
    causes.append(looking.causes(0, met(talk(3, 0, 10.0)[1], code(3, 5))))

    assert [[(led.number, led.person) for led in each] for each in causes] == [[(STRANGER, 1)], [(STRANGER, 2)], []]


def test_partitions_have_times_of_their_own() -> None:
    looking = planner()
    late = [each._replace(at=each.at + 1_000_000 * MINUTE) for each in (talk(1, 0, 10.0)[1], code(1, 5))]

    assert len(looking.causes(0, met(*late))) == 1
    assert len(looking.causes(1, met(talk(2, 0, 10.0)[1], code(2, 5)))) == 1


def test_another_policy_applies_to_all_that_follows() -> None:
    windows = replace(POLICY.windows, longest_call_hours=0.1, code_before=1.0, context_after_hours=0.01, code_after=1.0)
    strict = replace(
        POLICY,
        windows=windows,
        pivots=replace(POLICY.pivots, recipients=9),
        suspicions=replace(POLICY.suspicions, people=9),
    )
    looking, moments, counts = planner(EVIL), {1: [T0]}, {(EVIL.key, STRANGER): 8}
    sendings = [Sending(EVIL.key, STRANGER, key_of(ANN), T0)]
    found = []
    for who, policy in ((1, POLICY), (2, strict)):
        looking.policy = policy
        found.append(
            [
                len(suspected(looking, CROOKED)),
                len(looking.context(moments).put_to(CROOKED)),
                len(looking.derived(sendings, counts)),
                len(looking.causes(0, met(talk(who, 0, 30.0)[1], code(who, 5)))),
            ]
        )

    assert found == [[1] * 4, [0] * 4]


@pytest.mark.parametrize("outgoing", [0, 1])
def test_a_look_back_and_new_records_say_the_same_of_a_sender(outgoing: int) -> None:
    looking = planner(EVIL)
    (key,) = looking.contacts([EVIL.key]).keys.lows.tolist()
    brought = Contact(
        *(key, key_of(ANN), STRANGER, T0, SMS | LINKED | outgoing, -1.0, "m", "a.evil.top"),
    )
    found = looking.sendings_found(looking.contacts([EVIL.key]).put_to(Kept([brought])))
    seen = looking.sendings_seen([LinkedSms(brought.links, (), brought.peer, brought.subscriber, brought.at)])

    assert found == ([] if outgoing else seen)
    assert seen == [Sending(EVIL.key, STRANGER, key_of(ANN), T0)]
    assert looking.sendings_seen([LinkedSms("fine.top", (), STRANGER, key_of(BO), T0)]) == []


def test_people_are_counted_once() -> None:
    counting: Counting[dict[Pair, int]] = Recipients()
    looking = planner(EVIL)
    sent = looking.sendings_seen(LinkedSms("evil.top", (), STRANGER, who, T0) for who in (1, 2, 1))

    assert [counting.add(sent), counting.add(sent[:1])] == [{(EVIL.key, STRANGER): 2}] * 2


def test_calls_without_an_end_and_links_are_no_material() -> None:
    whats = np.array([0, ENDED, SMS, SMS | 1, SMS | LINKED | 1, CODE_ROW, CODE_ROW + 1], dtype=np.uint8)

    assert is_material(whats).tolist() == [False, True, False, True, False, True, False]
