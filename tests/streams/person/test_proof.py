"""The proof: what it counts, when it is complete, and until when Kafka keeps what nobody can delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.detection.alerts import Published
from models.detection.episodes import Subject
from models.detection.signals import Signal
from streams.kafka.contracts import load
from streams.ledger.erasure import Rows
from streams.ledger.progress import LedgerProgress
from streams.ledger.storage import LedgerError
from streams.person.holdings import Holdings, Places
from streams.person.keeping import NEVER, kept
from streams.person.proof import Request, as_text, encode, is_complete, places, proof_of
from streams.person.purging import PurgeError, check
from streams.person.topic_search import Held
from streams.settings import Settings
from streams.worker.partition_state import Outbox, Stored
from tests.casework import ANN, T0, Desk, alert
from tests.site import ROOT

CONTRACTS = load(ROOT / "topics.yaml")
DAY = 86_400_000
BEFORE = T0 + DAY
RETAINED = {"cleanup.policy": "delete", "retention.ms": str(4 * DAY), "segment.ms": str(DAY)}
COMPACTED = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(7 * DAY), "delete.retention.ms": str(DAY)}
REQUEST = Request("number:0123456789abcdef", "A-1", "os:root")


def record(key: str, value: str = "{}", at: int = T0) -> Any:
    """A record as aiokafka gives it."""
    return SimpleNamespace(key=key.encode(), value=value.encode(), timestamp=at)


def held(*standing: Any) -> Held:
    """A topic that has these records alone."""
    return Held([*standing], {each.key: each for each in standing})


NOTHING = Holdings(
    number=ANN,
    before=BEFORE,
    at=BEFORE + 1,
    subject=None,
    outbox=Outbox(),
    is_hunted=False,
    cases={},
    topics={"subscribers": Held(), "indicators": Held(), "alerts": Held(), "dispatch": Held()},
    rows=Rows(),
    with_others=0,
    aside=(),
)


def everything() -> Holdings:
    """A person who is everywhere."""
    desk = Desk()
    desk.alert(alert())
    return replace(
        NOTHING,
        subject=Subject([Signal(T0, "fraud-number-call", "c1")], {"a": Published(1, alert(), 1)}),
        outbox=Outbox([alert()]),
        is_hunted=True,
        cases=desk.board.cases,
        topics={
            **NOTHING.topics,
            "subscribers": held(record(ANN)),
            "alerts": held(record(ANN, at=T0 + 5)),
            "dispatch": held(record("e1")),
        },
        rows=Rows(3, 2),
        aside=(date(2026, 11, 25),),
    )


def test_a_purge_is_complete_once_nothing_is_left_of_what_goes_at_once() -> None:
    """What Kafka keeps is listed, and does not count."""
    first, configs = everything(), {"alerts": RETAINED, "calls": RETAINED}

    assert is_complete(places(first, replace(NOTHING, topics={**first.topics, "subscribers": Held()}), configs))
    for left in (
        {"subject": first.subject},
        {"outbox": first.outbox},
        {"cases": first.cases},
        {"topics": first.topics},
        {"rows": Rows(1, 0)},
        {"rows": Rows(0, 1)},
    ):
        assert not is_complete(places(first, replace(NOTHING, **left), configs)), left


def test_the_proof_says_what_was_found_and_what_stays_until_when_and_not_who_it_is() -> None:
    proof = proof_of(REQUEST, everything(), NOTHING, {"alerts": RETAINED, "calls": RETAINED, "sms": RETAINED})
    found = {(place.place, place.what.partition(" ")[0]): place for place in proof.places}

    assert proof.complete
    assert found["redis, state of the worker", "signals,"].found == 3
    assert [found["ledger", what].found for what in ("own", "contacts")] == [3, 2]
    assert found["topic alerts", "records"].until == "2025-10-14T08:53:21+00:00"
    assert found["topic calls", "records"].found is None
    assert "aside/day=2026-11-25" in as_text(proof)
    assert ANN not in as_text(proof)
    assert ANN.encode() not in encode(proof)


def test_what_is_about_other_people_as_well_is_named_and_stays() -> None:
    """It is no reason to repeat the purge."""
    note = held(record("e9", f'{{"case":"e9","note":"rang {ANN}"}}'))
    left = replace(NOTHING, with_others=2, topics={**NOTHING.topics, "dispatch": note})
    found = [place for place in places(left, left, {}) if not place.at_once and place.found]

    assert [(place.place, place.found) for place in found] == [("redis, state of the worker", 2), ("cases", 1)]
    assert is_complete(places(left, left, {}))


def test_what_could_not_be_reached_is_a_problem() -> None:
    proof = proof_of(REQUEST, everything(), NOTHING, {}, ["No worker has applied the purge yet."])

    assert not proof.complete
    assert "problem: No worker" in as_text(proof)


def test_what_is_of_later_is_not_counted() -> None:
    """It belongs to the number's new holder."""
    later = replace(everything(), before=T0)

    assert (later.signals, later.past_cases, later.facts) == (0, [], [])
    assert everything().facts == [ANN.encode()]


@pytest.mark.parametrize(
    "config", [RETAINED | {"retention.ms": "-1"}, COMPACTED | {"max.compaction.lag.ms": str(NEVER * 2)}]
)
def test_kafka_may_promise_no_end(config: dict[str, str]) -> None:
    assert kept(config, T0, T0).until is None


def test_a_person_with_an_open_case_is_purged_only_if_that_was_said() -> None:
    with pytest.raises(PurgeError, match=r"Case e1 is not over.*--open-too"):
        check(everything(), open_too=False)

    check(everything(), open_too=True)


@pytest.mark.parametrize("revoked", [False, True])
def test_a_number_that_is_an_indicator_is_purged_only_after_it_was_revoked(revoked: bool) -> None:
    """Otherwise whoever it has reached could no longer be found."""
    said = f'{{"type":"number","value":"{ANN}","scam_type":"loan","confidence":90,"source":"x","valid_from":0,'
    indicator = record(f"number:{ANN}", said + f'"revoked":{str(revoked).lower()}}}')
    known = replace(NOTHING, topics={**NOTHING.topics, "indicators": held(indicator)})

    assert known.is_indicator is not revoked
    if not revoked:
        with pytest.raises(PurgeError, match="revoke it first"):
            check(known, open_too=True)


def test_a_ledger_that_is_not_the_workers_proves_nothing(tmp_path: Path) -> None:
    """On another machine there is no contact of anybody."""
    wrote = Stored(progress=LedgerProgress({"calls": 5, "sms": 0}))
    for folder in (str(tmp_path), ""):
        places = Places(Settings(ledger=folder), CONTRACTS, {})
        with pytest.raises(LedgerError, match="run this where the ledger is"):
            places.check_ledger(wrote)

        places.check_ledger(Stored())


def test_what_people_are_in_goes_from_compacted_topics() -> None:
    for name in ("subscribers", "dispatch"):
        until = kept(CONTRACTS[name].configs, 0, 0).until
        assert until is not None
        assert until <= 21 * DAY


def test_a_purge_is_kept_for_longer_than_the_records_of_before() -> None:
    """So state that is derived again from Kafka does not bring a person back."""
    kept_for = int(CONTRACTS["signals"].configs["retention.ms"])

    for name in ("calls", "sms"):
        until = kept({**CONTRACTS[name].configs, "cleanup.policy": "delete"}, 0, 0).until
        assert until is not None
        assert until < kept_for
