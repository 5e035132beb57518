"""The door: how somebody signs in, and who it is that comes with a session or a token; each page asks it first.

Whatever cannot be asked (the users' file, Redis) or noted (the audit log) lets nobody in.
"""

from __future__ import annotations

import asyncio
from typing import Final

from models.access.audit_chain import Plain
from models.access.rights import User
from streams.access.attempts import Attempts, TooManyAttemptsError
from streams.access.sessions import Sessions
from streams.access.store import Store
from streams.access.users import RefusedError, Users
from streams.audit import AuditLog, Deed
from streams.settings import Settings

AT_ONCE: Final = 2
"""Passwords that are checked at the same time: each takes 64 MB and a processor."""


class SignInError(Exception):
    """Nobody is let in; one sentence for whoever tries, the same for every reason."""


class Authenticator:
    """Lets people and systems in.

    Besides what is said below, raises `UnavailableError` (Redis), `UsersError` (the users' file) and `AuditError`.
    """

    def __init__(self, users: Users, sessions: Sessions, attempts: Attempts, audit: AuditLog) -> None:
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        self._audit = audit
        self._checking = asyncio.Semaphore(AT_ONCE)

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Authenticator:
        """The site's door; whoever has made the store closes it."""
        return cls(Users.of(settings), Sessions(store, settings), Attempts(store), AuditLog.of(settings))

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """Sign a person in: the new session's token, for a cookie.

        Raises `SignInError`, and `TooManyAttemptsError` with the time to wait.
        """
        name, password = _text(name).strip().lower(), _text(password)
        try:
            await self._attempts.take(name, address)
        except TooManyAttemptsError as error:
            if error.first:  # each further one would be a line that costs whoever tries nothing
                await self._note_refusal(name, address, "too-many-attempts")
            raise
        try:
            async with self._checking:
                account = await asyncio.to_thread(self._users.check, name, password)
        except RefusedError as error:
            await self._note_refusal(name, address, error.reason)
            raise SignInError("The user name or password is wrong.") from None
        await self._attempts.forgive(name, address)
        await self._note("sign-in", name, address=address)
        return await self._sessions.begin(account)

    async def user_of_session(self, token: str, *, wakes: bool = True) -> User | None:
        """Whose session this is, with the role and unit that he has now; None when it has ended.

        ``wakes``: somebody has asked for something; a page that asks by itself does not keep a session alive.
        """
        session = await self._sessions.find(token, wakes=wakes)
        if session is None:
            return None
        account = self._users.get(session.name)
        # The file has the last word: sessions end with a change even if Redis could not be told.
        if account is None or account.user.disabled or account.stamp != session.stamp:
            await self._sessions.end(token)
            return None
        return account.user

    def user_of_token(self, token: str) -> User | None:
        """Whose system comes with this token; None when it is none, or not any more."""
        return self._users.by_token(token)

    async def sign_out(self, token: str) -> None:
        """End a session; nothing happens when it has ended already."""
        session = await self._sessions.find(token)
        if session is not None:
            await self._sessions.end(token)
            await self._note("sign-out", session.name)

    async def _note_refusal(self, name: str, address: str, reason: str) -> None:
        """Note it; a name that is nobody's may be a password in the wrong place, and is written as a pseudonym."""
        if self._users.get(name) is None:
            await self._note("sign-in-refused", "unknown", f"name:{name}", address=address, reason=reason)
        else:
            await self._note("sign-in-refused", name, address=address, reason=reason)

    async def _note(self, did: Deed, who: str, *about: str, **details: Plain) -> None:
        await asyncio.to_thread(lambda: self._audit.note(did, who=who, about=about, details=details))


def _text(sent: str) -> str:
    """What was sent, as text that can be written: JSON may spell halves of characters."""
    return sent.encode(errors="replace").decode()
