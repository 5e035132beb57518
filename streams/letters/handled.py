"""Handled letters: the records of ``handled-letters``, which say what was done about a dead letter, and by whom.

They are named by the refused record, not by the letter, because one record may have several letters. Kafka keeps them
for longer than any letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from streams.kafka.found_letters import Origin, records_of
from streams.settings import Settings

TOPIC: Final = "handled-letters"

Status = Literal["redriven", "discarded"]


class Decision(NamedTuple):
    """What an operator does about letters, and why."""

    status: Status
    at: int
    """When (epoch ms)."""
    who: str
    case: str
    note: str = ""


class Handled(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of the topic: the refused record, and what was done about it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    status: Status
    at: int
    who: str
    case: str
    note: str = ""

    @classmethod
    def of(cls, origin: Origin, decision: Decision) -> Handled:
        """The record that a decision about a letter leaves."""
        return cls(
            topic=origin.topic,
            partition=origin.partition,
            offset=origin.offset,
            timestamp=origin.timestamp,
            status=decision.status,
            at=decision.at,
            who=decision.who,
            case=decision.case,
            note=decision.note,
        )

    @property
    def origin(self) -> Origin:
        """The refused record."""
        return Origin(self.topic, self.partition, self.offset, self.timestamp)

    @property
    def key(self) -> bytes:
        """The key of this record in Kafka."""
        return f"{self.topic}/{self.partition}/{self.offset}".encode()


def encode(handled: Handled) -> bytes:
    """The value of a record."""
    return msgspec.json.encode(handled)


async def handled_letters(settings: Settings) -> Mapping[Origin, Handled]:
    """What was done about which record, up to now; records that are none of ours are skipped.

    Raises `streams.kafka.found_letters.LettersError`.
    """
    found = {}
    async for record in records_of(settings, TOPIC):
        try:
            handled = msgspec.json.decode(record.value or b"", type=Handled)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        found[handled.origin] = handled
    return found
