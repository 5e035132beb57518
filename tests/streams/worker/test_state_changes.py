"""State changes: which offsets belong to which log, and what becomes of a state that is dropped or rewound."""

from __future__ import annotations

import pytest

from streams.kafka.topic_logs import TopicLog
from streams.ledger.progress import LedgerProgress
from streams.worker.log_check import OtherLogError, check_log, misfit
from streams.worker.partition_state import Stored
from streams.worker.state_changes import dropped, misfits, restored, rewound

LOGS = {topic: TopicLog(f"id-of-{topic}", {3: 100}, {3: 900}) for topic in ("calls", "sms", "signals")}
IDS = {topic: log.id for topic, log in LOGS.items()}
STORED = Stored(
    57,
    "aa:57",
    {"calls": 700, "sms": 310, "signals": 104},
    progress=LedgerProgress({"calls": 690, "sms": 300}, fork=2),
    logs=IDS,
    subjects=5,
)
RECORDED = {"calls": 690, "sms": 300}


@pytest.mark.parametrize(
    ("offset", "known", "said"),
    [
        (900, "a", ""),
        (901, "a", "it ends at offset 900 now"),
        (700, "b", "the topic was deleted and made anew since"),
        (700, "", ""),  # written before ids were stored
        (901, "", "it ends at offset 900 now"),
    ],
)
def test_an_offset_belongs_to_the_log_with_its_id_up_to_the_end(offset: int, known: str, said: str) -> None:
    """A topic that was made anew and has grown further is told by its id alone."""
    assert misfit(3, offset, known, TopicLog("a", {3: 100}, {3: 900})).startswith(said)
    assert bool(misfit(3, offset, known, TopicLog("a", {3: 100}, {3: 900}))) == bool(said)


def test_ids_are_not_compared_where_kafka_gives_none() -> None:
    """Brokers before 2.8 have no ids."""
    assert not misfit(3, 900, "a", TopicLog("", {3: 100}, {3: 900}))


@pytest.mark.parametrize("topic", ["calls", "sms", "signals"])
def test_every_topic_of_a_checkpoint_is_compared(topic: str) -> None:
    """The sentence names topic, partition and offset, and what to do."""
    logs = LOGS | {topic: LOGS[topic]._replace(id="another")}
    check_log(3, STORED.offsets, STORED.logs, LOGS)

    with pytest.raises(OtherLogError, match=rf"Partition 3 of {topic} was read up to .* `forewarn state rewind`"):
        check_log(3, STORED.offsets, STORED.logs, logs)


def test_a_rewind_to_another_log_keeps_all_but_the_topics_offset() -> None:
    """The ledger begins anew with the log, under another mark."""
    logs = LOGS | {"calls": TopicLog("another", {3: 0}, {3: 9000})}
    found = rewound(3, STORED, misfits(3, STORED, RECORDED, logs), RECORDED, logs)

    assert found.offsets == {"sms": 310, "signals": 104}
    assert found.logs == {"sms": "id-of-sms", "signals": "id-of-signals"}
    assert found.progress == LedgerProgress({"calls": 0, "sms": 300}, fork=3)
    assert found.subjects == 5


def test_a_rewind_within_the_same_log_leaves_the_ledger_what_it_has() -> None:
    """No contact is recorded twice: the ledger's segments say how far it is."""
    found = rewound(3, STORED, {"sms"}, RECORDED, LOGS)

    assert misfits(3, STORED, RECORDED, LOGS) == set()
    assert found.offsets == {"calls": 700, "signals": 104}
    assert found.progress == LedgerProgress({"calls": 690}, fork=2)


def test_a_ledger_that_reaches_beyond_a_truncated_log_begins_anew_as_well() -> None:
    """The state may have been lost, so that the ledger alone remembers the old offsets."""
    recorded = {"calls": 950, "sms": 300}

    assert misfits(3, Stored(), recorded, LOGS) == {"calls"}
    assert rewound(3, Stored(), {"calls"}, recorded, LOGS).progress == LedgerProgress({"calls": 100}, fork=1)


def test_a_dropped_state_knows_nothing() -> None:
    """Only the count of the ledger's beginnings stays, which the names of segments depend on."""
    assert dropped(3, STORED, RECORDED, LOGS) == Stored(progress=LedgerProgress(fork=2), subjects=0)


def test_a_restored_state_is_the_snapshots_with_the_present_fork() -> None:
    """Segments that were recorded since must not be taken for those of the snapshot's log."""
    found = restored(STORED, Stored(progress=LedgerProgress(fork=7)))

    assert (found.offsets, found.progress.offsets, found.progress.fork) == (
        STORED.offsets,
        {"calls": 690, "sms": 300},
        7,
    )
