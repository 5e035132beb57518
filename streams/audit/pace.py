"""Pace: whether one user opens cases, sees numbers, looks people up or tries others' cases unusually often in an hour.

It hinders nobody: an officer in a wave of fraud may have a reason. It becomes known by a metric without names and by a
line of the audit log. A console counts in memory. A command ends before its user's next one, so it counts in the audit
log, and a console on its machine tells the metric.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from models.access.audit_chain import Line
from models.base.durations import HOUR
from streams import metrics
from streams.audit.log import COMMANDS, Deed
from streams.audit.reading import AuditError, recent

log = structlog.get_logger(__name__)

USUAL: Final[Mapping[Deed, int]] = {"shown-case": 120, "shown-number": 30, "look-up": 20, "case-refused": 20}
"""The most in an hour that need no explanation: a case every half minute, a call every two minutes, a look-up every
three, and as many cases of others. They are estimates; no site has measured its own yet."""


class Pace:
    """What the users of one console did in the last hour. Not shared between threads."""

    def __init__(self, usual: Mapping[Deed, int] = USUAL) -> None:
        self._usual = usual
        self._times: dict[tuple[str, Deed], deque[int]] = {}
        self._told: set[tuple[str, Deed]] = set()

    def is_unusual(self, who: str, did: Deed, now: int) -> bool:
        """Count an action at ``now`` (epoch ms); true for the first beyond the usual, until it is usual again."""
        most = self._usual.get(did)
        if most is None:
            return False
        times = self._times.setdefault((who, did), deque(maxlen=most + 1))
        times.append(now)
        while times[0] <= now - HOUR:
            times.popleft()
        if len(times) <= most:
            self._told.discard((who, did))
            return False
        is_first = (who, did) not in self._told
        self._told.add((who, did))
        return is_first


def is_unusual_now(lines: Iterable[Line], who: str, did: Deed) -> bool:
    """Whether the lines of the last hour have more of somebody's actions than is `USUAL`, and none yet that says so."""
    theirs = [line for line in lines if line.who == who]
    is_told = any(line.did == "unusual-use" and line.details.get("did") == did for line in theirs)
    return not is_told and sum(line.did == did for line in theirs) > USUAL[did]


def since(age: timedelta) -> str:
    """The time before now, as lines of the audit log have it."""
    return (datetime.now(UTC) - age).isoformat(timespec="seconds")


async def follow(path: Path, every: float = 10.0) -> None:
    """Count in the metric what commands note as unusual from now on, until cancelled."""
    begin, told = since(timedelta()), 0
    while True:
        await asyncio.sleep(every)
        try:
            lines = await asyncio.to_thread(recent, path, begin)
        except AuditError as error:
            log.warning("the audit log cannot be looked through for unusual use", error=str(error))
            continue
        count(line for line in lines if line.number > told)
        if lines:
            begin, told = lines[0].at, lines[0].number


def count(lines: Iterable[Line]) -> None:
    """Count in the metric what commands have noted as unusual in these lines."""
    for line in lines:
        if line.did == "unusual-use" and line.who.startswith(COMMANDS):
            metrics.UNUSUAL_USE.labels(str(line.details.get("did", ""))).inc()
