"""Consoles: a console for tests with everything behind it except Kafka; made-up users and the cases of a real board."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import msgspec
from argon2 import PasswordHasher
from fastapi import FastAPI

from models.access.audit_keys import audit_key
from models.access.rights import Role, user
from models.casework.cases import Case, Feedback, FeedbackError
from models.casework.reached import Reached
from models.casework.routing import Stations
from models.risks.risk import Risk
from streams.access.accounts import AccountsFile, Token, UserAccount
from streams.access.attempts import Attempts
from streams.access.authentication import Authenticator
from streams.access.passwords import Passwords
from streams.access.sessions import Sessions
from streams.access.store import Store
from streams.access.users import Users
from streams.audit import AuditLog
from streams.audit.heads import HeadError, PublishedHead
from streams.console.app import make_app
from streams.console.bulletins import Bulletins
from streams.console.console import Console
from streams.console.reporter import Reporter
from streams.console.risk_desk import RiskDesk
from streams.console.view import View
from streams.files.playbook_files import read_playbooks
from streams.kafka.recent_records import RecentRecordsError
from streams.ledger.inquiry import Inquiry
from streams.risks.risk_topic import RiskTopicError, Standing
from streams.settings import Settings
from tests.casework import OFFICE, ROOT, T0, Desk, alert

REQUESTS = jsonschema.Draft202012Validator(
    json.loads((ROOT / "schemas" / "stop-payments-v1.json").read_text(encoding="utf-8"))
)
GOOD = "three plain words"
KEY = "a-key-for-tests-only"
PLAYBOOKS = read_playbooks()
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
"""One user for each role, and some at another place. The case of the tests is at ps-0205, which is below sb-02."""


class Backroom:
    """Everything behind a console. The board is the dispatcher's own, and answers at once."""

    def __init__(self, settings: Settings, folder: Path, secure: bool = False, shown_within: float = 2.0) -> None:
        self.audit_file, self.users_file = folder / "audit.jsonl", folder / "users.json"
        self.store = Store(settings)
        audit = AuditLog(self.audit_file, [audit_key(KEY, KEY)])
        passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.users = Users(AccountsFile(self.users_file), audit, passwords)
        self.sessions = Sessions(self.store, settings)
        self.view = View()
        self.view.begin([])
        self.view.as_of = T0
        self.desk = Desk()
        self.now = T0
        self.sent: list[Feedback] = []
        self.reached: list[Reached] | None = []
        self.asked: list[dict[str, Any]] = []
        """The requests to stop a payment that the centre received."""
        self.heads: list[PublishedHead] | None = []
        """The heads on the topic; None while Kafka is away."""
        self.risks: dict[str, Risk] | None = {}
        """The risks on the topic; None while Kafka is away."""
        self.sending: Callable[[Feedback], Awaitable[None]] = self.send
        self.console = Console(
            office=OFFICE,
            view=self.view,
            reporter=Reporter(self.view, lambda feedback: self.sending(feedback), shown_within),
            door=Authenticator(self.users, self.sessions, Attempts(self.store), audit),
            users=self.users,
            audit=audit,
            playbooks=PLAYBOOKS,
            inquiry=Inquiry(Settings(ledger=str(folder / "ledger"))),
            bulletins=Bulletins(settings, self.reminded),
            risks=RiskDesk(settings, self.standing, self.change),
            secret=KEY,
            ask_to_stop=self.ask_to_stop,
            heads=self.published,
            secure=secure,
            now=lambda: self.now,
        )
        self.app: FastAPI = make_app(self.console)
        self.tokens: dict[str, str] = {}
        with AccountsFile(self.users_file).changing() as accounts:  # at once: each change is logged and synced
            hashed = passwords.hash("nobody", GOOD)
            for name, (role, unit) in PEOPLE.items():
                self.tokens[name] = f"forewarn_{name}"
                token = Token("tests", "2026-01-01T00:00:00+00:00", sha256(self.tokens[name].encode()).hexdigest())
                accounts[name] = UserAccount(user(name, role, unit), hashed, "stamp", (token,))

    def alert(self, severity: Any = "urgent", **more: Any) -> Case:
        """Raise an alert at the dispatcher, and show its case to the console."""
        case = self.desk.alert(alert(severity, **more), self.now)
        assert case is not None
        self.view.put(case)
        return case

    def reach(self) -> None:
        """Let an officer of the home station speak with the person, whom the case of `alert` is about."""
        case = self.desk.talk(self.now)
        assert case is not None
        self.view.put(case)

    def wait(self, until: int) -> None:
        """Let time pass for the dispatcher and the console."""
        self.now = until
        for case in self.desk.wait(until):
            assert case is not None
            self.view.put(case)

    async def send(self, feedback: Feedback) -> None:
        """Deliver feedback to the dispatcher, and show the case to the console."""
        self.sent.append(feedback)
        try:
            case = self.desk.feedback(feedback, self.now)
        except FeedbackError:  # a dead letter
            return
        if case is not None:
            self.view.put(case)

    async def ask_to_stop(self, request: Mapping[str, Any]) -> None:
        """Deliver a request to the centre."""
        REQUESTS.validate(request)
        self.asked.append(dict(request))

    async def reminded(self, settings: Settings, stations: Stations, since: int) -> list[Reached]:
        """The people whom alerts had reminded; raises what reading the topic does."""
        if self.reached is None:
            raise RecentRecordsError("Kafka is away")
        return self.reached

    async def standing(self, settings: Settings) -> Standing:
        """The risks on the topic."""
        if self.risks is None:
            raise RiskTopicError("Kafka is away")
        return dict(self.risks)

    async def change(self, settings: Settings, changed: Callable[[Standing], Sequence[Risk]]) -> Sequence[Risk]:
        """Write what this makes of the risks on the topic."""
        risks = changed(await self.standing(settings))
        assert self.risks is not None
        self.risks |= {each.id: each for each in risks}
        return risks

    async def published(self) -> list[PublishedHead]:
        """The heads on the topic."""
        if self.heads is None:
            raise HeadError("Kafka is away")
        return self.heads

    @asynccontextmanager
    async def coming(self, name: str = "", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client system with the token of a user; without a name, a client without a token."""
        if name:
            headers["Authorization"] = f"Bearer {self.tokens[name]}"
        transport = httpx.ASGITransport(app=self.app, client=("10.1.2.3", 5000))
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers=headers) as client:
            yield client

    @asynccontextmanager
    async def listening(self, name: str, after: str = "") -> AsyncIterator[Ear]:
        """A client system of a user that listens to changes."""
        headers = {"Authorization": f"Bearer {self.tokens[name]}", "Last-Event-ID": after}
        ear = Ear(self.app, headers)
        yield ear
        await ear.close()

    def noted(self) -> list[dict[str, Any]]:
        """The entries of the audit log."""
        content = self.audit_file.read_bytes() if self.audit_file.exists() else b""
        return [msgspec.json.decode(line) for line in content.splitlines()]


class Ear:
    """Reads server-sent events straight from the app, because httpx would wait for the end of the stream."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self.status = 0
        self.ended = False
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._gone = asyncio.Event()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/changes",
            "raw_path": b"/api/v1/changes",
            "query_string": b"",
            "root_path": "",
            "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
            "client": ("10.1.2.3", 5000),
            "server": ("console.test", 80),
        }
        self._task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def event(self) -> dict[str, str]:
        """The next event other than a keep-alive, by field."""
        while True:
            async with asyncio.timeout(3):
                text = (await self._heard.get()).decode()
            fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if "event" in fields:
                return fields

    async def began(self) -> None:
        """Wait until the stream has begun."""
        async with asyncio.timeout(3):
            await self._heard.get()

    @property
    def silent(self) -> bool:
        """Whether no unread data has arrived."""
        return self._heard.empty()

    async def end(self) -> None:
        """Wait until the console ends the stream."""
        async with asyncio.timeout(3):
            await self._task

    async def close(self) -> None:
        """Close the connection."""
        self._gone.set()
        async with asyncio.timeout(3):
            await self._task

    async def _receive(self) -> Any:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if self._gone.is_set():
            raise OSError("the other end is gone")
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            self._heard.put_nowait(message["body"])
