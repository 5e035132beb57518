"""The whole pipeline: a real worker process over the filled topics, timed by its checkpoints in Redis."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import redis
from kafka import KafkaConsumer, TopicPartition
from redis.cluster import RedisCluster

from streams.local.ports import any_free_port
from streams.local.process import ProcessId, Server
from streams.local.worker import service
from streams.sealing import new_keys
from streams.settings import Settings


class Run:
    """One run of a worker with a group of its own, from the beginning of the topics."""

    def __init__(
        self, settings: Settings, folder: Path, watch: Callable[[ProcessId], None], *, ledger: bool = True
    ) -> None:
        self.settings = settings
        self.http = f"127.0.0.1:{any_free_port()}"
        environ = {
            "FOREWARN_KAFKA": settings.kafka,
            "FOREWARN_REDIS": settings.redis,
            "FOREWARN_SECRET": secrets.token_hex(32),
            "FOREWARN_LETTERS_RECIPIENT": new_keys().recipient,
            "FOREWARN_GROUP": settings.group,
            "FOREWARN_ALERTS_WHEN_REPEATED": "publish",
            "FOREWARN_LEDGER": str(folder / "ledger") if ledger else "",
        }
        self.worker: Server = service("worker", folder / f"{settings.group}.log", self.http, environ, watch)

    def seconds(self, ends: Mapping[tuple[str, int], int], patience: float = 300.0) -> float:
        """Start the worker; return the seconds from its first checkpoint to the one that covers everything.

        The first checkpoint comes with the first batch, so this is the time of all other batches. Raises `RuntimeError`
        when the worker ends or does not finish within ``patience`` seconds.
        """
        began = 0.0
        deadline = time.monotonic() + patience
        with redis.Redis.from_url(self.settings.redis) as client:
            self.worker.start()
            while time.monotonic() < deadline:
                at = reached(client, self.settings)
                now = time.perf_counter()
                if at and not began:
                    began = now
                if all(at.get(place, 0) >= end for place, end in ends.items()):
                    return now - began
                if not self.worker.runs:
                    raise RuntimeError(f"The worker ended: see {self.worker.launch.log}")
                time.sleep(0.02)
        raise RuntimeError(f"The worker did not finish within {patience:.0f} s: see {self.worker.launch.log}")


def peak_megabytes(pid: int) -> float:
    """The peak resident memory of a process in MB, as the kernel counts it."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def meta_key(settings: Settings, number: int) -> str:
    """The key of a partition's offsets in Redis."""
    return f"{{forewarn:{settings.topic_prefix}{settings.group}:{number}}}:meta"


def reached(client: redis.Redis | RedisCluster, settings: Settings) -> dict[tuple[str, int], int]:
    """The offset that the group's checkpoints have reached, by topic and partition."""
    asked = client.pipeline(transaction=False)
    for number in range(8):
        asked.hgetall(meta_key(settings, number))
    found = {}
    for number, meta in enumerate(asked.execute()):
        for name, value in meta.items():
            kind, _, topic = name.decode().partition(":")
            if kind == "offset":
                found[topic, number] = int(value)
    return found


def ends(settings: Settings) -> dict[tuple[str, int], int]:
    """The end offset of each partition of calls and SMS that is not empty."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, enable_auto_commit=False)
    try:
        partitions = [
            TopicPartition(settings.topic(role), number)
            for role in ("calls", "sms")
            for number in consumer.partitions_for_topic(settings.topic(role)) or ()
        ]
        found = consumer.end_offsets(partitions)
        return {(part.topic, part.partition): int(end) for part, end in found.items() if end}
    finally:
        consumer.close()
