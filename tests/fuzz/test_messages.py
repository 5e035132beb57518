"""Fuzz: what stations send, and what is read back: feedback, alerts, HTTP bodies, checkpoints, cases and the ledger."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.formats import NewerFormatError
from models.casework import cases
from models.casework.board import Board
from models.casework.cases import Person
from models.casework.snapshots import decode
from models.detection.alerts import encode
from models.events.event import RecordError, decode_one
from streams.console.bodies import _DECODERS
from streams.dispatch.inbox import ALERTS, FEEDBACK, take
from streams.ledger.segments import NoSegmentError, SegmentFile
from streams.ledger.storage import LedgerError
from streams.worker.checkpoint_format import decode_meta, decode_subjects
from tests.casework import HOME, OFFICE, T0, alert, feedback
from tests.fuzz import FEW
from tests.fuzz.damage import damaged

SAMPLES = Path(__file__).parents[1] / "formats"
STATE: dict[str, dict[str, str]] = json.loads((SAMPLES / "state-2.json").read_text())
SEGMENTS = [each.read_bytes() for each in sorted(SAMPLES.glob("*.parquet"))]
SAID = [feedback("acknowledged", T0), feedback("outcome", T0, outcome="warned"), feedback("note", T0, note="x")]


class Heard(NamedTuple):
    """A record as the dispatcher gets it."""

    key: bytes | None
    value: bytes | None
    timestamp: int = T0


@FEW
@given(damaged(st.just(encode(alert()))), damaged(st.sampled_from([msgspec.json.encode(each) for each in SAID])))
def test_alerts_and_feedback_change_a_case_or_are_refused(told: bytes, said: bytes) -> None:
    board = Board(OFFICE, lambda subscriber: (HOME, Person()))
    take(board, ALERTS, Heard(alert().subscriber.encode(), encode(alert())))
    for topic, key, value in ((ALERTS, alert().subscriber.encode(), told), (FEEDBACK, b"e1", said)):
        with suppress(RecordError):
            take(board, topic, Heard(key, value))

    assert all(decode(cases.encode(case)) == case for case in board.cases.values())


@FEW
@given(st.sampled_from(sorted(_DECODERS)), damaged(st.just(b'{"at":1760000000000,"note":"x","outcome":"warned"}')))
def test_a_body_is_a_report_or_refused_without_its_own_words(kind: Any, raw: bytes) -> None:
    with suppress(RecordError):
        assert decode_one(_DECODERS[kind], raw) is not None


@pytest.mark.parametrize("begin", ["enum value ", "value '", " - at `"])
def test_what_a_refusal_says_of_a_body_of_a_megabyte_is_short(begin: str) -> None:
    """The search for the value in msgspec's message took 40 s for 220 kB, with the square of the size."""
    raw = json.dumps({begin * (1_000_000 // len(begin)): 1}).encode()

    with pytest.raises(RecordError) as refused:
        decode_one(_DECODERS["acknowledged"], raw)

    assert len(str(refused.value)) <= 500


@FEW
@given(st.data())
def test_a_checkpoint_is_read_or_refused(data: st.DataObject) -> None:
    meta, subjects = (
        {name.encode(): base64.b64decode(value) for name, value in STATE[part].items()} for part in ("meta", "subjects")
    )
    for part in (meta, subjects):
        for name in data.draw(st.sets(st.sampled_from(sorted(part)))) if part else ():
            part[name] = data.draw(damaged(st.just(part[name])))
    with suppress(NewerFormatError, KeyError, ValueError, msgspec.MsgspecError):
        decode_meta(meta)
    with suppress(ValueError, msgspec.MsgspecError):
        decode_subjects(subjects)


@FEW
@given(damaged(st.sampled_from(SEGMENTS)))
def test_a_segment_of_the_ledger_is_read_or_refused(raw: bytes) -> None:
    with suppress(NoSegmentError, LedgerError), SegmentFile(pa.BufferReader(raw)) as segment:
        table = segment.read(range(segment.row_groups))
        table.validate(full=True)
        assert len(table) == len(segment)
