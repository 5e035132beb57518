"""Clock skew: the record furthest ahead of the last minute, by topic."""

from __future__ import annotations

import numpy as np

from models.events.arrivals import UNKNOWN
from streams import metrics
from streams.worker.clock_skew import SHOWN_S, ClockSkew

T0 = 1_760_000_000_000


def shown(topic: str) -> float:
    """The exported value."""
    value = metrics.REGISTRY.get_sample_value("forewarn_clock_skew_seconds", {"topic": topic})
    assert value is not None
    return value


def test_a_carrier_that_drifts_is_seen_until_a_minute_after_it_was_mended() -> None:
    now = [0.0]
    skew = ClockSkew("skewed", lambda: now[0])
    seen = []
    for second, lead in ((0, -2), (1, 28_800), (2, -1), (SHOWN_S, -3), (SHOWN_S + 1, -3)):
        now[0] = float(second)
        skew.note(np.array([T0 - 9000, T0 + lead * 1000]), np.array([T0, T0]))
        seen.append(shown("skewed"))

    assert seen == [-2.0, 28_800.0, 28_800.0, 28_800.0, -3.0]


def test_a_record_without_append_time_says_nothing() -> None:
    skew = ClockSkew("silent", lambda: 0.0)
    skew.note(np.array([T0 + 5000, T0]), np.array([UNKNOWN, T0]))
    skew.note(np.array([T0 + 9000]), np.array([UNKNOWN]))

    assert shown("silent") == 0.0
