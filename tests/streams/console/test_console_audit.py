"""The audit log in the console: auditors read and check it, and nobody else; reading is recorded as well."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from models.access.audit_chain import HALF, KEYED, digest
from streams.audit import Deed
from streams.audit.heads import PublishedHead
from streams.console import audit_page
from streams.console.app import make_app
from streams.console.pages import PAGES
from streams.console.words import WORDS
from streams.settings import Settings
from tests.consoles import PEOPLE, Backroom


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages and a log of some look-ups."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    made.app = make_app(made.console, PAGES)
    for number in range(5):
        made.console.audit.note("look-up", who="chen" if number % 2 else "qian", case=f"A-{number}")
    return made


async def get(room: Backroom, path: str, who: str = "zhao") -> httpx.Response:
    """Read a path as this user, in English."""
    async with room.coming(who) as client:
        client.cookies.set("language", "en")
        return await client.get(path)


async def check(room: Backroom, path: str = "/api/v1/audit/check") -> httpx.Response:
    """Check the log as the auditor, in English."""
    async with room.coming("zhao") as client:
        client.cookies.set("language", "en")
        return await client.post(path)


async def lines(room: Backroom, query: str = "") -> list[dict[str, Any]]:
    """The lines of an answer."""
    found: list[dict[str, Any]] = (await get(room, f"/api/v1/audit{query}")).json()["lines"]
    return found


async def test_the_newest_lines_come_first_and_the_reading_is_one_of_them(room: Backroom) -> None:
    found = await lines(room)

    assert [line["number"] for line in found] == [6, 5, 4, 3, 2, 1]
    assert (found[0]["did"], found[0]["who"]) == ("audit-read", "zhao")


async def test_lines_are_found_by_user_action_case_and_time(room: Backroom) -> None:
    assert {line["case"] for line in await lines(room, "?who=chen&did=look-up")} == {"A-1", "A-3"}
    assert {line["did"] for line in await lines(room, "?case=A-2")} == {"look-up", "audit-read"}
    assert await lines(room, "?since=4000000000000") == []
    by = [line["details"]["by"] for line in room.noted() if line["did"] == "audit-read"]
    assert by == ["who did", "case", "since"]


async def test_older_lines_are_on_further_pages(room: Backroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_page, "PAGE", 2)
    page = await get(room, "/audit?did=look-up")
    seen = re.findall(r'<th scope="row">(\d+)</th>', page.text)
    while older := re.search(r'href="(/audit\?[^"]*before[^"]*)"', page.text):
        page = await get(room, older[1].replace("&amp;", "&"))
        seen += re.findall(r'<th scope="row">(\d+)</th>', page.text)

    assert seen == ["5", "4", "3", "2", "1"]


async def test_what_somebody_typed_is_shown_as_text(room: Backroom) -> None:
    room.console.audit.note("look-up", who="chen", case="<b>A</b>")
    page = await get(room, "/audit?days=99999")
    assert page.status_code == 422

    page = await get(room, "/audit?days=7")
    assert "&lt;b&gt;A&lt;/b&gt;" in page.text
    assert "<b>" not in page.text


@pytest.mark.parametrize("who", sorted(PEOPLE.keys() - {"zhao"}))
async def test_only_auditors_read_it(room: Backroom, who: str) -> None:
    answers = [await get(room, path, who) for path in ("/audit", "/api/v1/audit")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert len(room.noted()) == 5


async def test_without_its_own_line_nothing_is_shown(room: Backroom) -> None:
    room.audit_file.rename(room.audit_file.with_suffix(".away"))
    room.audit_file.mkdir()

    assert (await get(room, "/audit")).status_code == 503


async def test_a_check_says_whether_the_log_is_whole(room: Backroom) -> None:
    verdict = (await check(room)).json()
    assert (verdict["whole"], verdict["lines"], verdict["published"]) == (True, 6, 0)
    assert verdict["head"] == digest(room.audit_file.read_bytes().splitlines()[-1])

    raws = room.audit_file.read_bytes().splitlines(keepends=True)
    raws[1] = raws[1].replace(b"A-1", b"A-7")
    room.audit_file.write_bytes(b"".join(raws))
    assert "line 2 was changed" in (await check(room)).json()["wrong"]
    page = await check(room, "/audit/check")
    assert "The log is not whole: line 2 was changed" in page.text


async def test_a_check_compares_with_what_was_published(room: Backroom) -> None:
    raws = room.audit_file.read_bytes().splitlines()
    head = PublishedHead(
        log=digest(raws[0]), number=5, hash=digest(raws[4]), machine=socket.gethostname(), file="/log", at=1
    )
    room.heads = [head]
    assert (await check(room)).json()["published"] == 5
    room.heads = None
    assert "Kafka is away" in (await check(room, "/audit/check")).text

    room.audit_file.write_bytes(b"\n".join(raws[:3]) + b"\n")
    room.heads = [head]
    assert "cut off after line 4: the hash of line 5" in (await check(room)).json()["wrong"]


def test_every_action_has_a_word() -> None:
    assert {f"deed.{each}" for each in (*get_args(Deed), HALF, KEYED)} == {
        key for key in WORDS if key.startswith("deed.")
    }
