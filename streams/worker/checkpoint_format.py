"""Checkpoint format: how the state of one partition lies in Redis, in a hash ``meta`` and a hash ``subjects``.

| field of ``meta`` | contents | since format |
|---|---|---|
| ``version``, ``writer`` | how often the state was written, and the mark of the last write | 1 |
| ``offset:<topic>`` | the next offset of the topic | 1 |
| ``clocks``, ``due``, ``recorded`` | both watermarks, the outbox, the ledger's progress (msgpack) | 1 |
| ``format`` | the number of the format; missing in format 1 | 2 |
| ``subjects`` | how many fields the hash ``subjects`` has | 2 |
| ``handover`` | what the next owner has to know before it decides anything (msgpack) | 2 |
| ``log:<topic>`` | Kafka's id of the topic in whose log the offset was counted; empty if Kafka gives none | 2 |

A field of ``subjects`` is a subscriber, and its value the subscriber's `models.detection.episodes.Subject` (msgpack).
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from models.base.formats import check_format
from models.detection.episodes import Subject
from models.detection.watermarks import Watermark
from streams.ledger.progress import LedgerProgress
from streams.worker.partition_state import Handover, Outbox, Stored

FORMAT: Final = 2
"""The format that this version writes; it reads this one and all before it."""

OFFSET: Final = "offset:"
LOG: Final = "log:"

Clocks = tuple[Watermark, Watermark]
"""The clocks of calls and of SMS."""

encode = msgspec.msgpack.Encoder().encode
_subject = msgspec.msgpack.Decoder(Subject)
_clocks = msgspec.msgpack.Decoder(Clocks)
_outbox = msgspec.msgpack.Decoder(Outbox)
_progress = msgspec.msgpack.Decoder(LedgerProgress)
_handover = msgspec.msgpack.Decoder(Handover)


def decode_meta(meta: Mapping[bytes, bytes]) -> tuple[Stored, Clocks]:
    """What the hash ``meta`` says.

    Raises `NewerFormatError`, and KeyError, ValueError or `msgspec.MsgspecError` when it is damaged.
    """
    written_in = int(meta.get(b"format", b"1"))
    check_format("The state", written_in, FORMAT)
    stored = Stored(
        int(meta[b"version"]),
        meta[b"writer"].decode(),
        {topic: int(offset) for topic, offset in _by_topic(meta, OFFSET).items()},
        _outbox.decode(meta[b"due"]),
        _progress.decode(meta[b"recorded"]),
        _handover.decode(meta[b"handover"]) if b"handover" in meta else Handover(),
        {topic: log.decode() for topic, log in _by_topic(meta, LOG).items()},
        int(meta[b"subjects"]) if b"subjects" in meta else None,
        written_in,
    )
    return stored, _clocks.decode(meta[b"clocks"])


def decode_subjects(subjects: Mapping[bytes, bytes]) -> dict[str, Subject]:
    """The subjects by subscriber; raises ValueError or `msgspec.MsgspecError` when one of them is damaged.

    Python does not search for garbage meanwhile. It would go through all the new subjects again and again, and that
    would double the time.
    """
    was_searching = gc.isenabled()
    gc.disable()
    try:
        return {subscriber.decode(): _subject.decode(state) for subscriber, state in subjects.items()}
    finally:
        if was_searching:
            gc.enable()


def encode_meta(stored: Stored, clocks: Clocks) -> dict[str, Any]:
    """The fields of the hash ``meta``, in the format of this version."""
    counted = {} if stored.subjects is None else {"subjects": stored.subjects}
    return {
        "version": stored.version,
        "writer": stored.writer,
        "clocks": encode(clocks),
        "due": encode(stored.outbox),
        "recorded": encode(stored.progress),
        "handover": encode(stored.handover),
        "format": FORMAT,
        **counted,
        **{OFFSET + topic: offset for topic, offset in stored.offsets.items()},
        **{LOG + topic: log for topic, log in stored.logs.items()},
    }


def _by_topic(meta: Mapping[bytes, bytes], prefix: str) -> dict[str, bytes]:
    return {
        name.decode().removeprefix(prefix): value for name, value in meta.items() if name.startswith(prefix.encode())
    }
