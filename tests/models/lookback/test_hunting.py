"""Hunting: the rows of the ledger give exactly the signals that the live worker makes of the same records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from bench.records import fraud_domains, fraud_numbers, indicators_of, made
from models.base.durations import MINUTE
from models.base.number_keys import key_of
from models.detection.kinds import CONTACTS
from models.detection.recognition import call_signals, sms_signals
from models.detection.signals import SignalRecord
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, MessageReader
from models.events.event import Sms
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.contacts import rows_of_calls, rows_of_context
from models.lookback.hunting import grouped, moments_of
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.lookback.pivoting import Pivot
from models.lookback.planner import Planner
from models.policy.policy import parse
from streams.hunter.search import SegmentLedger
from streams.hunter.segment_index import Frontier, SegmentIndex, plan
from streams.ledger.segments import Knowledge, table_of, written
from streams.ledger.storage import Segment, Storage
from streams.settings import Settings
from tests.chaos.city import example_day, example_indicators
from tests.site import ROOT
from tests.stories import Story
from tests.strategies import ANN, BO, CROOK, T0, end, messages_of, packed, sms

POLICY = parse((ROOT / "policy.yaml").read_bytes())
WINDOWS = POLICY.windows
KNOWN: tuple[Indicator, ...] = (*example_indicators(), *indicators_of(fraud_numbers(200), fraud_domains(50)))
DAY = date(2026, 11, 25)
TOLD = "99900770077"


class Said(NamedTuple):
    """The content of a signal, without the fields that differ from record to record."""

    subscriber: str
    at: int
    code: str
    event: str
    peer: str
    indicator: str
    scam_type: str
    confidence: int
    duration_s: float


def said(record: SignalRecord) -> Said:
    """The content of a record of the topic."""
    return Said(record.subscriber, *_fields(record))


def _fields(signal: SignalRecord) -> tuple[int, str, str, str, str, str, int, float]:
    return (
        *(signal.at, signal.kind, signal.event, signal.peer),
        *(signal.indicator, signal.scam_type if signal.kind in CONTACTS else ""),
        *(signal.confidence, signal.duration_s),
    )


@pytest.fixture(scope="module")
def events() -> tuple[Calls, Messages]:
    """The example day and 20,000 records of strangers."""
    records = [*example_day(), *made(20_000, fraud_numbers(200), fraud_domains(50))]
    calls = CallReader(keyed=False).read(packed([each.value for each in records if each.role == "calls"])).events
    messages = MessageReader(keyed=False).read(packed([each.value for each in records if each.role == "sms"])).events
    return calls, messages


@pytest.fixture(scope="module")
def live(events: tuple[Calls, Messages]) -> set[Said]:
    """The signals that the live worker makes of these events."""
    known = Indicators(KNOWN)
    found = [*call_signals(events[0], known, WINDOWS), *sms_signals(events[1], known)]
    return {
        Said(
            who,
            *(each.at, each.kind, each.event, each.peer, each.indicator),
            *(each.scam_type if each.kind in CONTACTS else "", each.confidence, each.duration_s),
        )
        for who, each in found
    }


@pytest.fixture(scope="module")
def storage(events: tuple[Calls, Messages], tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A ledger of these events, written by a worker without indicators."""
    storage = Storage(Settings(ledger=str(tmp_path_factory.mktemp("ledger"))))
    nothing = Indicators()
    context = rows_of_context([*call_signals(events[0], nothing, WINDOWS), *sms_signals(events[1], nothing)])
    assert context is not None
    rows = [rows_of_calls([events[0]]), *rows_of_messages(events[1], MetLinks()), context]
    segment = Segment(0, (0, 1), (0, 1), DAY)
    storage.enter(storage.put(segment, "test", written(table_of(rows), Knowledge())), segment)
    return storage


@pytest.fixture(scope="module")
def ledger(storage: Storage) -> SegmentLedger:
    """The same ledger, opened for queries."""
    index = SegmentIndex(storage)
    return SegmentLedger(storage, index, index.refresh())


def planner(known: Indicators) -> Planner:
    """A planner with these indicators."""
    return Planner(known, Pivot(known), POLICY)


def said_by_contacts(ledger: SegmentLedger, known: Indicators, keys: Iterable[str]) -> list[SignalRecord]:
    """The signals of all contacts with these indicators."""
    return [record for _, record in planner(known).contacts(keys).put_to(ledger)]


