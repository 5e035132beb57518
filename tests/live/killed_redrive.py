"""``forewarn letters redrive``, killed in the middle of its second transaction; two letters are in each."""

from __future__ import annotations

import os
import sys
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.cli import main
from streams.letters import handling

SENT = 6
"""Records whose sending the command survives: two with their notes, and two of the next transaction."""


def run() -> None:
    """Redrive with the arguments of this program."""
    handling.AT_ONCE = 2  # type: ignore[misc]
    send, count = AIOKafkaProducer.send, 0

    async def send_or_die(self: AIOKafkaProducer, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        if count == SENT:
            await self.flush()  # what was sent has reached Kafka, in a transaction that nobody ends
            os._exit(9)
        count += 1
        return await send(self, *arguments, **options)

    setattr(AIOKafkaProducer, "send", send_or_die)  # noqa: B010
    main(["letters", "redrive", *sys.argv[1:]])


if __name__ == "__main__":
    run()
