"""Acked ranges: the offset that may be committed is the end of the last acknowledged batch."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.worker.acks import AckedRanges

BATCHES = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3), st.integers(0, 3)), max_size=12)


def laid_out(start: int, sizes: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Batches as (last offset, end). Each has this many records, with offsets missing before and after them."""
    batches: list[tuple[int, int]] = []
    at = start
    for count, before, after in sizes:
        last = at + before + count - 1
        at = last + 1 + after
        batches.append((last, at))
    return batches


@given(st.integers(0, 10**12), BATCHES, st.randoms(use_true_random=False))
def test_the_position_is_the_end_of_the_last_batch_that_was_acked(
    start: int, sizes: list[tuple[int, int, int]], random: Random
) -> None:
    batches = laid_out(start, sizes)
    ranges = AckedRanges(start)
    delivered, acked = 0, -1
    while acked < len(batches) - 1:
        if delivered < len(batches) and (delivered <= acked + 1 or random.random() < 0.5):
            ranges.deliver(*batches[delivered])
            delivered += 1
            continue
        index = random.randrange(delivered)

        assert ranges.ack(batches[index][0]) == (index > acked)
        acked = max(acked, index)
        assert ranges.position == batches[acked][1]


def test_a_second_ack_changes_nothing() -> None:
    ranges = AckedRanges(0)
    ranges.deliver(4, 5)
    ranges.deliver(9, 12)

    assert (ranges.ack(4), ranges.ack(4), ranges.position) == (True, False, 5)
    assert (ranges.ack(9), ranges.ack(4), ranges.ack(9), ranges.position) == (True, False, False, 12)


def test_an_ack_of_a_batch_that_was_not_delivered_is_passed_over() -> None:
    """An ack from before the partition was reassigned must not acknowledge the batches to come."""
    ranges = AckedRanges(0)

    assert not ranges.ack(4)

    ranges.deliver(5, 6)
    ranges.deliver(9, 10)
    assert (ranges.ack(7), ranges.ack(4), ranges.position) == (False, False, 0)
