"""Site: a separate site on the session's servers, with its own topics and workers, to send records and read alerts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from models.access.site_secret import key_of
from models.detection.ids import Ids
from streams.kafka.contracts import apply, load, open_admin
from streams.kafka.letters import HEADER, Envelope, opened
from streams.local.ports import any_free_port
from streams.local.process import ProcessId, Server
from streams.local.worker import FOREWARN, metric, service
from streams.sealing import Identities, new_keys
from streams.settings import Settings

T = TypeVar("T")
Record = dict[str, Any]

ROOT = Path(__file__).parents[1]
BY_POINTS = {"FOREWARN_MODEL": "points", "FOREWARN_POLICY_FILE": str(ROOT / "examples" / "policy-points.yaml")}
SECRET = "the secret of a site that only tests know"
LETTERS_KEY = new_keys()
"""The keys of the site's dead letters."""
IDS = Ids(key_of(SECRET, "ids"))
"""The ids that the site's programs make."""
FRAUD = "99900123456"
"""A made-up fraud number: no country has the code 999."""

READY_WITHIN_S = 60.0
"""Seconds within which a program answers; a busy machine needs many."""


def call(subscriber: str, at: int, peer: str = FRAUD, phase: str = "start", id: str = "c1", **more: Any) -> Record:
    """A call record; for an end record, pass ``duration_s``."""
    record = {"id": id, "subscriber": subscriber, "peer": peer, "direction": "in", "phase": phase, "at": at}
    return record | more


def indicator(value: str = FRAUD, kind: str = "number", **more: Any) -> Record:
    """An indicator record that is valid at any time."""
    record = {"type": kind, "value": value, "scam_type": "impersonated-authority", "confidence": 90}
    return record | {"source": "test", "valid_from": 0} | more


class OpenedLetter(NamedTuple):
    """A dead letter: what stands in the clear in its headers, by name without the prefix, and its record."""

    said: dict[str, str]
    record: Envelope

    @classmethod
    def of(cls, letter: Any) -> OpenedLetter:
        """Open a record of ``dead-letters`` with the site's key."""
        said = {name.removeprefix(HEADER): value.decode() for name, value in letter.headers}
        return cls(said, opened(letter.value, Identities([LETTERS_KEY.identity])))


def with_users(kafka: str, redis: str, folder: Path) -> Settings:
    """The settings of a new site whose users and audit log are in the folder."""
    return Settings(
        kafka=kafka,
        redis=redis,
        topic_prefix=f"t{time.time_ns():x}.",
        users_file=folder / "users.json",
        audit_log=folder / "audit.jsonl",
        secret=SECRET,
    )


