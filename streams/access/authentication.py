"""Authentication: signs people in and finds the user of a session or a token; every page asks it first.

It fails closed: access is refused when the users' file or Redis does not answer, or the audit log cannot be written.
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
"""Passwords that are checked at the same time; each check takes 64 MB and a processor."""


class SignInError(Exception):
    """The sign-in is refused; the message is one sentence for the caller, the same for every reason."""


class Authenticator:
    """Authenticates people and systems.

    Besides the errors named below, methods raise `UnavailableError` (Redis), `UsersError` (the users' file) and
    `AuditError`.
    """

    def __init__(self, users: Users, sessions: Sessions, attempts: Attempts, audit: AuditLog) -> None:
        self._users = users
        self._sessions = sessions
        self._attempts = attempts
        self._audit = audit
        self._checking = asyncio.Semaphore(AT_ONCE)

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Authenticator:
        """The site's authenticator; the caller closes the store."""
        return cls(Users.of(settings), Sessions(store, settings), Attempts(store), AuditLog.of(settings))

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """Sign a person in and return the new session's token, for a cookie.

        Raises `SignInError`, and `TooManyAttemptsError` with the time to wait.
        """
        name, password = _text(name).strip().lower(), _text(password)
        try:
            await self._attempts.take(name, address)
        except TooManyAttemptsError as error:
            if error.first:  # noting each one would let an attacker fill the log at no cost
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
        """The user of this session, with their current role and unit; None when the session has ended.

        ``wakes``: the request came from the user and keeps the session alive; a page's automatic request does not.
        """
        session = await self._sessions.find(token, wakes=wakes)
        if session is None:
            return None
        account = self._users.get(session.name)
        # The file decides: a change ends the sessions even if they could not be deleted from Redis.
        if account is None or account.user.disabled or account.stamp != session.stamp:
            await self._sessions.end(token)
            return None
        return account.user

    def user_of_token(self, token: str) -> User | None:
        """The user of this token; None when the token is unknown or no longer valid."""
        return self._users.by_token(token)

    async def sign_out(self, token: str) -> None:
        """End a session; nothing happens when it has ended already."""
        session = await self._sessions.find(token)
        if session is not None:
            await self._sessions.end(token)
            await self._note("sign-out", session.name)

    async def _note_refusal(self, name: str, address: str, reason: str) -> None:
        """Note a refusal; an unknown name is noted as a pseudonym, because it may be a password in the wrong field."""
        if self._users.get(name) is None:
            await self._note("sign-in-refused", "unknown", f"name:{name}", address=address, reason=reason)
        else:
            await self._note("sign-in-refused", name, address=address, reason=reason)

    async def _note(self, did: Deed, who: str, *about: str, **details: Plain) -> None:
        await asyncio.to_thread(lambda: self._audit.note(did, who=who, about=about, details=details))


def _text(sent: str) -> str:
    """The text in a form that can be encoded: JSON may contain half a surrogate pair."""
    return sent.encode(errors="replace").decode()
