"""Sessions: keeps signed-in users in Redis, under the hash of the random token in their browser's cookie.

A session ends after some idle minutes, at the latest twelve hours after it began, by signing out, and when its user is
disabled or gets another password. Redis holds no token, so reading Redis does not give access.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from streams.access.accounts import UserAccount
from streams.access.store import Store
from streams.settings import Settings

LONGEST: Final = 12 * 3600
"""Seconds after which a session ends in any case."""


class Session(msgspec.Struct, frozen=True):
    """The session of a signed-in user."""

    name: str
    stamp: str
    """The account's stamp at sign-in: a session whose stamp differs from the account's has ended."""
    began: float
    """Epoch seconds."""


_decoder = msgspec.json.Decoder(Session)


class Sessions:
    """The sessions of a site. Every method that uses Redis raises `UnavailableError` when it does not answer."""

    def __init__(self, store: Store, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._idle = settings.session_minutes * 60
        self._now = now

    async def begin(self, account: UserAccount) -> str:
        """Begin a session and return its token, for the cookie."""
        token, now = secrets.token_urlsafe(32), self._now()
        session = Session(account.user.name, account.stamp, now)
        of_user = self._of_user(session.name)
        redis = self._store.redis

        def list_session(pipe: Any) -> None:
            pipe.zremrangebyscore(of_user, 0, now - LONGEST)
            pipe.zadd(of_user, {_digest(token): now})
            pipe.expire(of_user, LONGEST)

        # Listed first, so that `end_all` finds every session there is; a cluster has no step over both keys.
        await self._store.asked(redis.answers(list_session))
        await self._store.asked(redis.set(self._key(token), msgspec.json.encode(session), ex=self._idle))
        return token

    async def find(self, token: str, *, wakes: bool = True) -> Session | None:
        """The session of a token, or None when it has ended; ``wakes`` restarts the idle time."""
        redis, key = self._store.redis, self._key(token)
        stored = await self._store.asked(redis.getex(key, ex=self._idle) if wakes else redis.get(key))
        try:
            session = None if stored is None else _decoder.decode(stored)
        except msgspec.MsgspecError:  # written by another version
            return None
        if session is not None and self._now() >= session.began + LONGEST:
            await self.end(token)
            return None
        return session

    async def end(self, token: str) -> None:
        """End a session, for example when its user signs out."""
        await self._store.asked(self._store.redis.delete(self._key(token)))

    async def end_all(self, name: str) -> int:
        """End all sessions of a user; return how many there were."""
        of_user = self._of_user(name)
        begun = [each.decode() for each in await self._store.asked(self._store.redis.zrange(of_user, 0, -1))]
        if not begun:
            return 0
        redis = self._store.redis
        ended = await self._store.asked(redis.answers(lambda pipe: [pipe.delete(self._key_of(each)) for each in begun]))
        await self._store.asked(redis.zrem(of_user, *begun))
        return sum(ended)

    def _key(self, token: str) -> str:
        return self._key_of(_digest(token))

    def _key_of(self, digest: str) -> str:
        return self._store.key("session", digest)

    def _of_user(self, name: str) -> str:
        return self._store.key("sessions-of", name)


def csrf_of(token: str) -> str:
    """The CSRF value that the session's forms must carry; it is derived from the token and differs between sessions.

    >>> csrf_of("token") == csrf_of("token") != csrf_of("another")
    True
    """
    value = hmac.new(token.encode(), b"forewarn csrf", "sha256").digest()
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def is_csrf_of(token: str, sent: str) -> bool:
    """Whether a form with this value came from a page of the session; takes the same time for any value."""
    return hmac.compare_digest(csrf_of(token).encode(), sent.encode())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
