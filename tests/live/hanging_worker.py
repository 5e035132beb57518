"""A worker whose consumer never comes to its end, and that is given two seconds for it."""

from __future__ import annotations

import asyncio
from typing import Any

from streams import service
from streams.cli import main
from streams.worker.transport import ConsumerThread

SECONDS = 2.0
"""For which it may hang."""


def run() -> None:
    """Be a worker."""

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
