"""The demonstration's order: plays how a station handles the day's most urgent case through the HTTP API."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final

from models.access.rights import user
from models.base.durations import MINUTE
from models.casework.routing import Stations
from streams.access.passwords import random_password
from streams.access.users import Users
from streams.local import LocalStackError
from streams.local.samples import users_of

PATIENCE: Final = 20.0
"""Seconds within which the first order must appear."""

STEPS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("acknowledged", {}),
    ("attempt", {"means": "call", "reached": False}),
    ("attempt", {"means": "visit", "reached": True, "answered": "person"}),
    ("outcome", {"outcome": "dissuaded", "note": "She was about to transfer her savings."}),
)
"""The officers' feedback on the case, in order."""


def handled(address: str, folder: Path, stations: Stations) -> Iterator[str]:
    """Handle the most urgent order of the day; yields one line per action with the case's new state.

    Raises LocalStackError when no order appears in time.
    """
    users = users_of(folder)
    centre = _token(users, "centre", "centre", "centre")
    deadline = perf_counter() + PATIENCE
    while not (orders := _asked(address, centre, "orders?limit=1")["orders"]):
        if perf_counter() > deadline:
            raise LocalStackError(f"No order has come within {PATIENCE:.0f} s: look into {folder}/dispatcher.log")
        sleep(0.1)
    case = orders[0]
    unit = stations.units[case["unit"]]
    role = "officer" if unit.tier == "station" else "sub-bureau" if unit.tier == "sub-bureau" else "centre"
    yield (
        f"order {case['case'][:8]}: {case['severity']}, {case['subscriber']}, to {unit.name.zh} {unit.name.en}: "
        f"acknowledge within {_minutes(case, 'acknowledge_by')}, call within {_minutes(case, 'call_by')}"
    )
    officer = _token(users, "officer", role, unit.id)
    for kind, body in STEPS:
        began = perf_counter()
        after = _asked(address, officer, f"cases/{case['case']}/{kind}", body)
        said = " ".join([kind, *(str(value) for name, value in body.items() if name in ("means", "outcome"))])
        if "reached" in body:
            said += ", reached" if body["reached"] else ", not reached"
        yield f"  {said}: {after['status']} ({(perf_counter() - began) * 1000:.0f} ms)"


def _token(users: Users, name: str, role: Any, unit: str) -> str:
    users.add(user(name, role, unit), random_password(), by="demo")
    return users.add_token(name, "demo", by="demo")


def _asked(address: str, token: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", f"/api/v1/{path}", data, headers)
        answer = connection.getresponse()
        found: dict[str, Any] = json.load(answer)
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise LocalStackError(f"The console answered {path} with {answer.status}: {found.get('message')}")
    return found


def _minutes(case: dict[str, Any], deadline: str) -> str:
    return f"{(case[deadline] - case['since']) / MINUTE:.0f} min" if deadline in case else "no time"
