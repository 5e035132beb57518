"""Policy file: reads the policy at the start and when it changes; a bad edit leaves the last good one in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import time

import structlog

from models.policy.policy import Policy, PolicyError, parse
from streams import metrics

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two checks of the file."""


def load(path: Path) -> Policy:
    """Read a policy; raises `PolicyError`, which names the file and says what is wrong with it."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise PolicyError(f"The policy {path} cannot be read: {error.strerror}.") from None
    except PolicyError as error:
        raise PolicyError(f"The policy {path} cannot be used: {error}") from None


async def watch(path: Path, current: Policy, use: Callable[[Policy], None]) -> None:
    """Check the file repeatedly and pass each new good version to ``use``; it ends only by cancellation.

    ``use`` is called on the event loop; only the bytes of the file are read in another thread.
    """
    _show(current)
    seen = _read(path)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        content = await asyncio.to_thread(_read, path)
        if content == seen:
            continue
        seen = content
        try:
            policy = load(path)
        except PolicyError as error:
            metrics.POLICY_REFUSED.set(1)
            metrics.POLICY_FAILURES.inc()
            log.error("policy refused, the last good version stays in force", version=current.version, error=str(error))
            continue
        _show(policy)
        log.info("policy in force", version=policy.version, before=current.version)
        current = policy
        use(policy)


def _show(policy: Policy) -> None:
    """Export the policy that is in force from now on."""
    metrics.POLICY.clear()
    metrics.POLICY.labels(policy.version).set(1)
    metrics.POLICY_TIME.set(time())
    metrics.POLICY_REFUSED.set(0)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
