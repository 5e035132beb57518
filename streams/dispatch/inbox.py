"""The inbox: decodes the records of ``alerts`` and ``dispatch-feedback`` strictly and applies them to the board.

Of ``signals`` it takes the purges alone; the worker reads the rest, and makes dead letters of what is wrong there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from models.casework.board import Board
from models.casework.cases import Case, Feedback, FeedbackError
from models.detection.alerts import Alert
from models.detection.signals import Purge
from models.events.event import RecordError, decode_one
from streams.kafka.publishing import PURGE

ALERTS: Final = "alerts"
FEEDBACK: Final = "dispatch-feedback"
SIGNALS: Final = "signals"

_alerts = msgspec.json.Decoder(Alert)
_feedback = msgspec.json.Decoder(Feedback)
_purges = msgspec.json.Decoder(Purge)


def take(board: Board, topic: str, record: Any) -> Case | None:
    """Apply one record and return the case that it has opened or changed, or None when it says nothing new.

    ``topic`` is the topic's name in the contract, ``record`` an aiokafka record. Raises `RecordError` when the record
    breaks its contract or does not fit its case.
    """
    if record.value is None:
        raise RecordError("tombstone", f"A record of {topic} has a value; nothing can be deleted there.")
    if topic == ALERTS:
        alert = decode_one(_alerts, record.value)
        _check_key(record.key, alert.subscriber, "subscriber")
        return board.alert(alert, record.timestamp)
    feedback = decode_one(_feedback, record.value)
    _check_key(record.key, feedback.case, "case")
    try:
        return board.feedback(feedback, record.timestamp)
    except FeedbackError as error:
        raise RecordError(error.reason, str(error)) from None


def is_purge(record: Any) -> bool:
    """Whether a record of ``signals`` is a purge."""
    return bool(record.key == PURGE)


def purged(board: Board, record: Any) -> Sequence[str]:
    """Apply a purge, a record of ``signals``; the names of the cases that are forgotten."""
    try:
        purge = decode_one(_purges, record.value or b"")
    except RecordError:
        return ()
    return board.purge(purge.subscriber, min(purge.before, record.timestamp), purge.open_too)


def _check_key(key: bytes | None, asked: str, field: str) -> None:
    if key != asked.encode():
        raise RecordError("wrong-key", f"The key must be the record's {field}.")
