"""Users in the console: administrators add and change them, nobody else does, and a secret is shown once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from streams.console.app import make_app
from streams.console.pages import PAGES
from streams.console.user_changes import CHANGES
from streams.settings import Settings
from tests.consoles import PEOPLE, Backroom

NEW = {"name": "he", "role": "officer", "unit": "ps-0101"}
MINIMAL: dict[str, dict[str, str]] = {"add": {"role": "analyst"}, "assign": {"role": "analyst"}}
LABEL = {"label": "dispatch"}


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    made.app = make_app(made.console, PAGES)
    return made


async def change(room: Backroom, name: str, change: str, who: str = "wu", **details: str) -> httpx.Response:
    """Make a change by the API as this user."""
    async with room.coming(who) as client:
        return await client.post(f"/api/v1/users/{name}/{change}", json=details)


async def send(room: Backroom, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
    """Open a page, or send a form, as the administrator, in English."""
    async with room.coming("wu") as client:
        client.cookies.set("language", "en")
        return await (client.get(path) if fields is None else client.post(path, data=fields))


def deeds(room: Backroom) -> list[tuple[str, str, Any]]:
    """What was noted: the action, who did it, and the user whom it is about."""
    return [(line["did"], line["who"], line["details"]["user"]) for line in room.noted()]


async def test_an_administrator_adds_a_user_who_can_then_sign_in(room: Backroom) -> None:
    answer = await change(room, "he", "add", role="officer", unit="ps-0101")
    secret = answer.json()["secret"]

    assert room.users.check("he", secret).user.unit == "ps-0101"
    assert deeds(room) == [("user-added", "wu", "he")]
    listed = (await send(room, "/api/v1/users")).json()["users"]
    assert "he" in {each["name"] for each in listed}
    assert secret not in str(listed)


async def test_every_change_is_made_and_noted(room: Backroom) -> None:
    for each in CHANGES:
        details = MINIMAL.get(each, LABEL if "token" in each else {})
        assert (await change(room, "he", each, **details)).status_code == 200, each
    account = room.users.get("he")

    assert account is not None
    assert (account.user.role, account.user.disabled, account.tokens) == ("analyst", False, ())
    assert [did for did, _, _ in deeds(room)] == [
        *("user-added", "user-changed", "user-disabled", "user-enabled"),
        *("password-changed", "token-added", "token-revoked"),
    ]


async def test_a_disabled_user_and_their_tokens_are_refused_at_once(room: Backroom) -> None:
    assert (await change(room, "li", "disable")).json()["user"]["disabled"] is True

    async with room.coming("li") as client:
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_the_pages_do_the_same_and_show_a_secret_once(room: Backroom) -> None:
    added = await send(room, "/users", NEW)
    (secret,) = re.findall(r"<code>(.*?)</code>", added.text)
    assert room.users.check("he", secret).user.role == "officer"
    assert "no-store" in added.headers["cache-control"]

    assert secret not in (await send(room, "/users/he")).text
    made = await send(room, "/users/he/add-token", LABEL)
    assert room.users.by_token(re.findall(r"<code>(.*?)</code>", made.text)[0]) is not None
    assert "Done." in (await send(room, "/users/he/disable", {})).text
    assert "Disabled" in (await send(room, "/users")).text


@pytest.mark.parametrize("who", sorted(PEOPLE.keys() - {"wu"}))
async def test_nobody_else_may(room: Backroom, who: str) -> None:
    async with room.coming(who) as client:
        answers = [
            await client.get("/users"),
            await client.get("/users/li"),
            await client.get("/api/v1/users"),
            await client.post("/users", data=NEW),
            await client.post("/users/li/disable"),
            await client.post("/api/v1/users/li/disable", json={}),
        ]

    assert {answer.status_code for answer in answers} == {403}
    assert room.noted() == []


async def test_nobody_changes_their_own_role_or_disables_themselves(room: Backroom) -> None:
    for each, details in (("assign", {"role": "auditor"}), ("disable", {})):
        assert (await change(room, "wu", each, **details)).json()["error"] == "yourself"
        assert "You may not change your own role" in (await send(room, f"/users/wu/{each}", details)).text

    assert room.noted() == []


@pytest.mark.parametrize(
    ("name", "what", "details", "status", "error"),
    [
        ("li", "add", {"role": "analyst"}, 409, "not-possible"),
        ("nobody", "disable", {}, 409, "not-possible"),
        ("li", "revoke-token", {"label": "none"}, 409, "not-possible"),
        ("Li Wei", "add", {"role": "analyst"}, 422, "wrong-field"),
        ("he", "add", {"role": "officer"}, 422, "wrong-field"),
        ("he", "add", {"role": "king"}, 422, "wrong-field"),
        ("he", "crown", {}, 422, "wrong-field"),
    ],
)
async def test_what_does_not_fit_is_a_sentence_and_changes_nothing(
    room: Backroom, name: str, what: str, details: dict[str, str], status: int, error: str
) -> None:
    before = room.users_file.read_bytes()
    answer = await change(room, name, what, **details)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert "forewarn" not in answer.json()["message"]
    assert room.users_file.read_bytes() == before


async def test_a_wrong_form_comes_back_with_what_is_wrong(room: Backroom) -> None:
    again = await send(room, "/users", NEW | {"unit": ""})
    assert (again.status_code, 'value="he"' in again.text) == (422, True)
    assert "Check the name, the role and the unit." in again.text

    assert (await send(room, "/users/nobody")).status_code == 404
    assert (await send(room, "/users/nobody/disable", {})).status_code == 404


async def test_a_change_that_cannot_be_noted_does_not_happen(room: Backroom) -> None:
    room.audit_file.mkdir()
    before = room.users_file.read_bytes()

    assert (await change(room, "li", "disable")).status_code == 503
    assert room.users_file.read_bytes() == before
