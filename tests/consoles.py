"""A console for tests, with everything that is behind it but Kafka: made-up users, cases of a real board."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from argon2 import PasswordHasher
from fastapi import FastAPI

from models.access import Role, user
from models.cases import Case, Feedback
from streams.access.accounts import AccountsFile
from streams.access.attempts import Attempts
from streams.access.door import Door
from streams.access.passwords import Passwords
from streams.access.sessions import Sessions
from streams.access.store import Store
from streams.access.users import Users
from streams.audit import AuditLog
from streams.console.app import make_app
from streams.console.console import Console
from streams.console.reporter import Reporter
from streams.console.view import View
from streams.playbook_files import read_playbooks
from streams.settings import Settings
from tests.casework import OFFICE, T0, Desk, alert

GOOD = "three plain words"
KEY = "a-key-for-tests-only"
URL = "http://console.test"
PEOPLE: dict[str, tuple[Role, str]] = {
    "li": ("officer", "ps-0205"),
    "wang": ("officer", "ps-0101"),
    "zhou": ("sub-bureau", "sb-02"),
    "sun": ("sub-bureau", "sb-01"),
    "chen": ("centre", "centre"),
    "qian": ("analyst", ""),
    "zhao": ("auditor", ""),
    "wu": ("admin", ""),
}
"""Somebody of each role, and of another place; the case of the tests is at ps-0205, which is below sb-02."""


class Backroom:
    """What stands behind a console; the board is the dispatcher's own, and answers at once."""

    def __init__(self, settings: Settings, folder: Path, secure: bool = False, shown_within: float = 2.0) -> None:
        self.audit_file, self.users_file = folder / "audit.jsonl", folder / "users.json"
        self.store = Store(settings)
        audit = AuditLog(self.audit_file, KEY)
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.users = Users(AccountsFile(self.users_file), audit, passwords)
        self.sessions = Sessions(self.store, settings)
        self.view = View()
        self.view.begin([])
        self.view.as_of = T0
        self.desk = Desk()
        self.now = T0
        self.sent: list[Feedback] = []
        self.sending: Callable[[Feedback], Awaitable[None]] = self.send
        self.console = Console(
            office=OFFICE,
            view=self.view,
            reporter=Reporter(self.view, lambda feedback: self.sending(feedback), shown_within),
            door=Door(self.users, self.sessions, Attempts(self.store), audit),
            audit=audit,
            playbooks=read_playbooks(),
            secure=secure,
            now=lambda: self.now,
        )
        self.app: FastAPI = make_app(self.console)
        self.tokens: dict[str, str] = {}
        for name, (role, unit) in PEOPLE.items():
            self.users.add(user(name, role, unit), GOOD, by="os:root")
            self.tokens[name] = self.users.add_token(name, "tests", by="os:root")

    def alert(self, severity: Any = "urgent", **more: Any) -> Case:
        """An alert reaches the dispatcher, and the console sees the case."""
        case = self.desk.alert(alert(severity, **more), self.now)
        assert case is not None
        self.view.put(case)
        return case

    async def send(self, feedback: Feedback) -> None:
        """What was said reaches the dispatcher, and the console sees the case."""
        self.sent.append(feedback)
        case = self.desk.feedback(feedback, self.now)
        if case is not None:
            self.view.put(case)

    @asynccontextmanager
    async def coming(self, name: str = "", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody's own system, with his token; without a name, one that nobody knows."""
        if name:
            headers["Authorization"] = f"Bearer {self.tokens[name]}"
        transport = httpx.ASGITransport(app=self.app, client=("10.1.2.3", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client:
            yield client

    def noted(self) -> list[dict[str, Any]]:
        """What the audit log says, without how users were made."""
        lines = map(msgspec.json.decode, self.audit_file.read_bytes().splitlines())
        return [line for line in lines if line["did"] not in ("user-added", "token-added")]
