"""Judging: opens a dead letter and says whether its record would be read now, or why it stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from models.base.formats import NewerFormatError
from models.events.decoding import CallReader, MessageReader
from models.events.event import RecordError
from models.events.numbering import Sources
from streams.kafka.found_letters import Found
from streams.kafka.letters import Envelope, opened
from streams.sealing import Identities, SealError
from streams.settings import Settings

STAYS: Final = {
    "not-opened": "no given key opens them",
    "not-whole": "only their beginning was kept: ask the carrier to send these records again",
    "other-topic": "only calls and sms can be sent back; whoever wrote these records must write them again",
    "too-old": "their events are older than an episode can be quiet: --old sends them all the same",
}
"""Why a letter stays that is no matter of its record's content."""


class Judge:
    """Judges by the worker's own readers, and by the contract that stands in ``topics.yaml`` now."""

    def __init__(self, settings: Settings, sources: Sources, keys: Identities, horizon: int) -> None:
        """Take the private keys, and the time (epoch ms) before which an event is too old."""
        self._keys = keys
        self._horizon = horizon
        self._readers: Mapping[str, Callable[[bytes | None, bytes | None], Any]] = {
            settings.topic("calls"): CallReader(sources).one,
            settings.topic("sms"): MessageReader(sources).one,
        }

    def record(self, letter: Found) -> Envelope | str:
        """The record of a letter, if it would be read now; otherwise the reason why not, a word.

        The word is one of `STAYS`, or the reason for which the record is still refused.
        """
        read = self._readers.get(letter.origin.topic)
        if read is None:
            return "other-topic"
        try:
            record = opened(letter.sealed, self._keys)
            if record.cut is not None or letter.reason == "unreadable-batch":
                return "not-whole"
            event = read(record.value, record.key)
        except (SealError, NewerFormatError):
            return "not-opened"
        except RecordError as error:
            return error.reason
        return record if event.at >= self._horizon else "too-old"
