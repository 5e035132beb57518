"""Every metric that Forewarn exports, declared in one place; the table in ``docs/metrics.md`` is made from this.

One prefix, base units, and no label that could hold a person's number.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY: Final = CollectorRegistry()

_HUMAN: Final = (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
_LATENCY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

EVENTS = Counter("forewarn_events", "Records read, good and bad.", ["topic"], registry=REGISTRY)
SIGNALS = Counter("forewarn_signals", "Signals, by what they say.", ["code"], registry=REGISTRY)
ALERTS = Counter(
    "forewarn_alerts",
    "Alerts confirmed by Kafka, by severity and status.",
    ["severity", "status"],
    registry=REGISTRY,
)
REMINDERS = Counter("forewarn_reminders", "Reminders confirmed by Kafka, by language.", ["language"], registry=REGISTRY)
DEAD_LETTERS = Counter(
    "forewarn_dead_letters", "Records refused, by topic and reason.", ["topic", "reason"], registry=REGISTRY
)
EXPIRED = Counter(
    "forewarn_expired_records",
    "Records that Kafka deleted before they were read, by topic.",
    ["topic"],
    registry=REGISTRY,
)
BATCH_EVENTS = Histogram(
    "forewarn_batch_events",
    "Records in a batch.",
    buckets=(1, 4, 16, 64, 256, 1024, 4096, 16384),
    registry=REGISTRY,
)
DECODE_SECONDS = Histogram("forewarn_decode_seconds", "Decoding a batch.", buckets=_LATENCY, registry=REGISTRY)
DECIDE_SECONDS = Histogram(
    "forewarn_decide_seconds",
    "Matching the records of a step and deciding.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
PUBLISH_SECONDS = Histogram(
    "forewarn_publish_seconds",
    "Publishing a batch's alerts and dead letters until Kafka confirmed them.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
CHECKPOINT_SECONDS = Histogram(
    "forewarn_checkpoint_seconds", "Writing a checkpoint to Redis.", buckets=_LATENCY, registry=REGISTRY
)
ALERT_LATENCY_SECONDS = Histogram(
    "forewarn_alert_latency_seconds",
    "From the Kafka timestamp of a batch's last record to its alerts being confirmed.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
LAG = Gauge(
    "forewarn_lag_records",
    "Records of an assigned partition that are not applied yet.",
    ["topic", "partition"],
    registry=REGISTRY,
)
PARTITIONS = Gauge("forewarn_partitions", "Partitions that this worker holds.", registry=REGISTRY)
SUBJECTS = Gauge("forewarn_subjects", "Subscribers that are remembered at present.", registry=REGISTRY)
INDICATORS = Gauge("forewarn_indicators", "Indicators in memory, by type.", ["type"], registry=REGISTRY)
VULNERABLE = Gauge(
    "forewarn_vulnerable_subscribers", "Subscribers with a vulnerability flag in memory.", registry=REGISTRY
)
POLICY = Gauge("forewarn_policy_info", "1 for the version of the policy in force.", ["version"], registry=REGISTRY)
POLICY_FAILURES = Counter(
    "forewarn_policy_reload_failures",
    "Edits of the policy file that were refused; the last good version stands.",
    registry=REGISTRY,
)
REBALANCES = Counter("forewarn_rebalances", "Rebalances of the consumer group seen.", registry=REGISTRY)
RETRIES = Counter(
    "forewarn_retries", "Writes tried again because Kafka or Redis did not answer.", ["to"], registry=REGISTRY
)
LEDGER_ROWS = Counter("forewarn_ledger_rows", "Rows that became part of the ledger.", registry=REGISTRY)
LEDGER_SECONDS = Histogram(
    "forewarn_ledger_seconds", "Sorting and writing a segment of the ledger.", buckets=_LATENCY, registry=REGISTRY
)
LEDGER_WAITING = Gauge(
    "forewarn_ledger_waiting_rows", "Rows in memory that are not part of the ledger yet.", registry=REGISTRY
)
LEDGER_ASIDE = Counter(
    "forewarn_ledger_segments_aside", "Segments that could not be read and were set aside.", registry=REGISTRY
)
HUNT_SIGNALS = Counter("forewarn_hunt_signals", "Signals that look-backs have published.", registry=REGISTRY)
CAMPAIGNS = Counter(
    "forewarn_campaigns",
    "Records of campaigns that were published.",
    ["type", "status"],
    registry=REGISTRY,
)
DRIFT = Gauge(
    "forewarn_drift_psi",
    "How far what was judged in the last day or two is from the model's training (population stability index), "
    "by feature, and for the risk: below 0.1 nothing has changed, above 0.25 the model sees something new.",
    ["feature"],
    registry=REGISTRY,
)
PIVOTS = Counter(
    "forewarn_pivots",
    "Indicators of numbers that were published because of the domains they send: derived (anew, too) or revoked.",
    ["status"],
    registry=REGISTRY,
)
SUSPICIONS = Counter(
    "forewarn_suspicions",
    "Numbers that were suspected because they act like a gang's, those that were seen at it again among them.",
    registry=REGISTRY,
)
HUNT_SECONDS = Histogram(
    "forewarn_hunt_seconds",
    "One look back that found somebody, until Kafka confirmed the signals.",
    buckets=_LATENCY,
    registry=REGISTRY,
)
OPEN_CASES = Gauge("forewarn_open_cases", "Cases that are not over, by severity.", ["severity"], registry=REGISTRY)
CASE_STEPS = Counter(
    "forewarn_case_steps",
    "What has happened to cases: `opened`, `acknowledged`, `escalated`, `overdue`, `outcome` and others.",
    ["kind"],
    registry=REGISTRY,
)
OUTCOMES = Counter(
    "forewarn_outcomes", "What officers found, by type of scam.", ["scam_type", "outcome"], registry=REGISTRY
)
LOSS = Counter("forewarn_loss_cny", "Money lost as officers reported it, in yuan.", registry=REGISTRY)
FROZEN = Counter(
    "forewarn_frozen_cny", "Money frozen on its way, as the centre reported it, in yuan.", registry=REGISTRY
)
ACKNOWLEDGE_SECONDS = Histogram(
    "forewarn_acknowledge_seconds",
    "From the alert that gave a case its severity to its acknowledgement.",
    buckets=_HUMAN,
    registry=REGISTRY,
)
REACH_SECONDS = Histogram(
    "forewarn_reach_seconds",
    "From the alert that opened a case to the first attempt that reached the person.",
    buckets=_HUMAN,
    registry=REGISTRY,
)
REQUESTS = Counter(
    "forewarn_console_requests",
    "Requests that the console has answered, by the route's template.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "forewarn_console_request_seconds",
    "From a request to the first byte of the console's answer, by the route's template.",
    ["route"],
    buckets=_LATENCY,
    registry=REGISTRY,
)
LISTENERS = Gauge("forewarn_console_listeners", "Who is told of changes of cases at present.", registry=REGISTRY)
READY = Gauge("forewarn_ready", "1 when this part is ready.", ["part"], registry=REGISTRY)


def page() -> str:
    """The text of ``docs/metrics.md``."""
    rows = []
    for metric in REGISTRY.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in _labels[metric.name])
        rows.append(f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |")
    table = "\n".join(rows)
    return f"""\
