"""Overview: one value for all that the programs of a site say about it; `streams.overview.summing` makes it.

These are the fields of ``forewarn top --once --json``. Times are Unix times in seconds. A rate is None before there are
two looks to count it between.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

State = Literal["ready", "waiting", "stuck", "away"]


class Program(Struct, frozen=True, kw_only=True):
    """One program of the site."""

    program: str
    address: str
    state: State
    says: str = ""
    """Why it is away or stuck, or the parts that it waits for."""
    version: str = ""
    python: str = ""
    faust: str = ""
    policy: str = ""
    model: str = ""
    policy_refused: bool = False
    running_seconds: float | None = None
    partitions: int = 0
    records_per_second: float | None = None
    lag_records: int = 0


class Topic(Struct, frozen=True, kw_only=True):
    """What is read of one topic."""

    topic: str
    records: int
    """Since the workers were started."""
    per_second: float | None
    lag_records: int
    lag_seconds: float
    """How long ago the oldest record that is not applied yet reached Kafka, at most."""
    event_time: float | None
    """The event time that the applied records have reached."""
    held_back: int
    """Records that cannot be read yet, because a producer's transaction before them is open."""
    expired: int
    """Records that Kafka deleted before they were read, since the workers were started."""
    skew_seconds: float | None
    """How far the record furthest ahead was dated after its arrival."""


class Feed(Struct, frozen=True, kw_only=True):
    """What one source sends on one topic."""

    topic: str
    source: str
    records: int
    """Since the workers were started."""
    per_second: float | None
    usual_per_second: float
    """On average since the workers were started."""
    quiet_seconds: float | None
    """Since its last record; None when it has sent none since the workers were started."""
    silent: bool


class BySeverity(Struct, frozen=True, kw_only=True):
    """Alerts, and the cases that they have led to, of one severity."""

    severity: str
    raised: int
    """Since the workers were started."""
    raised_per_minute: float | None
    withdrawn: int
    open_cases: int
    waits_seconds: float | None
    """How long the order has waited that has waited longest for its acknowledgement; None: none waits."""
    deadlines_missed: int
    """Since the dispatcher was started."""


class Cases(Struct, frozen=True):
    """The cases in one status at one tier."""

    status: str
    tier: str
    cases: int


class Indicators(Struct, frozen=True):
    """The indicators of one type."""

    type: str
    count: int


class Letters(Struct, frozen=True, kw_only=True):
    """Refused records of one topic, for one reason."""

    topic: str
    reason: str
    records: int
    """Since the programs were started."""
    per_second: float | None


class Stores(Struct, frozen=True, kw_only=True):
    """Redis, the ledger and the outbox."""

    redis_used_bytes: int
    redis_limit_bytes: int
    """0: no limit."""
    ledger_free_bytes: int | None
    """Of the ledger's disk that has the smallest share free; None: not known."""
    ledger_disk_bytes: int | None
    ledger_waiting_rows: int
    ledger_waiting_seconds: float
    outbox_waiting_records: int


class Overview(Struct, frozen=True, kw_only=True):
    """The site as its programs describe it."""

    at: float
    """When the programs were asked (Unix time, s)."""
    seconds: float | None
    """The time over which rates were counted; None: there was no earlier look, and no rate is known."""
    programs: tuple[Program, ...]
    topics: tuple[Topic, ...]
    feeds: tuple[Feed, ...]
    severities: tuple[BySeverity, ...]
    """The most severe first."""
    cases: tuple[Cases, ...]
    overdue: int
    """Deadlines that not even the centre has met, since the dispatcher was started."""
    indicators: tuple[Indicators, ...]
    indicators_changed_at: float | None
    """When the newest record of ``indicators`` reached Kafka (Unix time, s)."""
    letters: tuple[Letters, ...]
    stores: Stores
