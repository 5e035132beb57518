"""Warm-up: runs the hot path once over made-up records, before a worker takes real ones.

Compiled loops are compiled at their first call. That takes seconds unless an earlier run has cached the code, and the
first victim must not wait for it. The warm-up also finds a loop that does not work on this machine before any record is
read.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition
from msgspec.structs import replace

from models.detection.alignment import Alignment
from models.detection.engine import Engine
from models.detection.partition import Partition
from models.detection.risk import Model
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, MessageReader
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.lookback.contacts import rows_of_calls
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.policy.policy import Policy
from streams.kafka.partitioning import partition_of
from streams.kafka.record_batches import RawRecords, unpack
from streams.ledger.segments import Knowledge, table_of, written

_WHO = b"8610000000000"
_CALL = b'{"id":"c","subscriber":"%s","peer":"99900000000","direction":"in","phase":"start","at":1760000000000}' % _WHO
_SMS = (
    b'{"id":"m","subscriber":"%s","peer":"106","direction":"in","at":1760000000000,'
    b'"text":"https://a.example.com/x 99900000001"}' % _WHO
)
_DOMAIN = Indicator(
    type="domain", value="a.example.com", scam_type="other", confidence=1, source="made up", valid_from=0
)
_NUMBER = replace(_DOMAIN, type="number", value="99900000001")
_BROKEN = (
    "The compiled loops do not work on this machine: a made-up SMS with a known domain and number was not recognised. "
    "Delete the *.nbc files in the __pycache__ folders of models and streams, or install numba anew."
)


class WarmUpError(Exception):
    """The hot path does not work on this machine; the message says what to do."""


def warm_up(policy: Policy, model: Model) -> None:
    """Run the hot path over one call and one SMS; raises `WarmUpError` when the result is wrong.

    Runs in another thread than the event loop. Shared between threads: ``policy`` and ``model``, which nothing changes.
    """
    partition = Partition(partition_of(_WHO, 1))
    lanes = Alignment(partition.call_clock, partition.sms_clock)
    lanes.calls.put(CallReader().read(_fetched(_CALL).records).events)
    lanes.sms.put(MessageReader().read(_fetched(_SMS).records).events)
    calls, sms = lanes.due({"calls": True, "sms": True})
    engine = Engine(Indicators([_DOMAIN, _NUMBER]), policy, model)
    outcome = engine.step(partition, [each.events for each in calls], [each.events for each in sms])
    if outcome.signals != {"fraud-domain-sms": 1, "fraud-number-text": 1}:
        raise WarmUpError(_BROKEN)
    _warm_up_ledger([each.events for each in calls], [each.events for each in sms])


def _warm_up_ledger(calls: list[Calls], sms: list[Messages]) -> None:
    """Make ledger segments of the events: once alone, as from a large batch, and once joined, as from small ones."""
    met = MetLinks()
    for some_calls, messages in ((calls[0], sms[0]), (Calls.joined(calls * 2), Messages.joined(sms * 2))):
        rows = [rows_of_calls([some_calls]), *rows_of_messages(messages, met)]
        if sum(map(len, rows)) != len(some_calls) + 4 * len(messages):  # rows by peer, host, domain and number
            raise WarmUpError(_BROKEN)
        written(table_of(rows), Knowledge())


def _fetched(value: bytes) -> Any:
    """The columns of one record, as the transport would fetch them from Kafka."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    builder.append(0, 1_760_000_000_000, _WHO, value, [])
    raw = RawRecords(bytes(builder.build()))
    (columns,) = unpack(PartitionRecords(TopicPartition("warm-up", 0), raw, [], 0, None, None, True, 0))
    if columns.record(0).value != value:
        raise WarmUpError(_BROKEN)
    return columns
