"""Signing in to the console, with a real Valkey: cookies, the fields that a page must send, and too many attempts."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from streams.access.sessions import csrf_of
from streams.console import listening
from streams.console.times import local
from streams.ledger.storage import Storage
from streams.settings import Settings
from tests.casework import ANN, T0
from tests.consoles import GOOD, URL, Backroom, Ear
from tests.site import call
from tests.streams.ledger.test_ledger import put, rows

NOTE = "/api/v1/cases/e1/note"


@pytest_asyncio.fixture
async def room(valkey: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Backroom]:
    """A console with users and one case."""
    room = Backroom(Settings(redis=valkey, topic_prefix=topic_prefix), tmp_path)
    room.alert()
    yield room
    await room.store.close()


async def sign_in(client: httpx.AsyncClient, name: str = "li", password: str = GOOD) -> httpx.Response:
    """Sign in with a browser."""
    return await client.post("/api/v1/sign-in", json={"name": name, "password": password})


async def test_who_signs_in_is_known_by_a_cookie_until_he_signs_out(room: Backroom) -> None:
    async with room.coming() as browser:
        answer = await sign_in(browser)
        assert (answer.status_code, answer.json()["role"], answer.json()["unit"]) == (200, "officer", "ps-0205")
        kept = answer.headers["Set-Cookie"]
        assert kept.startswith("forewarn=")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(kept.split("; "))
        csrf = (await browser.get("/api/v1/me")).json()["csrf"]
        assert csrf == answer.json()["csrf"] == csrf_of(browser.cookies["forewarn"])
        token = browser.cookies["forewarn"]
        assert (await browser.post("/api/v1/sign-out", headers={"X-CSRF-Token": csrf})).status_code == 204
        assert "forewarn" not in browser.cookies
        browser.cookies.set("forewarn", token)
        assert (await browser.get("/api/v1/me")).status_code == 401
    assert [line["did"] for line in room.noted()] == ["sign-in", "sign-out"]


async def test_with_tls_the_cookie_is_for_this_host_and_tls_alone(room: Backroom) -> None:
    room.console.secure = True
    async with room.coming() as browser:
        kept = (await sign_in(browser)).headers["Set-Cookie"]
    assert kept.startswith("__Host-forewarn=")
    assert "Secure" in kept.split("; ")


async def test_a_form_signs_in_and_out_too_and_leads_on(room: Backroom) -> None:
    async with room.coming() as browser:
        answer = await browser.post("/api/v1/sign-in", data={"name": "li", "password": GOOD})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        csrf = csrf_of(browser.cookies["forewarn"])
        answer = await browser.post("/api/v1/sign-out", data={"csrf": csrf})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        for form in (
            {"name": "li"},
            {"name": "li", "password": GOOD, "next": "x"},
            {"name": "x" * 201, "password": ""},
        ):
            assert (await browser.post("/api/v1/sign-in", data=form)).status_code == 422


async def test_who_comes_with_a_cookie_changes_nothing_without_what_his_pages_know(room: Backroom) -> None:
    async with room.coming() as browser, room.coming() as other:
        await sign_in(browser)
        foreign = (await sign_in(other, "chen")).json()["csrf"]
        for headers in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": foreign}):
            answer = await browser.post(NOTE, json={"note": "x"}, headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (403, "csrf")
        assert (await browser.post("/api/v1/sign-out")).status_code == 403
        assert (await browser.post("/api/v1/sign-out", data={"csrf": foreign})).status_code == 403
        assert not room.sent
        csrf = csrf_of(browser.cookies["forewarn"])
        answer = await browser.post(NOTE, json={"note": "x"}, headers={"X-CSRF-Token": csrf})
        assert answer.status_code == 200
    assert [feedback.officer for feedback in room.sent] == ["li"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_page_signs_nobody_in_and_changes_nothing(room: Backroom, site: str) -> None:
    async with room.coming(**{"Sec-Fetch-Site": site}) as browser:
        assert (await sign_in(browser)).json()["error"] == "another-site"
        assert not browser.cookies


async def test_a_token_needs_no_csrf_and_one_that_is_wrong_is_not_helped_by_a_cookie(room: Backroom) -> None:
    async with room.coming() as browser:
        await sign_in(browser)
        wrong = {"Authorization": "Bearer forewarn_nothing"}
        assert (await browser.get("/api/v1/me", headers=wrong)).status_code == 401
        right = {"Authorization": f"Bearer {room.tokens['zhou']}"}
        answer = await browser.post(NOTE, json={"note": "x"}, headers=right)
        assert answer.json()["history"][-1]["officer"] == "zhou"


async def test_who_tries_too_often_waits_and_is_told_how_long(room: Backroom) -> None:
    async with room.coming() as browser:
        for _ in range(5):
            answer = await sign_in(browser, password="wrong")
            assert (answer.status_code, answer.json()["error"]) == (401, "sign-in-refused")
        answer = await sign_in(browser)
    assert (answer.status_code, answer.json()["error"]) == (429, "too-many-attempts")
    assert 890 <= int(answer.headers["Retry-After"]) <= 900
    assert "15 minutes" in answer.json()["message"]


async def test_a_page_that_listens_by_itself_does_not_keep_a_session_alive(
    room: Backroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "ASK_EVERY", 0.05)
    async with room.coming() as browser:
        await sign_in(browser)
        (key,) = [key async for key in room.store.redis.scan_iter(room.store.key("session", "*"))]
        await room.store.redis.expire(key, 1)
        ear = Ear(room.app, {"Cookie": f"forewarn={browser.cookies['forewarn']}"})
        await ear.began()
        await asyncio.sleep(0.2)
        assert await room.store.redis.ttl(key) <= 1
        assert (await ear.event())["event"] == "sign-in"
        await ear.end()


async def test_what_a_browser_gets_holds_no_number_and_no_secret_of_another(room: Backroom) -> None:
    async with room.coming() as browser:
        text = (await sign_in(browser)).text + (await browser.get("/api/v1/orders")).text
    assert ANN not in text
    assert not any(token in text for token in room.tokens.values())
    assert json.loads((await _ask(room)).text)["error"] == "sign-in"


async def _ask(room: Backroom) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=room.app), base_url=URL) as client:
        return await client.get("/api/v1/orders", headers={"Cookie": "forewarn="})


def examples() -> Iterator[list[str]]:
    """The curl commands of the API's page, in order, without those that are not complete requests."""
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["curl"] and "--no-buffer" not in words:
                yield words[1:]


