"""Redis memory: the server of a cluster that is fullest counts."""

from __future__ import annotations

from streams import metrics
from streams.worker.redis_memory import show


def shown() -> list[float | None]:
    """Used and allowed bytes."""
    return [metrics.REGISTRY.get_sample_value(f"forewarn_redis_{name}_bytes") for name in ("used", "limit")]


def test_the_fullest_server_is_shown() -> None:
    """A server without a limit is never full."""
    show([{"used_memory": 900, "maxmemory": 0}, {"used_memory": 50, "maxmemory": 100}, {"used_memory": 60}])
    fullest = shown()
    show([])

    assert fullest == [50.0, 100.0]
    assert shown() == fullest
