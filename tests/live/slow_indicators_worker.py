"""A worker that takes as long as it is told over the indicator with the number it is told."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from streams.cli import main
from streams.kafka.compacted import CompactedTopic

NUMBER = "SLOW_NUMBER"
SECONDS = "SLOW_SECONDS"


def run() -> None:
    """Run the worker; the environment variables say which number it reads slowly, and how slowly."""
    number, seconds = os.environ[NUMBER].encode(), float(os.environ[SECONDS])
    take = CompactedTopic._take

    async def slowly(self: CompactedTopic, record: Any) -> bool:
        if number in (record.key or b""):
            await asyncio.sleep(seconds)
        return await take(self, record)

    setattr(CompactedTopic, "_take", slowly)  # noqa: B010
    main(["worker"])


if __name__ == "__main__":
    run()
