"""A worker whose consumer never stops, and that has two seconds to end."""

from __future__ import annotations

import asyncio
from typing import Any

from streams import service
from streams.cli import main
from streams.worker.transport import ConsumerThread

SECONDS = 2.0
"""How long the consumer may hang."""


def run() -> None:
    """Run the worker."""

    async def never(self: ConsumerThread, *arguments: Any) -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue  # as Faust does in some places

    setattr(ConsumerThread, "on_thread_stop", never)  # noqa: B010
    setattr(service, "GONE_WITHIN", SECONDS)  # noqa: B010
    main(["worker"])


if __name__ == "__main__":
    run()
