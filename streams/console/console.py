"""What all routes share: the cases, the rules, the authentication and the audit log of one console."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

from fastapi import Request

from models.access.rights import Chain
from models.casework.deadlines import Office
from models.casework.playbooks import Playbook
from streams.access.authentication import Authenticator
from streams.access.users import Users
from streams.audit import AuditLog
from streams.audit.heads import PublishedHead
from streams.audit.pace import Pace
from streams.console.bulletins import Bulletins
from streams.console.refusals import busy
from streams.console.reporter import Reporter
from streams.console.risk_desk import RiskDesk
from streams.console.view import View
from streams.ledger.inquiry import Inquiry


def _now() -> int:
    return int(time() * 1000)


@dataclass(slots=True)
class Console:
    """One console; ``office`` is replaced when the policy changes."""

    office: Office
    view: View
    reporter: Reporter
    door: Authenticator
    users: Users
    audit: AuditLog
    playbooks: Mapping[str, Playbook]
    inquiry: Inquiry
    bulletins: Bulletins
    risks: RiskDesk
    secret: str
    """The key for hashing account numbers."""
    ask_to_stop: Callable[[dict[str, Any]], Awaitable[None]]
    """Sends a request to stop a payment to the centre; returns when Kafka has confirmed it."""
    heads: Callable[[], Awaitable[Sequence[PublishedHead]]]
    """The heads of audit logs that were published; raises `HeadError`."""
    secure: bool = False
    """Whether browsers use TLS, with the console itself or with a proxy in front of it."""
    now: Callable[[], int] = field(default=_now)
    """Epoch ms."""
    pace: Pace = field(default_factory=Pace)
    listening: Counter[str] = field(default_factory=Counter)
    """Open streams of changes, by the user's name."""
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held during a look-up or a check of the audit log: one at a time, because each may take much of the machine."""

    def chain(self, unit: str) -> Chain:
        """A unit and the units above it; the unit alone if it is no longer in the tree."""
        return self.office.stations.path(unit) or (unit,)

    def cases(self) -> View:
        """The cases; raises `Refused` until they are in memory."""
        if not self.view.ready:
            raise busy("The cases are not in memory yet: try again in a moment.")
        return self.view


def console_of(request: Request) -> Console:
    """The console that serves this request."""
    console: Console = request.app.state.console
    return console
