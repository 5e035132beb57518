"""The bare loop: aiokafka's ``getmany`` and orjson, nothing else. ``python -m bench.bare SERVERS PREFIX COUNT``."""

from __future__ import annotations

import sys
from time import perf_counter

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition


async def main(servers: str, prefix: str, count: int) -> None:
    """Read ``count`` calls and SMS from the beginning of their topics; print the seconds from the first to the last."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", max_partition_fetch_bytes=4_000_000
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(prefix + role, number) for role in ("calls", "sms") for number in range(8)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        read = 0
        began = perf_counter()
        while read < count:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=20_000)).values():
                if not read:
                    began = perf_counter()
                for record in records:
                    orjson.loads(record.value)
                read += len(records)
        print(perf_counter() - began)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