async def test_the_examples_of_the_api_page_do_what_they_say(room: Backroom, tmp_path: Path) -> None:
    put(Storage(Settings(ledger=str(tmp_path / "ledger"))), 0, rows([call(ANN, T0)]), day=local(T0).date())
    users = {"$AUTH": "li", "$ANALYST": "qian", "$AUDITOR": "zhao", "$ADMIN": "wu"}
    known = {word: f"Authorization: Bearer {room.tokens[name]}" for word, name in users.items()}
    known |= {"$URL": f"{URL}/api/v1", "$CASE": "e1", "$CSRF": ""}
    ran = 0
    async with room.coming() as browser, room.coming() as system:
        for words in examples():
            for name, value in known.items():
                words = [word.replace(name, value) for word in words]
            *options, url = words
            with_cookie = "--cookie" in options or "--cookie-jar" in options
            headers, body, method = {}, None, "GET"
            for option, value in itertools.pairwise(options):
                if option == "--header":
                    name, _, text = value.partition(": ")
                    headers[name] = text
                elif option == "--json":
                    body, method = json.loads(value), "POST"
                elif option == "--request":
                    method = value
            client = browser if with_cookie else system
            answer = await client.request(method, url, headers=headers, json=body)
            assert answer.status_code in (200, 204), (words, answer.text)
            known["$CSRF"] = answer.json()["csrf"] if url.endswith("/sign-in") else known["$CSRF"]
            ran += 1
    assert ran == 18
    assert [feedback.kind for feedback in room.sent] == ["acknowledged", "attempt", "note", "outcome", "note"]
