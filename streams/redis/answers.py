"""Answers: a question to Redis is repeated until Redis answers it, or refused in one sentence if waiting cannot help.

While a program waits, nothing is acknowledged, so nothing is lost. `docs/guarantees.md` has the table of the errors.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
    ResponseError,
    SlotNotCoveredError,
)

from streams import metrics
from streams.backoff import Backoff
from streams.settings import Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")

FAILURES: Final = (RedisError, RedisClusterException, OSError)
"""All that a question to Redis may raise; redis-py's errors of a cluster are no `RedisError`."""

PASSING: Final = {
    "ASK": "the keys are moving to another server of the cluster",
    "BUSY": "a script has been running for too long: SCRIPT KILL ends it",
    "CLUSTERDOWN": "a part of the cluster has no primary: see CLUSTER INFO",
    "LOADING": "it is still reading its data",
    "MASTERDOWN": "it is a replica without its primary",
    "MISCONF": "it cannot write to its disk: see its log",
    "MOVED": "it has become a cluster, or the cluster has changed",
    "NOREPLICAS": "too few replicas follow (min-replicas-to-write)",
    "OOM": "its memory is full: raise maxmemory",
    "READONLY": "it is a replica, and no primary is known: promote one, or correct FOREWARN_REDIS",
    "TRYAGAIN": "the keys are moving to another server of the cluster",
}
"""The refusals that end by themselves or when somebody mends Redis, by the first word of the answer; the reason says
what is wrong. A lost connection passes as well."""

_FIRST_WORD = re.compile(r"[A-Z]+(?= |$)")


class RedisRefusedError(RedisError):
    """Redis refuses for a reason that waiting cannot change; the message says what is wrong and what to do."""


async def answered(ask: Callable[[], Awaitable[T]], settings: Settings) -> T:
    """The answer of Redis; repeats the call with backoff until Redis answers.

    Raises `RedisRefusedError` when Redis refuses the login or the user, and other errors as they come.
    """
    backoff = Backoff(0.05)
    while True:
        try:
            answer = await ask()
        except FAILURES as error:
            root = _root(error)
            reason = _why_to_wait(root, settings)
            if reason is None:
                raise
            metrics.READY.labels("redis").set(0)
            metrics.RETRIES.labels("redis", code_of(root) or type(root).__name__).inc()
            if backoff.pause >= 0.4:
                log.warning("waiting for Redis", redis=settings.redis_shown, because=reason)
            await backoff.wait()
        else:
            metrics.READY.labels("redis").set(1)
            return answer


def code_of(error: BaseException) -> str:
    """The first word of Redis's answer, which names the kind of error; empty when there was no such answer.

    >>> code_of(ResponseError("BUSY Redis is busy running a script.")), code_of(ConnectionResetError())
    ('BUSY', '')
    """
    if not isinstance(error, RedisError):
        return ""
    found = _FIRST_WORD.match(error.status_code or str(error))
    return found.group() if found else ""


def _is_ours(error: BaseException) -> bool:
    """Whether a command can never work on a cluster, as with keys that lie apart."""
    return isinstance(error, RedisClusterException) and not isinstance(error, SlotNotCoveredError)


def _root(error: BaseException) -> BaseException:
    """The server's error behind one of the cluster's client, if there is any."""
    behind: BaseException | None = error
    while isinstance(behind, RedisClusterException):
        behind = behind.__cause__ or behind.__context__
    return behind or error


def _why_to_wait(error: BaseException, settings: Settings) -> str | None:
    """Why a later attempt may succeed; None when the error is not one to wait for.

    The text of an unknown error is not repeated, because it may quote the command with somebody's number. Raises
    `RedisRefusedError`.
    """
    if isinstance(error, RedisRefusedError):
        raise error
    if isinstance(error, AuthenticationError | AuthorizationError):
        raise RedisRefusedError(
            f"Redis at {settings.redis_shown} refuses the login: correct the user and password in FOREWARN_REDIS."
        ) from None
    if isinstance(error, NoPermissionError):
        raise RedisRefusedError(
            f"Redis at {settings.redis_shown} does not let the user of FOREWARN_REDIS do what Forewarn needs: allow "
            "it ~*forewarn:* +@read +@write +@scripting +@connection, and +cluster on a cluster (ACL SETUSER)."
        ) from None
    if (code := code_of(error)) in PASSING:
        return PASSING[code]
    if isinstance(error, ResponseError) or _is_ours(error):
        return None
    return type(error).__name__
