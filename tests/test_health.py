"""Health: the answer to a probe about a worker that moves, waits, stands still or stops responding."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from streams import health
from streams.local.ports import any_free_port
from streams.setting_values import Address


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        """The time that the test set."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> health.Progress:
    return health.Progress(10.0, clock)


def test_a_worker_that_has_not_begun_is_healthy(progress: health.Progress, clock: Clock) -> None:
    clock.now += 3600
    assert progress.complaint() is None


def test_lag_without_movement_is_unhealthy_after_the_set_time_and_not_before(
    progress: health.Progress, clock: Clock
) -> None:
    for _ in range(11):
        progress.tell({"calls": 5}, 100)
        assert progress.complaint() is None
        clock.now += 1
    progress.tell({"calls": 5}, 100)
    assert "no offset has moved for 11 s" in (progress.complaint() or "")
    progress.tell({"calls": 6}, 99)
    assert progress.complaint() is None


def test_movement_with_ever_more_lag_is_healthy(progress: health.Progress, clock: Clock) -> None:
    for moved in range(100):
        progress.tell({"calls": moved}, 10 * moved)
        clock.now += 5
        assert progress.complaint() is None


def test_standing_still_without_lag_is_healthy_and_counts_from_the_first_lag(
    progress: health.Progress, clock: Clock
) -> None:
    for _ in range(100):
        progress.tell({"calls": 5}, 0)
        clock.now += 5
    progress.tell({"calls": 5}, 1)
    assert progress.complaint() is None


def test_silence_is_unhealthy_with_lag_or_without(progress: health.Progress, clock: Clock) -> None:
    progress.tell({"calls": 5}, 0)
    clock.now += 11
    assert "busy with one thing for 11 s" in (progress.complaint() or "")


def test_the_pages_are_served(progress: health.Progress, clock: Clock) -> None:
    address = Address("127.0.0.1", any_free_port())
    server = health.HealthServer(health.pages(progress, lambda: {"kafka": False, "redis": True}), address)

    def ask(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    try:
        assert ask("/healthz") == (200, '{"healthy": true}')
        assert ask("/readyz") == (503, '{"ready": false, "waiting_for": ["kafka"]}')
        assert "forewarn_lag_records" in ask("/metrics")[1]
        assert ask("/")[0] == 404
        progress.tell({}, 0)
        clock.now += 11
        assert ask("/healthz")[0] == 503
        with pytest.raises(OSError, match="in use"):
            health.HealthServer({}, address)
    finally:
        server.close()
