"""App: the Faust app of a worker, with one agent over ``calls``, ``sms`` and ``signals``; `create` makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import faust
from faust.types import TP

from streams import logs, metrics
from streams.kafka.column_buffer import Readers
from streams.settings import Settings
from streams.worker.assignment import Assignment
from streams.worker.partition import FEEDING, TopicPartition
from streams.worker.scoring import Scorer


class App(faust.App):
    """A Faust app that reads batches of columns, starting at the offsets in its partitions' checkpoints.

    Belongs to the event loop. Shared between threads: ``readers`` alone, which the consumer's thread calls too; see
    `streams.worker.scoring.Scorer.readers` for why that needs no lock.
    """

    def __init__(
        self, settings: Settings, assignment: Assignment, readers: Readers, failed: asyncio.Future[None]
    ) -> None:
        self.consumer_options: Mapping[str, Any] = settings.consumer_options()
        self.producer_options: Mapping[str, Any] = settings.aiokafka_options()
        self.assignment = assignment
        self.readers = readers
        self.failed = failed
        super().__init__(
            settings.topic_prefix + settings.group,
            broker="columns://" + settings.kafka.replace(",", ";"),
            store="memory://",
            autodiscover=False,
            origin="streams",
            broker_client_id="forewarn",
            broker_commit_interval=1.0,
            # A dead worker is noticed within these ten seconds, and the other workers get its partitions.
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_rebalance_timeout=20.0,
            broker_max_poll_records=16,
            consumer_max_fetch_size=2_000_000,
            consumer_group_instance_id=settings.instance,
            # Batches, not records: sixteen batches of some 8192 records wait in memory, then fetching pauses.
            stream_buffer_maxsize=16,
            stream_wait_empty=True,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            processing_guarantee="at_least_once",
        )

    def _create_directories(self) -> None:
        """Do nothing: no table is kept on disk, and Faust would make a folder in the working directory."""

    async def on_assigned(self, committed: Mapping[TP, int]) -> Mapping[TP, int]:
        """Load the assigned partitions; returns the offset at which to read each of them. A failure ends the worker."""
        offsets = {(tp.topic, tp.partition): at for tp, at in committed.items()}
        try:
            found = await self.assignment.on_assigned(offsets, self)
        except Exception as error:
            self.fail(error)
            raise
        return {TP(topic, partition): at for (topic, partition), at in found.items()}

    async def on_revoked(self) -> None:
        """Finish the step under way and write its offsets, unless this worker has failed."""
        if self.failed.done():
            return
        try:
            await self.assignment.on_revoked()
        except Exception as error:
            self.fail(error)

    def end_offset(self, topic: str, partition: int) -> int | None:
        """The offset up to which records can be read, as the broker last reported it; None when it has not yet."""
        end: int | None = self.consumer.end_offset(TP(topic, partition))
        return end

    async def end_offset_now(self, topic: str, partition: int) -> int | None:
        """The same, requested from the partition's leader; None when the leader does not answer in time."""
        tp = TP(topic, partition)
        told: int | None = (await self.consumer.end_offsets_now([tp])).get(tp)
        return told

    def unstable_records(self, topic: str, partition: int) -> int:
        """How many offsets cannot be read yet, because a transaction before them is open, as the broker last said."""
        unstable: int = self.consumer.unstable_records(TP(topic, partition))
        return unstable

    async def first_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that the broker still keeps of each (topic, partition)."""
        found = await self.consumer.first_offsets([TP(*each) for each in partitions])
        return {(tp.topic, tp.partition): int(at) for tp, at in found.items()}

    def pause(self, topic: str, partition: int) -> None:
        """Stop the delivery of a topic partition until `resume`."""
        self.consumer.pause_delivery(TP(topic, partition))

    def resume(self, topic: str, partition: int) -> None:
        """Deliver a paused topic partition again."""
        self.consumer.resume_delivery(TP(topic, partition))

    def fail(self, error: BaseException) -> None:
        """Note the error that ends this worker; the first one counts."""
        if not self.failed.done():
            self.failed.set_exception(error)
            logs.only_ours()


class Sensor(faust.Sensor):
    """Exports metrics of Faust itself to Prometheus."""

    def on_rebalance_start(self, app: Any) -> dict[str, Any]:
        """Count a rebalance that has begun."""
        metrics.REBALANCES.inc()
        return {"began": True}


class Raw(faust.Schema):
    """Passes a message's value on unchanged: it is a batch of columns already."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """None, because a batch has no key of its own."""
        return None

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The batch of columns."""
        return message.value


def create(settings: Settings, assignment: Assignment, scorer: Scorer, failed: asyncio.Future[None]) -> App:
    """Make the app with its agent; ``failed`` gets the error after which the worker must stop."""
    app = App(settings, assignment, scorer.readers, failed)
    app.sensors.add(Sensor())
    topic = app.topic(*[settings.topic(name) for name in FEEDING], schema=Raw(), key_type=None, value_type=None)

    @app.agent(topic, name="score")
    async def score(stream: faust.Stream[Any]) -> None:
        """Take in each batch; after an error of the scorer nothing more is applied or acknowledged."""
        async for event in stream.noack().events():
            # The ack waits for the ledger. It must not keep the bytes of a whole fetch in memory until then.
            columns, event.value, event.message.value = event.value, None, None
            try:
                await scorer.take(columns, event.ack)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                app.fail(error)
                await asyncio.Event().wait()

    return app
