"""The inbox: decodes the records of ``alerts`` and ``dispatch-feedback`` strictly and applies them to the board."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.casework.board import Board
from models.casework.cases import Case, Feedback, FeedbackError
from models.detection.alerts import Alert
from models.events.event import RecordError, decode_one

ALERTS: Final = "alerts"
FEEDBACK: Final = "dispatch-feedback"

_alerts = msgspec.json.Decoder(Alert)
_feedback = msgspec.json.Decoder(Feedback)


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


def _check_key(key: bytes | None, asked: str, field: str) -> None:
    if key != asked.encode():
        raise RecordError("wrong-key", f"The key must be the record's {field}.")
