"""Fuzz: record batches, whatever their headers and bytes say."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from aiokafka.errors import CorruptRecordException
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.record_batches import unpack
from streams.kafka.record_fields import walk
from streams.kafka.unpacking import LARGEST_UNPACKED, UnpackingError, unpacked
from tests.fuzz import FEW
from tests.fuzz.damage import damaged
from tests.fuzz.guarded import Guarded, plain
from tests.record_batches import CODECS, content, fetched, raw_batch

PIECES = st.none() | st.binary(max_size=12)
COUNTS = st.sampled_from([-(2**31), -200, -1, 0, 1, 2, 3, 201, 2**31 - 1])


HEADERS = st.lists(st.tuples(st.text(max_size=3), PIECES), max_size=2)
VALUES = st.lists(PIECES, max_size=5)
SOUND = st.builds(lambda values, key, said: content(*values, key=key, headers=said), VALUES, PIECES, HEADERS)
CONTENTS = damaged(SOUND)


@st.composite
def batches(draw: st.DrawFn) -> bytes:
    """A record batch with a sound checksum, and perhaps nothing else that is sound."""
    codec, inside = draw(st.integers(0, 7)), draw(CONTENTS)
    if codec in CODECS and draw(st.booleans()):
        inside = draw(damaged(st.just(bytes(CODECS[codec](inside)))))
    return raw_batch(inside, draw(COUNTS), base=draw(st.integers(0, 5)), attributes=codec, last=draw(COUNTS))


@FEW
@given(st.lists(batches(), min_size=1, max_size=4))
def test_every_batch_is_read_or_put_aside_within_its_bytes(some: list[bytes]) -> None:
    for columns in unpack(fetched(*some, check_crcs=True)):
        for row in range(len(columns)):
            record = columns.record(row)
            assert sum(map(len, (record.value or b"", record.key or b""))) <= len(columns.records.buffer)
    for given_record in fetched(*some, check_crcs=True):
        assert given_record.unreadable == "" or given_record.value in some


@FEW
@given(damaged(batches()))
def test_any_bytes_of_a_fetch_are_read_put_aside_or_refused(raw: bytes) -> None:
    with suppress(CorruptRecordException):
        for columns in unpack(fetched(raw)):
            assert all(columns.record(row).topic for row in range(len(columns)))


@FEW
@given(CONTENTS, st.integers(0, 9))
def test_the_walk_stays_within_its_arrays(raw: bytes, count: int) -> None:
    parts = np.array([(0, len(raw), count, 5, 1000, -1, 0)], dtype=np.int64)
    columns = [Guarded(np.zeros(count, dtype=np.int64)) for _ in range(7)]
    compiled = np.zeros((7, count), dtype=np.int64)

    is_sound = plain(walk)(Guarded(np.frombuffer(raw, dtype=np.uint8)), Guarded(parts), *columns)

    assert is_sound == walk(np.frombuffer(raw, dtype=np.uint8), parts, *compiled)


@FEW
@given(st.integers(0, 9), st.binary(max_size=60), st.sampled_from(sorted(CODECS)), st.booleans())
def test_any_bytes_unpack_or_are_refused(codec: int, raw: bytes, packing: int, is_packed: bool) -> None:
    packed = bytes(CODECS[packing](raw)) if is_packed else raw
    try:
        assert len(unpacked(codec, packed)) <= LARGEST_UNPACKED
    except UnpackingError:
        assert codec != packing or not is_packed


def test_twice_the_records_take_twice_the_steps() -> None:
    """Headers are walked once, however many there are."""
    steps = []
    for count in (50, 100):
        raw = Guarded(np.frombuffer(content(*[b"v"] * count, headers=[("h", b"1")] * count), dtype=np.uint8))
        parts = np.array([(0, raw.size, count, 5, 1000, -1, 0)], dtype=np.int64)
        assert plain(walk)(raw, Guarded(parts), *[Guarded(np.zeros(count, dtype=np.int64)) for _ in range(7)])
        steps.append(raw.reads / raw.size)

    assert steps[1] <= 1.1 * steps[0]
