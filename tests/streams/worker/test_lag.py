"""Lag: how long records have waited, as far as it is known, and nothing of partitions that are gone."""

from __future__ import annotations

from streams import metrics
from streams.worker.lag import Behind, LagGauges


def shown(name: str, **labels: str) -> float | None:
    """The exported value; None when there is none."""
    return metrics.REGISTRY.get_sample_value(f"forewarn_{name}", labels)


def waited(lag: LagGauges, records: int, at: float, heard: float = 0.0, topic: str = "waiting") -> float | None:
    """The seconds shown after a look at one partition."""
    lag.show({(topic, 0): Behind(records, 0, int(heard * 1000))}, at)
    return shown("lag_seconds", topic=topic)


def test_records_have_waited_since_the_last_applied_one_or_since_none_was_left() -> None:
    """The later of the two is known to lie before every record that is not applied."""
    lag = LagGauges()
    seen = [
        waited(lag, 0, at=1000.0, heard=10.0),
        waited(lag, 5, at=1001.0, heard=10.0),
        waited(lag, 5, at=1060.0, heard=10.0),
        waited(lag, 5, at=1061.0, heard=1051.0),
        waited(lag, 0, at=1062.0, heard=1061.5),
    ]

    assert seen == [0.0, 1.0, 60.0, 10.0, 0.0]


def test_a_worker_that_was_away_shows_how_far_it_is_behind_at_once() -> None:
    """The state that it loads says up to when the records are applied."""
    assert waited(LagGauges(), 9, at=8000.0, heard=800.0, topic="after an outage") == 7200.0


def test_a_log_of_which_nothing_is_known_counts_from_the_first_look() -> None:
    """Signals and topics without append times have no such time in the state."""
    lag = LagGauges()
    seen = [waited(lag, 3, at=100.0, topic="unknown"), waited(lag, 3, at=130.0, topic="unknown")]

    assert seen == [0.0, 30.0]


def test_the_slowest_partition_counts_and_one_that_was_revoked_no_longer_does() -> None:
    """Otherwise a worker would show for ever what another one has applied long ago."""
    lag = LagGauges()
    lag.show({("two", 0): Behind(4, 1, 90_000, 80_000), ("two", 1): Behind(7, 0, 60_000, 70_000)}, 100.0)
    both = shown("lag_seconds", topic="two"), shown("event_time_seconds", topic="two")
    lag.show({("two", 0): Behind(0, 0, 95_000, 90_000)}, 101.0)
    one = [shown("lag_records", topic="two", partition=number) for number in "01"]
    unstable = [shown("unstable_records", topic="two", partition=number) for number in "01"]
    lag.show({}, 102.0)

    assert both == (40.0, 80.0)
    assert (one, unstable) == ([0.0, None], [0.0, None])
    assert shown("lag_records", topic="two", partition="0") is None
    assert shown("lag_seconds", topic="two") == 0.0