@pytest.fixture
def told(tmp_path: Path) -> SegmentLedger:
    """A ledger of SMS whose texts name numbers, none of which was known then."""
    texts = [
        (BO, "请致电+999-0077-0077配合调查", "10690000000001"),
        (ANN, f"回电{TOLD}", TOLD),
        (ANN, f"https://fine.invalid/{TOLD}", "10690000000001"),
    ]
    events = messages_of(
        Sms(f"t{at}", who, sender, "in", T0 + at, text) for at, (who, text, sender) in enumerate(texts)
    )
    storage = Storage(Settings(ledger=str(tmp_path / "told")))
    segment = Segment(0, (0, 1), (0, 1), DAY)
    rows = [*rows_of_messages(events, MetLinks())]
    storage.enter(storage.put(segment, "test", written(table_of(rows), Knowledge())), segment)
    index = SegmentIndex(storage)
    return SegmentLedger(storage, index, index.refresh())


def test_a_number_that_becomes_known_finds_whom_a_text_told_to_ring_it(told: SegmentLedger) -> None:
    """A sender who signs with their own number is found by that alone, as in the live worker."""
    known = Indicators(indicators_of([TOLD], []))

    found = said_by_contacts(told, known, [f"number:{TOLD}"])

    assert {(each.subscriber, each.kind, each.peer, each.event) for each in found} == {
        (BO, "fraud-number-text", TOLD, "t0"),
        (ANN, "fraud-number-sms", TOLD, "t1"),
    }


def test_a_revoked_number_takes_back_what_texts_told_of_it(told: SegmentLedger) -> None:
    found = said_by_contacts(told, Indicators(), [f"number:{TOLD}"])

    assert {("t0", "fraud-number-text", "withdrawn"), ("t1", "fraud-number-sms", "withdrawn")} <= {
        (each.event, each.kind, each.status) for each in found
    }


def test_contacts_say_what_they_would_have_said_live(ledger: SegmentLedger, live: set[Said]) -> None:
    found = said_by_contacts(ledger, Indicators(KNOWN), [each.key for each in KNOWN])
    contacts = {each for each in live if each.code in CONTACTS}
    assert len(contacts) > 100
    assert {said(record) for record in found} == contacts
    assert {record.status for record in found} == {"raised"}


def test_what_happened_around_contacts_is_found(ledger: SegmentLedger, live: set[Said]) -> None:
    known = Indicators(KNOWN)
    contacts = said_by_contacts(ledger, known, [each.key for each in KNOWN])
    moments = moments_of(contacts)
    context = {said(record) for record in planner(known).context(moments).put_to(ledger)}
    people = {record.subscriber for record in contacts}
    near = {
        each
        for each in live
        if each.code not in CONTACTS
        and each.subscriber in people
        and any(-10 * MINUTE <= each.at - at <= 24 * 60 * MINUTE for at in moments[key_of(each.subscriber)])
    }
    assert near
    assert context == near


def test_what_is_withdrawn_is_taken_back_unless_something_else_is_known_of_it(ledger: SegmentLedger) -> None:
    gone = [each for each in KNOWN if each.type in ("number", "domain")][:60:2]
    names = {each.key for each in gone}
    left = Indicators(each for each in KNOWN if each.key not in names)
    before = said_by_contacts(ledger, Indicators(KNOWN), names)
    after = said_by_contacts(ledger, left, names)
    assert {(each.event, each.kind) for each in before} <= {(each.event, each.kind) for each in after}
    for record in after:
        assert (record.status == "raised") == bool(record.indicator)
        assert record.indicator not in names


def test_an_indicator_that_did_not_hold_then_finds_nobody(ledger: SegmentLedger) -> None:
    later = [replace(each, valid_from=T0 * 2) for each in indicators_of(fraud_numbers(50), [])]
    known = Indicators(later)
    assert said_by_contacts(ledger, known, [each.key for each in later]) == []


def hit(event: str, after: int, indicator: str, code: str = "fraud-number-talk", confidence: int = 100) -> SignalRecord:
    """A look-back result about Ann."""
    return SignalRecord(
        f"s-{event}-{indicator}",
        ANN,
        code,  # type: ignore[arg-type]
        T0 + after,
        event,
        CROOK,
        indicator,
        "loan",
        confidence,
        300.0,
    )