@dataclass
class Site:
    """Topics under their own prefix, and the workers started on them."""

    settings: Settings
    folder: Path
    workers: list[Server] = field(default_factory=list)
    http: dict[Server, str] = field(default_factory=dict)
    """Where each worker serves its metrics."""
    watch: Callable[[ProcessId], None] = lambda process: None
    """Called with the process of each worker, so that a guard can end it together with this program."""
    command: tuple[str, ...] = (*FOREWARN, "worker")
    by_points: bool = False
    """Whether the risk is a sum of points, so that a reader can work out the alerts by hand."""

    def apply_topics(self) -> None:
        """Create the site's topics."""
        with open_admin(self.settings) as admin:
            apply(load(self.settings.topics_file), admin, self.settings)

    def start_worker(self, wait: bool = True, **environ: str) -> tuple[Server, str]:
        """Start a worker on this site, ready on return unless ``wait`` is false; also returns its metrics address."""
        return self._start("worker", self.command, wait, environ)

    def start_hunter(self, wait: bool = True, **environ: str) -> tuple[Server, str]:
        """Start the site's hunter, ready on return unless ``wait`` is false; also returns its metrics address."""
        return self._start("hunter", (*FOREWARN, "hunter"), wait, environ)

    def start_dispatcher(self, wait: bool = True, **environ: str) -> tuple[Server, str]:
        """Start the site's dispatcher, ready on return unless ``wait`` is false; also returns its metrics address."""
        return self._start("dispatcher", (*FOREWARN, "dispatcher"), wait, environ)

    def start_console(self, wait: bool = True, **environ: str) -> tuple[Server, str, str]:
        """Start the site's console, ready on return unless ``wait`` is false.

        Also returns the addresses of its metrics and of its API.
        """
        api = f"127.0.0.1:{any_free_port()}"
        variables = {"FOREWARN_CONSOLE_HTTP": api, "FOREWARN_USERS_FILE": str(self.folder / "users.json")} | environ
        return *self._start("console", (*FOREWARN, "console"), wait, variables), api

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that point Forewarn's commands to this site."""
        return {
            "FOREWARN_KAFKA": self.settings.kafka,
            "FOREWARN_REDIS": self.settings.redis,
            "FOREWARN_TOPIC_PREFIX": self.settings.topic_prefix,
            "FOREWARN_GROUP": self.settings.group,
            "FOREWARN_SECRET": SECRET,
            "FOREWARN_LETTERS_RECIPIENT": LETTERS_KEY.recipient,
            "FOREWARN_ALERTS_WHEN_REPEATED": self.settings.alerts_when_repeated,
            "FOREWARN_LEDGER": str(self.folder / "ledger"),
            "FOREWARN_AUDIT_LOG": str(self.folder / "audit.jsonl"),
        } | (BY_POINTS if self.by_points else {})

    def _start(self, name: str, command: tuple[str, ...], wait: bool, environ: Mapping[str, str]) -> tuple[Server, str]:
        http = f"127.0.0.1:{any_free_port()}"
        variables = self.environ | dict(environ)
        log = self.folder / f"{name}-{len(self.workers)}.log"
        process = service(name, log, http, variables, self.watch, command)
        self.workers.append(process)
        self.http[process] = http
        process.start()
        if wait:
            process.wait(READY_WITHIN_S)
        return process, http

    @contextmanager
    def producer(self) -> Iterator[KafkaProducer]:
        """A producer; Kafka has confirmed every record by the end of the block."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka, acks="all", max_request_size=2_000_000)
        try:
            yield producer
            producer.flush(10)
        finally:
            producer.close(timeout=5)

    def send(self, topic: str, *records: Record) -> None:
        """Send records under the keys of their contract, and wait until Kafka has confirmed them."""
        with self.producer() as producer:
            for record in records:
                key = record.get("subscriber") or record.get("case") or f"{record['type']}:{record['value']}"
                producer.send(self.settings.topic(topic), key=key.encode(), value=json.dumps(record).encode())

    def read(self, topic: str, since: Mapping[int, int] | None = None) -> list[Any]:
        """The records of a topic up to now, partition by partition, as kafka-python gives them.

        With ``since``, reading starts at these offsets.
        """
        with self._consumer() as consumer:
            partitions = self._partitions(consumer, topic)
            consumer.assign(partitions)
            ends = consumer.end_offsets(partitions)
            for part in partitions:
                consumer.seek(part, (since or {}).get(part.partition, 0))
            records: list[Any] = []
            while any(consumer.position(part) < ends[part] for part in partitions):
                for batch in consumer.poll(timeout_ms=200).values():
                    records += batch
            return records

    def letters(self, since: Mapping[int, int] | None = None) -> list[OpenedLetter]:
        """The dead letters up to now, opened; with ``since``, from these offsets on."""
        return [OpenedLetter.of(record) for record in self.read("dead-letters", since)]

    def ends(self, topic: str) -> dict[int, int]:
        """The offset after the last record of each partition of a topic."""
        with self._consumer() as consumer:
            found = consumer.end_offsets(self._partitions(consumer, topic))
            return {part.partition: int(end) for part, end in found.items()}

    def count(self, topic: str) -> int:
        """How many records a topic holds."""
        return sum(self.ends(topic).values())

    @contextmanager
    def _consumer(self) -> Iterator[KafkaConsumer]:
        # The consumer's checksums are plain Python and would take most of the time for many records.
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka,
            enable_auto_commit=False,
            check_crcs=False,
            isolation_level="read_committed",
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def _partitions(self, consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
        name = self.settings.topic(topic)
        return [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]

    def alerts(self) -> list[Record]:
        """All alerts up to now, in order for each subscriber."""
        return [json.loads(record.value) for record in self.read("alerts")]

    def tell(self, lines: int = 12) -> None:
        """Print the last lines of every worker's log: pytest shows them for a failed test."""
        for process in self.workers:
            last = process.launch.log.read_text(errors="replace").splitlines()[-lines:]
            print(f"{process.launch.log.name} ended by", *last, sep="\n  ")

    def stop(self) -> None:
        """Stop every worker that is still running."""
        for process in self.workers:
            process.stop()


def until(look: Callable[[], T], seconds: float = 60.0) -> T:
    """The first true result of ``look``; fails if there is none within so many seconds.

    Only a failure takes so long. A busy machine needs many seconds for what usually takes one, so a test asks for fewer
    only if that is what it tests.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {seconds:g} s; the last look gave {found!r}"
        time.sleep(0.05)
    return found


def applied(http: str, count: int, seconds: float = 60.0) -> None:
    """Wait until a worker has applied so many events and has no lag."""
    until(lambda: metric(http, "forewarn_events_total") >= count and not metric(http, "forewarn_lag_records"), seconds)


def last_words(alerts: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The last record of each alert id."""
    return {alert["id"]: alert for alert in alerts}
