"""Metrics: every metric that Forewarn exports, declared in one place; `streams.metrics_page` makes a page from it.

All have one prefix and base units, and no label can hold a person's number. Shared between threads: every thread counts
here and the health threads read it; prometheus-client locks each value.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from time import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

_HUMAN: Final = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_ALERT: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LATENCY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BUILD = Gauge(
    "forewarn_build_info",
    "1 for what runs: the versions of Forewarn, Python and Faust.",
    ["version", "python", "faust"],
    registry=REGISTRY,
)
STARTED = Gauge("forewarn_start_time_seconds", "When the program started (Unix time).", registry=REGISTRY)
EVENTS = Counter("forewarn_events", "Records read, good and bad.", ["topic"], registry=REGISTRY)
SOURCE_RECORDS = Counter(
    "forewarn_source_records",
    "Good records read, by the source that they name; `(none)`: none, `(unknown)`: one that is not declared.",
    ["topic", "source"],
    registry=REGISTRY,
)
SOURCE_TIME = Gauge(
    "forewarn_source_time_seconds",
    "When the last good record of this source was read (Unix time); missing while none was.",
    ["topic", "source"],
    registry=REGISTRY,
)
SIGNALS = Counter("forewarn_signals", "Signals, by code.", ["code"], registry=REGISTRY)
ALERTS = Counter(
    "forewarn_alerts",
    "Alerts confirmed by Kafka, by severity and status.",
    ["severity", "status"],
    registry=REGISTRY,
)
REMINDERS = Counter("forewarn_reminders", "Reminders confirmed by Kafka, by language.", ["language"], registry=REGISTRY)
DEAD_LETTERS = Counter(
    "forewarn_dead_letters",
    "Records refused, by topic and reason.",
    ["topic", "reason"],
    registry=REGISTRY,
)
UNREADABLE_BATCHES = Counter(
    "forewarn_unreadable_batches",
    "Record batches that cannot be unpacked within a bound, or hold no records; each is one dead letter.",
    ["topic"],
    registry=REGISTRY,
)
EXPIRED = Counter(
    "forewarn_expired_records",
    "Records that Kafka deleted before they were read, by topic.",
    ["topic"],
    registry=REGISTRY,
)
CLOCK_SKEW = Gauge(
    "forewarn_clock_skew_seconds",
    "How far the record furthest ahead, of those read in the last minute, was dated after its arrival; below 0: all "
    "records were late by more than this.",
    ["topic"],
    registry=REGISTRY,
)
AHEAD = Counter(
    "forewarn_ahead_records",
    "Records dated after their arrival by more than the policy's tolerance, which count at their arrival.",
    ["topic"],
    registry=REGISTRY,
)
HEARTBEATS = Counter(
    "forewarn_heartbeats",
    "Heartbeats written because a call went on while no records came.",
    registry=REGISTRY,
)
BATCH_EVENTS = Histogram(
    "forewarn_batch_events",
    "Records in a batch.",
    buckets=(1, 4, 16, 64, 256, 1024, 4096, 16384),
    registry=REGISTRY,
)
DECODE_SECONDS = Histogram("forewarn_decode_seconds", "Time to decode a batch.", buckets=_LATENCY, registry=REGISTRY)
DECIDE_SECONDS = Histogram(
    "forewarn_decide_seconds",
    "Time to match the records of a step and decide.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
PUBLISH_SECONDS = Histogram(
    "forewarn_publish_seconds",
    "Time to publish a batch's alerts and dead letters, until Kafka confirms them.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
CHECKPOINT_SECONDS = Histogram(
    "forewarn_checkpoint_seconds", "Time to write a checkpoint to Redis.", buckets=_LATENCY, registry=REGISTRY
)
CHECKPOINT_BYTES = Counter(
    "forewarn_checkpoint_bytes", "Bytes of subscribers' state written in checkpoints.", registry=REGISTRY
)
CHECKPOINT_FAILURES = Counter(
    "forewarn_checkpoint_failures",
    "Checkpoints that Redis refused, after which the worker ends: `stale` (another worker or lost writes) or `partial` "
    "(a part of the state is gone).",
    ["reason"],
    registry=REGISTRY,
)
ALERT_LATENCY_SECONDS = Histogram(
    "forewarn_alert_latency_seconds",
    "Time from the Kafka timestamp of a batch's last record until its alerts are confirmed.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
EVENT_TO_ALERT_SECONDS = Histogram(
    "forewarn_event_to_alert_seconds",
    "Time from a raised alert's record until the alert is confirmed, at most: from when Kafka appended the oldest "
    "record of the step that raised it.",
    ["severity"],
    buckets=_ALERT,
    registry=REGISTRY,
)
OUTBOX_WAITING = Gauge(
    "forewarn_outbox_waiting_records",
    "Alerts and reminders that are in a checkpoint and that Kafka has not confirmed yet.",
    registry=REGISTRY,
)
LAG = Gauge(
    "forewarn_lag_records",
    "Records of an assigned partition that are not applied yet.",
    ["topic", "partition"],
    registry=REGISTRY,
)
LAG_SECONDS = Gauge(
    "forewarn_lag_seconds",
    "How long ago the oldest record that is not applied yet reached Kafka, at most, as far as this worker knows; 0: "
    "all are applied.",
    ["topic"],
    registry=REGISTRY,
)
EVENT_TIME = Gauge(
    "forewarn_event_time_seconds",
    "The event time (Unix time) that the applied records of a topic have reached, in the partition furthest on.",
    ["topic"],
    registry=REGISTRY,
)
UNSTABLE = Gauge(
    "forewarn_unstable_records",
    "Records of an assigned partition that cannot be read yet, because a producer's transaction before them is open.",
    ["topic", "partition"],
    registry=REGISTRY,
)
PARTITIONS = Gauge("forewarn_partitions", "Partitions assigned to this worker.", registry=REGISTRY)
SUBJECTS = Gauge("forewarn_subjects", "Subscribers with state in memory.", registry=REGISTRY)
EPISODES = Gauge(
    "forewarn_open_episodes",
    "Subscribers in memory who had a contact with an indicator, or of whom an alert was published.",
    registry=REGISTRY,
)
INDICATORS = Gauge("forewarn_indicators", "Indicators in memory, by type.", ["type"], registry=REGISTRY)
REFERENCE_TIME = Gauge(
    "forewarn_reference_time_seconds",
    "When the newest record of reference data in memory reached Kafka (Unix time); missing while there is none.",
    ["topic"],
    registry=REGISTRY,
)
VULNERABLE = Gauge("forewarn_vulnerable_subscribers", "Vulnerable subscribers in memory.", registry=REGISTRY)
POLICY = Gauge("forewarn_policy_info", "1 for the version of the policy in force.", ["version"], registry=REGISTRY)
POLICY_REFUSED = Gauge(
    "forewarn_policy_refused",
    "1 while the policy file holds an edit that was refused; the last good version is in force.",
    registry=REGISTRY,
)
POLICY_TIME = Gauge(
    "forewarn_policy_time_seconds", "When the program took the policy in force (Unix time).", registry=REGISTRY
)
MODEL = Gauge("forewarn_model_info", "1 for the model that gives the risk.", ["model"], registry=REGISTRY)
POLICY_FAILURES = Counter(
    "forewarn_policy_reload_failures",
    "Edits of the policy file that were refused; the last good version stays in force.",
    registry=REGISTRY,
)
REBALANCES = Counter("forewarn_rebalances", "Rebalances of the consumer group.", registry=REGISTRY)
REDIS_USED = Gauge(
    "forewarn_redis_used_bytes", "Memory that the fullest Redis uses, asked every half minute.", registry=REGISTRY
)
REDIS_LIMIT = Gauge(
    "forewarn_redis_limit_bytes", "Memory that this Redis may use (maxmemory); 0: no limit.", registry=REGISTRY
)
RETRIES = Counter(
    "forewarn_retries",
    "Questions and writes repeated because Kafka, Redis or the ledger failed, by kind of failure.",
    ["to", "kind"],
    registry=REGISTRY,
)
LEDGER_ROWS = Counter("forewarn_ledger_rows", "Rows added to the ledger.", registry=REGISTRY)
LEDGER_SECONDS = Histogram(
    "forewarn_ledger_seconds", "Time to sort and write a segment of the ledger.", buckets=_LATENCY, registry=REGISTRY
)
LEDGER_WAITING = Gauge(
    "forewarn_ledger_waiting_rows", "Rows in memory that are not in the ledger yet.", registry=REGISTRY
)
LEDGER_WAITING_SECONDS = Gauge(
    "forewarn_ledger_waiting_seconds",
    "How long the oldest row in memory has waited to become part of the ledger.",
    registry=REGISTRY,
)
LEDGER_BYTES = Counter("forewarn_ledger_bytes", "Bytes written to the ledger.", registry=REGISTRY)
LEDGER_FREE = Gauge(
    "forewarn_ledger_free_bytes",
    "Bytes that are free on the ledger's disk, after the last segment; 0: an object store, or not known.",
    registry=REGISTRY,
)
LEDGER_DISK = Gauge(
    "forewarn_ledger_disk_bytes", "Bytes of the ledger's disk; 0: an object store, or not known.", registry=REGISTRY
)
LEDGER_ASIDE = Counter(
    "forewarn_ledger_segments_aside", "Segments that could not be read and were set aside.", registry=REGISTRY
)
HUNT_SIGNALS = Counter("forewarn_hunt_signals", "Signals published by look-backs.", registry=REGISTRY)
CAMPAIGNS = Counter(
    "forewarn_campaigns",
    "Campaign records published.",
    ["type", "status"],
    registry=REGISTRY,
)
DRIFT = Gauge(
    "forewarn_drift_psi",
    "Distance of the last day or two of judged moments from the model's training (population stability index), "
    "by feature, and for the risk. Below 0.1 nothing has changed; above 0.25 the model sees something new.",
    ["feature"],
    registry=REGISTRY,
)
PIVOTS = Counter(
    "forewarn_pivots",
    "Numbers published as indicators because they send known domains: derived (also again) or revoked.",
    ["status"],
    registry=REGISTRY,
)
SUSPICIONS = Counter(
    "forewarn_suspicions",
    "Numbers suspected because they act like a gang's, including those suspected again.",
    registry=REGISTRY,
)
HUNT_SECONDS = Histogram(
    "forewarn_hunt_seconds",
    "Time of a look-back that found somebody, until Kafka confirms the signals.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
OPEN_CASES = Gauge("forewarn_open_cases", "Open cases, by severity.", ["severity"], registry=REGISTRY)
CASES = Gauge(
    "forewarn_cases",
    "Cases that are not over, by status and by the highest tier that has them.",
    ["status", "tier"],
    registry=REGISTRY,
)
UNACKNOWLEDGED_SINCE = Gauge(
    "forewarn_unacknowledged_since_seconds",
    "Since when (Unix time) the order of this severity waits that has waited longest for its acknowledgement; missing "
    "while none waits.",
    ["severity"],
    registry=REGISTRY,
)
DEADLINES_MET = Counter(
    "forewarn_deadlines_met",
    "Deadlines of orders that a unit met: to acknowledge, to call, to visit.",
    ["severity", "deadline"],
    registry=REGISTRY,
)
DEADLINES_MISSED = Counter(
    "forewarn_deadlines_missed",
    "Deadlines of orders that a unit missed: to acknowledge, to call, to visit.",
    ["severity", "deadline"],
    registry=REGISTRY,
)
CASE_STEPS = Counter(
    "forewarn_case_steps",
    "Steps in the life of cases: `opened`, `acknowledged`, `escalated`, `overdue`, `too-old`, `outcome` and others.",
    ["kind"],
    registry=REGISTRY,
)
OUTCOMES = Counter(
    "forewarn_outcomes",
    "Outcomes reported by officers, by scam type.",
    ["scam_type", "outcome"],
    registry=REGISTRY,
)
LOSS = Counter("forewarn_loss_cny", "Money lost, as reported by officers, in yuan.", registry=REGISTRY)
FROZEN = Counter(
    "forewarn_frozen_cny", "Money frozen on its way, as reported by the centre, in yuan.", registry=REGISTRY
)
ACKNOWLEDGE_SECONDS = Histogram(
    "forewarn_acknowledge_seconds",
    "Time from the alert that set a case's severity to its acknowledgement.",
    buckets=_HUMAN,
    registry=REGISTRY,
)
REACH_SECONDS = Histogram(
    "forewarn_reach_seconds",
    "Time from the alert that opened a case to the first attempt that reached the person.",
    buckets=_HUMAN,
    registry=REGISTRY,
)
REQUESTS = Counter(
    "forewarn_console_requests",
    "Requests answered by the console, by the route's template.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "forewarn_console_request_seconds",
    "Time from a request to the first byte of the console's answer, by the route's template.",
    ["route"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
AUDIT_UNPUBLISHED = Gauge(
    "forewarn_audit_unpublished_lines",
    "Lines of the audit log whose hash is not in Kafka yet; whoever owns the file could still remove them unnoticed.",
    registry=REGISTRY,
)
UNUSUAL_USE = Counter(
    "forewarn_unusual_use",
    "Times that one user opened cases, saw numbers, looked people up or tried cases of others more often within an "
    "hour than is usual, by what they did. The audit log says who.",
    ["did"],
    registry=REGISTRY,
)
LISTENERS = Gauge("forewarn_console_listeners", "Clients that listen for changes of cases.", registry=REGISTRY)
READY = Gauge("forewarn_ready", "1 while this part is ready.", ["part"], registry=REGISTRY)


@contextmanager
def waiting(gauge: Gauge, number: int) -> Iterator[None]:
    """Count this many things as waiting while the block runs."""
    gauge.inc(number)
    try:
        yield
    finally:
        gauge.dec(number)


def tell_build() -> None:
    """Export what runs, and since when; each program calls it once, when it starts."""
    BUILD.labels(_version("forewarn"), platform.python_version(), _version("faust-streaming")).set(1)
    STARTED.set(time())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a copy that runs from its folder
        return "not installed"