def test_of_one_contact_the_look_back_has_the_last_word() -> None:
    """The look-back knew every indicator: a number comes before its prefix, whatever the prefix's confidence."""
    story = Story()
    story.tell(hit("c", 0, f"number-prefix:{CROOK[:6]}", confidence=100))
    story.tell(hit("c", 0, f"number:{CROOK}", confidence=60))
    (signal,) = story.partition.subjects[ANN].signals
    assert (signal.indicator, signal.confidence) == (f"number:{CROOK}", 60)


def test_contacts_come_before_what_happened_around_them() -> None:
    contact = hit("c", 0, f"number:{CROOK}")
    code = SignalRecord("s-code", ANN, "verification-code", T0 - MINUTE, "m", "95588")
    (group,) = grouped([contact], [code])
    assert group == [contact, code]


def test_codes_before_a_past_contact_count_as_if_it_had_been_known() -> None:
    live, found = Story(), Story()
    expected = [*live.tell(sms("m", 0, "您的验证码是482913"), end("c", 5 * MINUTE, 300))]
    found.wait(72 * 60 * MINUTE)
    contact = hit("c", 5 * MINUTE, f"number:{CROOK}")
    code = SignalRecord("s-code", ANN, "verification-code", T0, "m", "95588")
    alerts = found.engine.step(found.partition, signals=[contact, code]).alerts
    assert [(each.id, each.severity, each.stage, each.at) for each in alerts] == [
        (each.id, each.severity, each.stage, each.at) for each in expected
    ]


KNOWS = {"number:1": (0, 5), "number:2": (0, 9), "domain:x": (1, 3)}
"""Indicators, each with the partition and offset at which it became known."""


def missed(known: Mapping[int, int]) -> frozenset[str]:
    """The indicators that became known after these offsets."""
    return frozenset(name for name, (partition, offset) in KNOWS.items() if offset >= known.get(partition, 0))


def planned(segments: Mapping[Segment, Mapping[int, int]], frontier: Frontier) -> dict[Segment, set[str]]:
    """The indicators to look for in each segment."""
    found = plan([*segments], lambda segment: Knowledge(dict(segments[segment])), frontier, missed)
    return {segment: set(names) for names, some in found.items() for segment in some}


def segments(*knew: Mapping[int, int]) -> dict[Segment, Mapping[int, int]]:
    """Consecutive segments of one partition, and the offsets that each one knew."""
    return {Segment(0, (at, at + 1), (0, 0), DAY): said for at, said in enumerate(knew)}


@pytest.mark.parametrize(
    ("knew", "frontier", "expected"),
    [
        ([{}], Frontier(), [{"number:1", "number:2", "domain:x"}]),
        ([{0: 10, 1: 4}], Frontier(), [set()]),
        ([{0: 9, 1: 4}], Frontier(), [{"number:2"}]),  # an offset is the next one to read: 9 is not known yet
        ([{0: 6}, {0: 10, 1: 4}], Frontier(), [{"number:2", "domain:x"}, set()]),
        ([{}], Frontier({0: 10, 1: 4}, {"p000": (1, 0)}), [set()]),  # already searched for every indicator
        ([{}], Frontier({0: 6, 1: 4}, {"p000": (1, 0)}), [{"number:2"}]),  # searched, but not for the newest indicator
        ([{}, {}], Frontier({0: 6, 1: 4}, {"p000": (1, 0)}), [{"number:2"}, {"number:1", "number:2", "domain:x"}]),
        ([{0: 10, 1: 4}], Frontier({0: 6}, {"p000": (1, 0)}), [set()]),  # the worker knew them all
    ],
)
def test_everything_is_looked_for_where_it_was_not_known(
    knew: list[Mapping[int, int]], frontier: Frontier, expected: Iterable[set[str]]
) -> None:
    all_of_them = segments(*knew)
    found = planned(all_of_them, frontier)
    assert [found.get(segment, set()) for segment in all_of_them] == [*expected]


def test_the_index_reads_each_file_once_and_forgets_what_is_gone(storage: Storage, tmp_path: Path) -> None:
    index = SegmentIndex(storage)
    (segment,) = index.refresh()
    file = Path(storage.shown) / segment.path
    content = file.read_bytes()
    file.write_bytes(b"")  # would be set aside if it were read again
    try:
        assert index.refresh() == [segment]
    finally:
        file.write_bytes(content)
    file.rename(tmp_path / "moved")
    try:
        assert index.refresh() == []
    finally:
        (tmp_path / "moved").rename(file)
