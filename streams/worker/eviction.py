"""Eviction: whether a Redis drops keys when its memory is full, although state must never disappear by itself.

The answer comes from INFO, which managed services allow, rather than from CONFIG, which many of them forbid.
"""

from __future__ import annotations

from collections.abc import Mapping

KEEPS = "noeviction"


def eviction(memory: Mapping[str, object]) -> str:
    """A sentence on what a Redis drops and how to stop that; empty when it drops nothing.

    ``memory`` is the section ``memory`` of INFO. Without a limit of memory nothing is dropped, whatever the policy.

    >>> eviction({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"})
    ''
    >>> eviction({"maxmemory": 1000, "maxmemory_policy": "noeviction"})
    ''
    >>> eviction({"maxmemory": 1000, "maxmemory_policy": "allkeys-lru"})[:52]
    'drops keys when its memory is full (maxmemory-policy'
    """
    policy = str(memory.get("maxmemory_policy", KEEPS))
    if not int(str(memory.get("maxmemory", 0))) or policy == KEEPS:
        return ""
    return (
        f"drops keys when its memory is full (maxmemory-policy {policy}), and with them the state of people who are "
        f"being defrauded: set maxmemory-policy {KEEPS}, in a managed service by its parameters"
    )
