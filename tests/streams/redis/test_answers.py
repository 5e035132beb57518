"""Every answer by which Redis refuses is either waited out or told in one sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import RedisClusterException, ResponseError

from streams.redis.answers import PASSING, RedisRefusedError, answered
from streams.settings import Settings

SETTINGS = Settings(redis="redis://u:hush@cache:6379/0")
WORDS = {"MOVED": "5 127.0.0.1:7000", "ASK": "5 127.0.0.1:7000"}


def refusal(code: str) -> Exception:
    """The error that redis-py makes of an answer."""
    parser: Any = BaseParser  # it has no types
    error: Exception = parser.parse_error(f"{code} {WORDS.get(code, 'so says the server about 8610000000001')}")
    return error


def of_cluster(error: Exception) -> Exception:
    """The error as redis-py's client for a cluster wraps it while it looks for the servers."""
    outer = RedisClusterException("Redis Cluster cannot be connected.")
    outer.__cause__ = error
    return outer


def once(error: Exception) -> Callable[[], Awaitable[str]]:
    """A question that fails at first."""
    errors = [error]

    async def ask() -> str:
        if errors:
            raise errors.pop()
        return "answered"

    return ask


@pytest.mark.parametrize(
    "error", [*map(refusal, PASSING), ConnectionResetError(), of_cluster(refusal("LOADING"))], ids=repr
)
async def test_what_passes_is_waited_out(error: Exception) -> None:
    assert await answered(once(error), SETTINGS) == "answered"


@pytest.mark.parametrize(
    "error", [*map(refusal, ("NOAUTH", "WRONGPASS", "NOPERM")), of_cluster(refusal("WRONGPASS"))], ids=repr
)
async def test_what_waiting_cannot_mend_is_told_without_secrets_and_numbers(error: Exception) -> None:
    with pytest.raises(RedisRefusedError, match=r"^Redis at redis://cache:6379/0 [^.]+\.$") as told:
        await answered(once(error), SETTINGS)
    assert not {"hush", "8610000000001"} & set(str(told.value).split())


async def test_a_fault_of_ours_is_raised() -> None:
    with pytest.raises(ResponseError):
        await answered(once(refusal("WRONGTYPE")), SETTINGS)
