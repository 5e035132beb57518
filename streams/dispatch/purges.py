"""Purges: the records of ``signals`` that have the dispatcher forget a person's cases.

The worker reads all other records of that topic, and makes dead letters of what is wrong there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from aiokafka import TopicPartition

from models.casework.board import Board
from models.detection.signals import Purge
from models.events.event import RecordError, decode_one
from streams.kafka.publishing import PURGE

_purges = msgspec.json.Decoder(Purge)


class Purges:
    """The purges that were read, until all alerts from before them are read: none of these opens a case again."""

    def __init__(self) -> None:
        self._waiting: list[tuple[TopicPartition, Any]] = []

    def put(self, part: TopicPartition, records: Iterable[Any]) -> None:
        """Take in records of ``signals``, in the order of their partition; aiokafka's records."""
        self._waiting += [(part, record) for record in records if record.key == PURGE]

    def apply(self, board: Board, clock: int, read: dict[TopicPartition, int]) -> list[str]:
        """Apply the purges of up to a time (epoch ms) before which all alerts were read; the names of forgotten cases.

        ``read``, the offsets that are about to be committed, gets none beyond a purge that still waits, so that it is
        read again after a restart.
        """
        due = [(part, record) for part, record in self._waiting if record.timestamp <= clock]
        self._waiting = [(part, record) for part, record in self._waiting if record.timestamp > clock]
        for part, record in due:
            read[part] = max(read.get(part, 0), record.offset + 1)
        for part, record in reversed(self._waiting):
            read[part] = record.offset
        return [name for _, record in due for name in _applied(board, record)]


def _applied(board: Board, record: Any) -> list[str]:
    try:
        purge = decode_one(_purges, record.value or b"")
    except RecordError:
        return []
    return board.purge(purge.subscriber, min(purge.before, record.timestamp), purge.open_too)
