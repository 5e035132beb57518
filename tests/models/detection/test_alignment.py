"""Alignment: both topics advance together in event time; nothing is lost, and a wrong clock delays nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.alignment import Alignment, Lane, Portion
from models.detection.watermarks import Watermark
from models.events.batches import Calls
from models.events.event import Call, Sms
from tests.strategies import calls_of, messages_of

T0 = 1_760_000_000_000


def call(at: int, who: int = 1) -> Call:
    """The start of a call, so many milliseconds after `T0`."""
    return Call(f"c{at}", f"861000000000{who}", "99900000001", "in", "start", T0 + at)


def sms(at: int, who: int = 1) -> Sms:
    """An SMS, so many milliseconds after `T0`."""
    return Sms(f"m{at}", f"861000000000{who}", "99900000001", "in", T0 + at)


def started() -> Alignment:
    """An alignment whose two clocks are running."""
    return Alignment(Watermark(T0), Watermark(T0))


def times(portions: list[Portion]) -> list[int]:
    """The times of the events of these portions, in ms from `T0`."""
    return [event.at - T0 for portion in portions for event in portion.events]


def test_events_wait_until_the_other_topic_is_known_so_far() -> None:
    lanes = started()
    lanes.calls.put(calls_of([call(10), call(20), call(30)]))
    more = {"calls": False, "sms": False}
    assert lanes.due(more) == ([], [])
    lanes.sms.put(messages_of([sms(25)]))
    calls, messages = lanes.due(more)
    assert (times(calls), times(messages)) == ([10, 20], [])
    assert lanes.waits


def test_what_has_nothing_more_to_give_holds_nobody_up() -> None:
    lanes = started()
    lanes.calls.put(calls_of([call(10), call(20)]))
    calls, _ = lanes.due({"calls": False, "sms": True})
    assert times(calls) == [10]  # another call at this very instant may follow
    calls, _ = lanes.due({"calls": True, "sms": True})
    assert times(calls) == [20]
    assert not lanes.waits


def test_portions_say_which_part_of_their_batch_they_are() -> None:
    lane: Lane[Calls] = Lane(Watermark(T0))
    lane.put(calls_of([call(10), call(20), call(30)]), "batch")
    (first,) = lane.take(T0 + 20)
    (rest,) = lane.take(T0 + 40)
    assert (first.source, first.start, first.stop, first.whole) == ("batch", 0, 2, False)
    assert (rest.source, rest.start, rest.stop, rest.whole) == ("batch", 2, 3, True)


def test_a_batch_without_good_events_passes_through() -> None:
    lane: Lane[Calls] = Lane(Watermark(T0))
    lane.put(calls_of([]), "refused")
    (portion,) = lane.take(T0)
    assert (portion.whole, list(portion.events)) == (True, [])


def test_a_wrong_clock_holds_nobody_up() -> None:
    lanes = started()
    lanes.calls.put(calls_of([call(10), call(10**10), call(20, who=2)]))
    lanes.sms.put(messages_of([sms(30), sms(40)]))
    calls, _ = lanes.due({"calls": True, "sms": False})
    assert times(calls) == [10, 10**10, 20]


def test_a_late_event_waits_for_nobody() -> None:
    lanes = started()
    lanes.calls.put(calls_of([call(100), call(5), call(110)]))
    lanes.sms.put(messages_of([sms(106)]))
    calls, _ = lanes.due({"calls": False, "sms": False})
    assert times(calls) == [100, 5]


ANY = st.lists(st.lists(st.integers(0, 2_000_000), max_size=6), max_size=6)


@settings(max_examples=300, deadline=None)
@given(ANY, ANY)
def test_every_event_comes_out_once_and_in_the_order_of_its_log(
    calls: list[list[int]], messages: list[list[int]]
) -> None:
    lanes = started()
    out: tuple[list[int], list[int]] = ([], [])
    for index in range(max(len(calls), len(messages))):
        if index < len(calls):
            lanes.calls.put(calls_of([call(at, who=at % 5) for at in calls[index]]))
        if index < len(messages):
            lanes.sms.put(messages_of([sms(at, who=at % 5) for at in messages[index]]))
        for mine, portions in zip(out, lanes.due({"calls": False, "sms": index % 2 == 0}), strict=True):
            mine += times(portions)
    for mine, portions in zip(out, lanes.due({"calls": True, "sms": True}), strict=True):
        mine += times(portions)
    assert out == ([at for batch in calls for at in batch], [at for batch in messages for at in batch])
    assert not lanes.waits
