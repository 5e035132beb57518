"""The stock agent: plain Faust that finds each peer in a set. ``python -m bench.stock SERVERS PREFIX GROUP COUNT``."""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

import faust
import uvloop

from bench.records import fraud_numbers


def create(servers: str, prefix: str, group: str, count: int, done: asyncio.Future[float]) -> faust.App:
    """An app whose agent reads ``count`` events, and then sets ``done`` to the seconds that they took."""
    app = faust.App(
        group,
        broker=f"kafka://{servers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
    )
    known = set(fraud_numbers(1_000_000))
    topic = app.topic(prefix + "calls", prefix + "sms", value_serializer="json")
    seen = 0
    began = 0.0

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def look_up(events: faust.Stream[dict[str, object]]) -> None:
        nonlocal seen, began
        async for event in events:
            if not seen:
                began = perf_counter()
            seen += 1
            if event["peer"] in known:
                pass
            if seen == count:
                done.set_result(perf_counter() - began)

    return app


async def main(servers: str, prefix: str, group: str, count: int) -> None:
    """Run the app until it has read ``count`` events, and print the seconds."""
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    app = create(servers, prefix, group, count, done)
    await app.start()
    print(await done)
    sys.stdout.flush()
    await asyncio.wait_for(app.stop(), 20)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
