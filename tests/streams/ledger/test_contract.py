"""The contract of every ledger that answers questions: a folder of segments and memory give the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.base.durations import MINUTE
from models.base.number_keys import key_of
from models.detection.kinds import BANK_CALL, CODE
from models.detection.signals import Signal
from models.events.scanning import ENDED, OUT
from models.indicators.matching import Indicators
from models.indicators.path_hashes import PUBLIC
from models.lookback.contacts import CONTEXT, LINKED, SMS, Rows, host_key, own_key, rows_of_context
from models.lookback.hunting import Contact, moments_of
from models.lookback.keys import Keys, keys_of
from models.lookback.pivoting import Pivot
from models.lookback.planner import Planner
from models.lookback.questions import Ledger, Question
from streams.hunter.search import SegmentLedger
from streams.hunter.segment_index import SegmentIndex
from streams.ledger.remembered import Remembered
from streams.ledger.storage import Storage
from streams.settings import Settings
from tests.site import FRAUD, call
from tests.strategies import POLICY, indicator
from tests.streams.ledger.test_ledger import ANN, AT, BO, put, rows, sms

Filled = Callable[[Sequence[Sequence[Rows]]], Ledger]
"""Makes a ledger from batches of rows."""

FRIEND = "8613900000000"


def in_segments(folder: Path, batches: Sequence[Sequence[Rows]]) -> Ledger:
    """A folder with one segment for each batch, as the hunter searches it."""
    storage = Storage(Settings(ledger=str(folder)))
    for number, some in enumerate(batches):
        put(storage, number, some)
    index = SegmentIndex(storage)
    return SegmentLedger(storage, index, index.refresh())


def in_memory(batches: Sequence[Sequence[Rows]]) -> Ledger:
    """The ledger of a simulated site."""
    ledger = Remembered()
    for some in batches:
        ledger.put(some)
    return ledger


@pytest.fixture(params=["segments", "memory"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Filled:
    """Each implementation in turn."""
    if request.param == "memory":
        return in_memory
    return lambda batches: in_segments(tmp_path / "ledger", batches)


def context(*signals: tuple[str, Signal]) -> list[Rows]:
    """The rows of signals around contacts."""
    found = rows_of_context(signals)
    assert found is not None
    return [found]


def found(ledger: Ledger, keys: Keys) -> list[Contact]:
    """The contacts of these keys, each once, in event time."""
    question = Question(keys, lambda contacts: sorted(contacts, key=lambda each: (each.at, each.subscriber)))
    return question.put_to(ledger)


def test_a_number_finds_its_calls_and_sms_in_all_batches_and_nothing_else(filled: Filled) -> None:
    ledger = filled(
        [
            rows([call(ANN, AT), call(BO, AT, FRIEND)]),
            rows([call(ANN, AT + 60_000, phase="end", duration_s=52.5)], [sms(BO, AT + 1, "hi", peer=FRAUD)]),
            rows([call(BO, AT, FRIEND)], [sms(BO, AT + 2, "hi", "m2", FRAUD) | {"direction": "out"}]),
        ]
    )
    ann, bo, crook = map(key_of, (ANN, BO, FRAUD))

    assert found(ledger, keys_of([f"number:{FRAUD}"])) == [
        Contact(crook, ann, crook, AT, 0, -1.0, "c1", ""),
        Contact(crook, bo, crook, AT + 1, SMS, -1.0, "m1", ""),
        Contact(crook, bo, crook, AT + 2, SMS | OUT, -1.0, "m2", ""),
        Contact(crook, ann, crook, AT + 60_000, ENDED, 52.5, "c1", ""),
    ]


def test_a_domain_finds_the_sms_that_link_to_it_or_below(filled: Filled) -> None:
    ledger = filled([rows(messages=[sms(ANN, AT, "pay at https://a.evil.top/x"), sms(BO, AT, "https://fine.top/a")])])
    (contact,) = found(ledger, keys_of(["domain:evil.top"]))

    assert contact == Contact(
        host_key("evil.top"),
        *(key_of(ANN), key_of("99900000001"), AT, SMS | LINKED, -1.0, "m1"),
        "a.evil.top",
        [PUBLIC.of_listed(f"a.evil.top{path}") for path in ("", "/x")],
    )


def test_a_url_finds_its_hosts_sms(filled: Filled) -> None:
    ledger = filled([rows(messages=[sms(ANN, AT, "https://evil.top/a"), sms(BO, AT, "https://evil.top/b", "m2")])])

    assert {each.event for each in found(ledger, keys_of(["url:evil.top/a"]))} == {"m1", "m2"}


def test_a_prefix_finds_numbers_of_every_length(filled: Filled) -> None:
    peers = ["99912", "999123", "999120000000", "9992", "999119999", "10099912"]
    ledger = filled([rows([call(ANN, AT + at, peer, id=f"c{at}") for at, peer in enumerate(peers)])])

    assert [each.event for each in found(ledger, keys_of(["number-prefix:99912"]))] == ["c0", "c1", "c2"]


def test_a_subscriber_finds_what_happened_to_them_and_not_their_calls(filled: Filled) -> None:
    code, bank = Signal(AT, CODE, "m1", "106900000001"), Signal(AT + 1, BANK_CALL, "c1", "95588")
    ledger = filled([[*rows([call(ANN, AT)]), *context((ANN, code), (BO, code))], context((ANN, bank))])
    ann = key_of(ANN)

    assert found(ledger, Keys.of([own_key(ann)])) == [
        Contact(own_key(ann), ann, key_of("106900000001"), AT, CONTEXT, 0.0, "m1", ""),
        Contact(own_key(ann), ann, key_of("95588"), AT + 1, CONTEXT + 2, 0.0, "c1", ""),
    ]


@pytest.mark.parametrize("batches", [0, 1])
def test_no_keys_and_keys_of_nobody_find_nothing(filled: Filled, batches: int) -> None:
    ledger = filled([rows([call(ANN, AT)])] * batches)

    assert found(ledger, Keys.of()) == []
    assert found(ledger, keys_of([f"number:{FRIEND}"])) == []


def test_many_batches_are_one_ledger(filled: Filled) -> None:
    ledger = filled([rows([call(ANN, AT + at, id=f"c{at}")]) for at in range(150)])

    assert [each.event for each in found(ledger, keys_of([f"number:{FRAUD}"]))] == [f"c{at}" for at in range(150)]


NUMBERS = [f"9990000{number:04}" for number in range(12)]


@given(
    batches=st.lists(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=8), min_size=1, max_size=4),
    ranges=st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)).map(sorted), max_size=3),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ranges_find_what_lies_in_them(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], ranges: list[list[str]]
) -> None:
    number = iter(range(100))
    made = [[(f"c{next(number)}", peer) for peer in some] for some in batches]
    written = [rows([call(ANN, AT, peer, id=id) for id, peer in some]) for some in made]
    keys = Keys.of(ranges=[(key_of(low), key_of(high)) for low, high in ranges])
    expected = {id for some in made for id, peer in some if any(low <= peer <= high for low, high in ranges)}

    for ledger in (in_segments(tmp_path_factory.mktemp("ledger"), written), in_memory(written)):
        assert {each.event for each in found(ledger, keys)} == expected


def planner() -> Planner:
    """A planner that knows the number and a domain as indicators."""
    known = Indicators([indicator("number", FRAUD), indicator("domain", "evil.top")])
    return Planner(known, Pivot(known), POLICY)


def told(contacts: Iterable[Contact]) -> set[tuple[str, str]]:
    """The subscriber and the record of each contact."""
    return {(str(each.subscriber), each.event) for each in contacts}


def test_a_planners_questions_are_answered(filled: Filled) -> None:
    code = Signal(AT - MINUTE, CODE, "m9", "95588")
    ledger = filled(
        [
            rows([call(ANN, AT)], [sms(BO, AT, "https://evil.top/a", peer=FRIEND)]),
            context((ANN, code), (BO, Signal(AT - 60 * MINUTE * 24, CODE, "m8", "95588"))),
        ]
    )
    looking = planner()
    hits = looking.contacts([f"number:{FRAUD}", "domain:evil.top"]).put_to(ledger)
    around = looking.context(moments_of(record for _, record in hits)).put_to(ledger)
    dealings = looking.dealings([key_of(FRAUD), key_of("99900000009")]).put_to(ledger)

    assert {(record.subscriber, record.kind, record.indicator) for _, record in hits} == {
        (ANN, "fraud-number-call", f"number:{FRAUD}"),
        (BO, "fraud-domain-sms", "domain:evil.top"),
    }
    assert [(each.subscriber, each.kind, each.event) for each in around] == [(ANN, CODE, "m9")]
    assert [(each.sender, each.subscriber) for each in looking.sendings_found(hits)] == [
        (key_of(FRIEND), key_of(BO)),
    ]
    assert {number: told(some) for number, some in dealings.items()} == {
        key_of(FRAUD): {(str(key_of(ANN)), "c1")},
        key_of("99900000009"): set(),
    }