<!-- Made by `python -m streams.metrics > docs/metrics.md`; a test holds it equal. -->
# Metrics

A worker serves these at `/metrics` of `FOREWARN_HTTP`, the hunter at that of `FOREWARN_HUNTER_HTTP`, the dispatcher at
that of `FOREWARN_DISPATCHER_HTTP`, the console at that of `FOREWARN_CONSOLE_HEALTH`. No label ever holds a person's
number.

| metric | type | labels | what it is |
|---|---|---|---|
{table}

`/healthz` answers 503 when there are records to read and no offset has moved for `FOREWARN_STALL_SECONDS`, or when the
worker has not come to look at its offsets for so long, and only then; restart the worker then. It is served by a thread
of its own, so it answers at once however busy the worker is. `/readyz` answers 503 until every part has answered
(`forewarn_ready`) and names those it waits for.

SIGTERM ends a program in order, within ten seconds. What is still there fifteen seconds after it was told to stop, or
has failed, is ended by force, which its log says, and loses nothing: it is done again with the same ids. Whatever ends
is to be started again. SIGUSR1 prints where each thread of a program stands, to its standard error.

What to watch: `forewarn_lag_records` growing (add workers), `forewarn_dead_letters_total` growing (a carrier sends
something else than agreed), `forewarn_ledger_waiting_rows` growing (the ledger's disk is full or slow),
`forewarn_policy_reload_failures_total` (the edit of the policy is not in force),
`forewarn_expired_records_total` above 0 (records are lost: retention is shorter than the outage was),
`forewarn_retries_total` (Kafka or Redis is away), the 99th percentile of `forewarn_alert_latency_seconds`, and what
people do: `forewarn_case_steps_total{{kind="overdue"}}` (nobody has met a deadline, not even the centre) and
`forewarn_reach_seconds`.
"""


# prometheus-client has no public way to ask for a metric's labels.
_labels: Final[dict[str, tuple[str, ...]]] = {
    vars(metric)["_name"]: vars(metric)["_labelnames"]
    for metric in dict.fromkeys(REGISTRY._names_to_collectors.values())
}

if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
