"""Filling topics fast: records are packed into Kafka batches here, because sending them singly would take minutes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.records import Made
from streams.kafka.partitioning import partition_of
from streams.settings import Settings

BATCH_BYTES = 200_000
LARGEST = 2_000_000


class Packer:
    """Packs records into batches by topic and partition, and sends full batches."""

    def __init__(self, producer: AIOKafkaProducer, settings: Settings, partitions: int) -> None:
        self._producer = producer
        self._settings = settings
        self._partitions = partitions
        self._builders: dict[tuple[str, int], Any] = {}
        self._numbers: dict[str, int] = {}
        self._sent: set[asyncio.Future[Any]] = set()

    async def add(self, record: Made) -> None:
        """Add a record, and send its batch if it is full."""
        number = self._numbers.get(record.key)
        if number is None:
            number = self._numbers[record.key] = partition_of(record.key.encode(), self._partitions)
        await self.put(record.role, number, record.key.encode(), record.value)

    async def put(self, role: str, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Add any key and value to a partition, and send the batch if it is full."""
        place = (role, partition)
        builder = self._builders.get(place)
        if builder is None:
            builder = self._builders[place] = self._producer.create_batch()
        if builder.append(key=key, value=value, timestamp=None) is None:
            await self._send(place)
            await self.put(role, partition, key, value)

    async def flush(self) -> None:
        """Send all batches that are not full."""
        for place in list(self._builders):
            await self._send(place)

    async def confirmed(self) -> None:
        """Send all batches that are not full, and wait until Kafka has confirmed everything."""
        await self.flush()
        await asyncio.gather(*self._sent)

    async def _send(self, place: tuple[str, int]) -> None:
        builder = self._builders.pop(place)
        builder.close()
        role, number = place
        future = await self._producer.send_batch(builder, self._settings.topic(role), partition=number)
        self._sent.add(future)
        future.add_done_callback(self._sent.discard)


@asynccontextmanager
async def packing(settings: Settings, partitions: int) -> AsyncIterator[Packer]:
    """A packer with a producer of its own; at the end of the block Kafka has confirmed everything."""
    producer = AIOKafkaProducer(
        **settings.aiokafka_options(), max_batch_size=BATCH_BYTES, max_request_size=LARGEST, linger_ms=0
    )
    await producer.start()
    try:
        packer = Packer(producer, settings, partitions)
        yield packer
        await packer.confirmed()
    finally:
        await producer.stop()


async def fill(settings: Settings, records: Iterable[Made], partitions: int, told: Callable[[int], object]) -> None:
    """Write records to their topics; ``told`` is called with the count after every 50,000."""
    async with packing(settings, partitions) as packer:
        for count, record in enumerate(records, 1):
            await packer.add(record)
            if count % 50_000 == 0:
                told(count)
                await asyncio.sleep(0)
