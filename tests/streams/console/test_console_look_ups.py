"""Look-ups in the console: who may look up and see what, that a line comes first, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from models.access.audit_keys import pseudonym
from models.base.durations import DAY
from streams.console import look_ups
from streams.console.app import make_app
from streams.console.pages import PAGES
from streams.console.times import local
from streams.ledger.storage import Storage
from streams.settings import Settings
from tests.casework import T0
from tests.consoles import KEY, Backroom
from tests.site import FRAUD, call
from tests.streams.ledger.test_ledger import ANN, BO, put, rows

FORM = {"type": "number", "value": f"+{FRAUD}", "case": "A-1", "days": "30"}
BODY: dict[str, Any] = FORM | {"days": 30}


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages and a ledger of the day before."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    made.app = make_app(made.console, PAGES)
    at = T0 - DAY
    calls = [call(ANN, at), call(ANN, at + 120_000, phase="end", duration_s=120), call(BO, at + 1, id="c2")]
    put(Storage(Settings(ledger=str(tmp_path / "ledger"))), 0, rows(calls), day=local(at).date())
    return made


async def ask(room: Backroom, who: str, **more: Any) -> httpx.Response:
    """Look up by the API as this user."""
    async with room.coming(who) as client:
        return await client.post("/api/v1/look-ups", json=BODY | more)


async def send(room: Backroom, who: str, **more: str) -> httpx.Response:
    """Send the form as this user, in English."""
    async with room.coming(who) as client:
        client.cookies.set("language", "en")
        return await client.post("/look-up", data=FORM | more)


async def test_the_centre_sees_whom_a_number_has_reached(room: Backroom) -> None:
    found = (await ask(room, "chen")).json()

    assert (found["total"], found["masked"]) == (2, False)
    assert {(each["subscriber"], each["calls_in"], each["talk_s"]) for each in found["people"]} == {
        (ANN, 1, 120.0),
        (BO, 1, 0.0),
    }


async def test_an_analyst_sees_the_same_with_masked_numbers(room: Backroom) -> None:
    answer = await ask(room, "qian")
    page = await send(room, "qian")

    assert answer.json()["masked"] is True
    assert {each["subscriber"] for each in answer.json()["people"]} == {f"*****{ANN[-2:]}", f"*****{BO[-2:]}"}
    assert ("2 people were reached" in page.text, "Only the last two digits" in page.text) == (True, True)
    assert not {number for number in (ANN, BO) if number in answer.text + page.text}


async def test_every_look_up_is_noted_first_with_its_case_and_without_the_number(room: Backroom) -> None:
    await ask(room, "qian")
    await send(room, "chen", case=" A-2 ", type="domain", value="nobody.top")
    first, second = room.noted()

    assert (first["did"], first["who"], first["case"]) == ("look-up", "qian", "A-1")
    assert first["what"] == [f"number:{pseudonym(KEY, FRAUD)}"]
    assert (first["details"]["found"], first["details"]["masked"]) == (2, True)
    assert (second["who"], second["case"], second["details"]["found"]) == ("chen", "A-2", 0)
    room.audit_file.unlink()
    room.audit_file.mkdir()
    refused = await ask(room, "chen")
    assert (refused.status_code, ANN in refused.text) == (503, False)


@pytest.mark.parametrize("who", ["li", "zhou", "zhao", "wu"])
async def test_others_may_not_look_up(room: Backroom, who: str) -> None:
    answers = [await ask(room, who), await send(room, who)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert room.noted() == []


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"case": "  "}, "wrong-field"),
        ({"value": "110"}, "wrong-value"),
        ({"type": "domain", "value": "no domain"}, "wrong-value"),
        ({"days": 31}, "too-far-back"),
        ({"days": 0}, "wrong-field"),
        ({"type": "person"}, "wrong-field"),
    ],
)
async def test_what_cannot_be_looked_up_is_a_sentence_and_the_form_comes_back(
    room: Backroom, more: dict[str, Any], error: str
) -> None:
    answer = await ask(room, "chen", **more)
    page = await send(room, "chen", **{name: str(value) for name, value in more.items()})

    assert (answer.status_code, answer.json()["error"], page.status_code) == (422, error, 422)
    assert 'role="alert"' in page.text
    assert FRAUD not in answer.text
    assert room.noted() == []


async def test_a_look_up_is_bounded(room: Backroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines beyond the most are counted only; too many contacts, and a second look-up at once, are refused."""
    monkeypatch.setattr(look_ups, "MOST_PEOPLE", 1)
    page = await send(room, "chen")
    assert (page.text.count('<th scope="row">'), "2 people were reached" in page.text) == (1, True)

    monkeypatch.setattr(look_ups, "MOST_CONTACTS", 2)
    assert (await ask(room, "chen")).json()["error"] == "too-many"
    async with room.console.looking:
        assert (await ask(room, "chen")).status_code == 503
        assert "Another look-up is running" in (await send(room, "chen")).text


async def test_without_a_ledger_a_look_up_is_refused(tmp_path: Path) -> None:
    """The answer does not say where the ledger would be."""
    room = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    answer = await ask(room, "chen")

    assert (answer.status_code, answer.json()["error"]) == (503, "no-ledger")
    assert str(tmp_path) not in answer.text
