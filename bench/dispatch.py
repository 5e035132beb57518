"""``python -m bench.dispatch``: how soon alerts become orders with ten thousand open cases, and what deadlines cost.

First, alerts go at a steady pace into a running dispatcher. Each is timed from its arrival at the broker until a
consumer has the case. Then a thousand deadlines pass within a second. Each is timed from the deadline until a consumer
knows that it has passed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import time
from pathlib import Path

import click
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.__main__ import say
from models.casework.cases import Case
from models.casework.snapshots import decode
from models.detection.alerts import Alert, Reason, encode
from models.detection.ids import alert_id
from models.policy.policy import Severity
from streams.cli.demo import percentile
from streams.kafka.contracts import apply, load, open_admin
from streams.local.ports import any_free_port
from streams.local.stack import LocalStack
from streams.local.worker import metric, service
from streams.settings import Settings

FOLDER = Path(".forewarn/bench-dispatch")
OUT = Path(".forewarn/bench-dispatch.json")
NOW = int(time.time() * 1000)
"""The event time of every alert: what is long ago sends nobody."""
SOON = "    urgent: {acknowledge: 0.25, call: 60, visit: 1440}"
"""The line of the policy that replaces the deadlines of urgent alerts: a quarter of a minute to acknowledge."""


def alert(number: int, severity: Severity, cell: str = "") -> Alert:
    """An alert about the made-up subscriber with this number, in ``cell`` if it is given."""
    why = Reason(
        "fraud-number-talk", "与已知涉诈号码通话12分钟", "talked for 12 minutes with a known fraud number", ("c1",)
    )
    episode = f"{number:024x}"
    about = {"stage": "deep", "risk": 0.9, "scam_type": "loan", "status": "raised", "reasons": (why, why, why)}
    times = {"first_seen": NOW, "at": NOW}
    fields = about | times | {"indicators": ("number:99900000001",), "policy": "p", "model": "m@1"}
    subscriber = f"86100{number:08d}"
    named = {
        "id": alert_id(episode, severity),
        "subscriber": subscriber,
        "episode": episode,
        "severity": severity,
        "cell": cell,
    }
    return msgspec.convert(named | fields, Alert)


class Ground:
    """A running dispatcher and its servers."""

    def __init__(self, settings: Settings, http: str) -> None:
        self.settings = settings
        self.http = http

    async def send(
        self, first: int, count: int, severity: Severity, rate: float | None = None, cells: bool = False
    ) -> None:
        """Send ``count`` alerts, ``rate`` a second or all at once; with ``cells`` their people are all over town."""
        topic = self.settings.topic("alerts")
        async with AIOKafkaProducer(acks="all", linger_ms=2, **self.settings.aiokafka_options()) as producer:
            began, sent = time.perf_counter(), []
            for number in range(count):
                if rate is not None and (ahead := began + number / rate - time.perf_counter()) > 0:
                    await asyncio.sleep(ahead)
                each = alert(first + number, severity, f"001-01-{number % 720}-0" if cells else "")
                sent.append(await producer.send(topic, key=each.subscriber.encode(), value=encode(each)))
            await asyncio.gather(*sent)

    async def snapshots(self, until: int, since: dict[TopicPartition, int]) -> list[tuple[int, Case]]:
        """The first ``until`` snapshots from these offsets on, each with the time at which it was read (epoch ms)."""
        options = self.settings.aiokafka_options() | {"isolation_level": "read_committed", "fetch_max_wait_ms": 50}
        async with AIOKafkaConsumer(**options) as consumer:
            consumer.assign([*since])
            for part, offset in since.items():
                consumer.seek(part, offset)
            found: list[tuple[int, Case]] = []
            while len(found) < until:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    now = int(time.time() * 1000)
                    found += [(now, decode(record.value)) for record in records]
            return found

    async def ends(self) -> dict[TopicPartition, int]:
        """The present end offsets of the snapshots."""
        topic = self.settings.topic("dispatch")
        async with AIOKafkaConsumer(topic, **self.settings.aiokafka_options()) as consumer:
            parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            return dict(await consumer.end_offsets(parts))


@click.command()
@click.option("--cases", default=10_000, show_default=True, help="Cases that are open before anything is timed.")
@click.option("--rate", default=200, show_default=True, help="Alerts a second.")
@click.option("--seconds", default=20, show_default=True)
@click.option("--due", default=1000, show_default=True, help="Deadlines that pass at the same moment.")
def main(cases: int, rate: int, seconds: int, due: int) -> None:
    """Measure the dispatcher; write the figures to .forewarn/bench-dispatch.json.

    Example: python -m bench.dispatch --cases 1000 --seconds 5
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with LocalStack(FOLDER, 0, 0, notify=say) as stack:
        settings = Settings(kafka=stack.kafka, redis=stack.redis)
        with open_admin(settings) as admin:
            apply(load(settings.topics_file), admin, settings)
        lines = settings.policy_file.read_text(encoding="utf-8").splitlines()
        policy = FOLDER / "policy.yaml"
        policy.write_text(
            "\n".join(SOON if "urgent: {acknowledge" in line else line for line in lines), encoding="utf-8"
        )
        http = f"127.0.0.1:{any_free_port()}"
        environ = {
            "FOREWARN_KAFKA": stack.kafka,
            "FOREWARN_REDIS": stack.redis,
            "FOREWARN_POLICY_FILE": str(policy),
        }
        dispatcher = service("dispatcher", FOLDER / "dispatcher.log", http, environ, stack.watch)
        dispatcher.start()
        dispatcher.wait()
        try:
            result = asyncio.run(_measured(Ground(settings, http), cases, rate, seconds, due))
            began = time.perf_counter()
            dispatcher.restart()
            result["start_s"] = round(time.perf_counter() - began, 2)
        finally:
            dispatcher.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    click.echo(json.dumps(result, indent=2))


async def _measured(ground: Ground, cases: int, rate: int, seconds: int, due: int) -> dict[str, float]:
    say(f"opening {cases:,} cases")
    began = time.perf_counter()
    await ground.send(0, cases, "medium")
    while metric(ground.http, "forewarn_open_cases") < cases:  # noqa: ASYNC110 - a metric tells of no change
        await asyncio.sleep(0.05)
    opened = time.perf_counter() - began
    since = await ground.ends()
    say(f"{rate} alerts a second for {seconds} s")
    snapshots = asyncio.create_task(ground.snapshots(rate * seconds, since))
    await ground.send(cases, rate * seconds, "high", rate)
    delays = [(at - case.opened) / 1000 for at, case in await snapshots]
    since = await ground.ends()
    say(f"{due:,} deadlines at once")
    await ground.send(cases + rate * seconds, due, "urgent")
    found = await ground.snapshots(2 * due, since)
    late = [(at - case.history[1].at) / 1000 for at, case in found if len(case.history) > 1]
    return {
        "cases": cases + rate * seconds + due,
        "opening_per_s": round(cases / opened),
        "p50_ms": round(percentile(delays, 50) * 1000),
        "p99_ms": round(percentile(delays, 99) * 1000),
        "due": due,
        "due_last_s": round(max(late), 2),
    }


if __name__ == "__main__":
    main()
