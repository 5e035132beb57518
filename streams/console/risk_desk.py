"""The risk desk: reads and changes the topic of risks for the console, only when somebody asks for it.

Each time is in a thread with a loop of its own, since aiokafka would hold up all other requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

import structlog

from models.risks.risk import Decision, Risk, RiskError, decided
from streams.console.refusals import Refused, busy
from streams.risks.risk_topic import RiskTopicError, Standing, change, standing
from streams.settings import Settings

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 20.0
"""How long to wait for Kafka."""

T = TypeVar("T")
Read = Callable[[Settings], Coroutine[Any, Any, Standing]]
Write = Callable[[Settings, Callable[[Standing], Sequence[Risk]]], Coroutine[Any, Any, Sequence[Risk]]]


class RiskDesk:
    """The risks of one console; ``read`` and ``write`` are those of `streams.risks.risk_topic`."""

    def __init__(self, settings: Settings, read: Read = standing, write: Write = change) -> None:
        self._settings = settings
        self._read = read
        self._write = write

    async def standing(self) -> Standing:
        """All risks; raises `Refused` while Kafka is away."""
        return await _patiently(self._read(self._settings))

    async def risk(self, name: str) -> Risk:
        """One risk; raises `Refused` if there is none."""
        return _of(await self.standing(), name)

    async def decide(self, name: str, decision: Decision) -> Risk:
        """The risk after a decision; raises `Refused` if that is not possible, or if somebody else decided just now."""
        (risk,) = await _patiently(self._write(self._settings, lambda known: [possible(_of(known, name), decision)]))
        return risk


def possible(risk: Risk, decision: Decision) -> Risk:
    """The risk after a decision; raises `Refused` where `models.risks.risk.decided` says why it is not possible."""
    try:
        return decided(risk, decision)
    except RiskError as error:
        raise Refused(HTTPStatus.CONFLICT, "not-possible", str(error)) from None


def _of(known: Standing, name: str) -> Risk:
    if name not in known:
        raise Refused(HTTPStatus.NOT_FOUND, "not-found", "No such risk is listed.")
    return known[name]


async def _patiently(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await work

    try:
        return await asyncio.to_thread(asyncio.run, bounded())
    except (RiskTopicError, TimeoutError) as error:
        log.error("the risks cannot be read or changed", error=str(error) or "Kafka does not answer")
        raise busy("The risks cannot be read or changed at present: look at them again, and repeat it.") from None
