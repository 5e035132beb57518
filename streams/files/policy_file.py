"""The policy file: read at the start, and again when it changes; a broken edit keeps the last good version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from models.policy.policy import Policy, PolicyError, parse
from streams import metrics

log = structlog.get_logger(__name__)

LOOK_EVERY = 0.5
"""Seconds between two looks at the file."""


def load(path: Path) -> Policy:
    """Read a policy; raises `PolicyError` naming the file and what is wrong with it."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise PolicyError(f"The policy {path} cannot be read: {error.strerror}.") from None
    except PolicyError as error:
        raise PolicyError(f"The policy {path} cannot be used: {error}") from None


async def watch(path: Path, current: Policy, use: Callable[[Policy], None]) -> None:
    """Look at the file again and again and hand on each new good version; ends only by being cancelled."""
    metrics.POLICY.labels(current.version).set(1)
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
            metrics.POLICY_FAILURES.inc()
            log.error("policy refused, the last good version stays in force", version=current.version, error=str(error))
            continue
        metrics.POLICY.clear()
        metrics.POLICY.labels(policy.version).set(1)
        log.info("policy in force", version=policy.version, before=current.version)
        current = policy
        use(policy)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
