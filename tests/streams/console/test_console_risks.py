"""Risks in the console: who may see and decide what, that a line comes first, and what is refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from models.access.audit_keys import pseudonym
from models.risks.risk import Risk, found
from streams.console.app import make_app
from streams.console.pages import PAGES
from streams.settings import Settings
from tests.casework import T0
from tests.consoles import KEY, Backroom
from tests.models.risks.test_risk import ACCOUNT, NUMBER, decision

WHOLE = NUMBER.number
CASE = {"case": "A-1"}


def listed(name: str, evidence: object = NUMBER, **facts: object) -> Risk:
    """A risk on the topic."""
    first = found(name, evidence, T0, None)  # type: ignore[arg-type]
    assert first is not None
    return replace(first, **facts)


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages: a number, a hub at three levels, and an account that was dismissed."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path)
    made.app = make_app(made.console, PAGES)
    hub = replace(ACCOUNT, levels=(1, 2, 4), fastest_min=14.5)
    done = replace(ACCOUNT, account=replace(ACCOUNT.account, masked="****0002"), cases=1)
    made.risks = {
        "aa": listed("aa"),
        "bb": listed("bb", hub),
        "cc": listed("cc", done, status="dismissed", decisions=(decision("dismissed"),)),
    }
    return made


async def get(room: Backroom, who: str, path: str) -> httpx.Response:
    """A page as this user sees it, in English."""
    async with room.coming(who) as client:
        client.cookies.set("language", "en")
        return await client.get(path)


async def send(room: Backroom, who: str, path: str, **fields: str) -> httpx.Response:
    """The answer to a form of this user, in English."""
    async with room.coming(who) as client:
        client.cookies.set("language", "en")
        return await client.post(path, data=fields)


async def test_the_list_has_what_is_to_be_done_masked_and_what_is_done_apart(room: Backroom) -> None:
    todo, done = (await get(room, "qian", "/risks")).text, (await get(room, "qian", "/risks?show=done")).text

    assert all(words in todo for words in ("*****01", "****0001", "hub", "level 1, level 2, level 4", "0.90"))
    assert "****0002" not in todo
    assert "****0002" in done
    assert WHOLE not in todo + done
    assert room.noted() == []


async def test_who_looks_at_one_is_noted_and_the_centre_gets_its_number_for_a_case(room: Backroom) -> None:
    """An analyst sees the evidence, but never the number."""
    masked = await get(room, "qian", "/risks/aa")
    refused = await send(room, "qian", "/risks/aa/number", **CASE)
    without = await send(room, "chen", "/risks/aa/number", case=" ")
    shown = await send(room, "chen", "/risks/aa/number", **CASE)

    assert [masked.status_code, refused.status_code, without.status_code, shown.status_code] == [200, 403, 422, 200]
    assert [WHOLE in each.text for each in (masked, refused, without, shown)] == [False, False, False, True]
    assert [(each["did"], each["who"], each["case"], each["details"]["masked"]) for each in room.noted()] == [
        ("risk-shown", "qian", "", True),
        ("risk-shown", "chen", "A-1", False),
    ]
    assert room.noted()[0]["what"] == [f"number:{pseudonym(KEY, WHOLE)}"]


async def test_a_risk_is_confirmed_and_handed_over_with_a_case_each_time(room: Backroom) -> None:
    """What was decided is on the page, the newest first, and in the audit log."""
    await send(room, "qian", "/risks/bb/confirmed", **CASE)
    page = await send(room, "chen", "/risks/bb/handed-over", **CASE, to="Example Bank", note="please freeze")
    assert room.risks is not None
    stands = room.risks["bb"]

    assert stands.status == "handed-over"
    assert [(each.who, each.state, each.to) for each in stands.decisions] == [
        ("qian", "confirmed", ""),
        ("chen", "handed-over", "Example Bank"),
    ]
    assert page.text.index("handed over Example Bank") < page.text.index("qian, case A-1")
    assert [(each["did"], each["details"]) for each in room.noted()] == [
        ("risk-decided", {"state": "confirmed"}),
        ("risk-decided", {"state": "handed-over"}),
    ]


@pytest.mark.parametrize(
    ("path", "fields", "status", "words"),
    [
        ("/risks/aa/confirmed", {"case": ""}, 422, "Fill in the case"),
        ("/risks/aa/confirmed", {"case": "A", "note": "0000000000000001"}, 422, "Leave account numbers out"),
        ("/risks/aa/handed-over", CASE | {"to": "Example Carrier"}, 409, "not possible in its present state"),
        ("/risks/zz/confirmed", CASE, 404, ""),
        ("/risks/aa/blocked", CASE, 422, ""),
    ],
)
async def test_what_is_not_possible_is_said_and_neither_noted_nor_done(
    room: Backroom, path: str, fields: dict[str, str], status: int, words: str
) -> None:
    before = dict(room.risks or {})
    answer = await send(room, "qian", path, **fields)

    assert (answer.status_code, words in answer.text) == (status, True)
    assert (room.risks, room.noted()) == (before, [])


@pytest.mark.parametrize("who", ["li", "zhou", "zhao", "wu"])
async def test_officers_auditors_and_administrators_see_no_risks(room: Backroom, who: str) -> None:
    assert (await get(room, who, "/risks")).status_code == 403
    assert (await send(room, who, "/risks/aa/confirmed", **CASE)).status_code == 403


async def test_while_kafka_is_away_the_page_says_so(room: Backroom) -> None:
    room.risks = None

    assert (await get(room, "qian", "/risks")).status_code == 503
    assert (await get(room, "qian", "/risks/aa")).status_code == 503
