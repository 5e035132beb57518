"""The console's API: rights by role and unit, requests that take effect only once, and data that it never shows."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from models.access.rights import acts, may, sees
from models.base.durations import DAY, HOUR, MINUTE
from models.casework.cases import Feedback
from streams.console import authorisation, listening
from streams.console.app import Pages, make_app
from streams.console.bodies import BODIES
from streams.console.feedback_topic import NotConfirmedError, encode
from streams.console.refusals import Refused
from streams.settings import Settings
from tests.casework import ANN, ROOT, T0
from tests.consoles import GOOD, PEOPLE, Backroom

SAYINGS: dict[str, dict[str, Any]] = {
    "acknowledged": {},
    "attempt": {"means": "call", "reached": False},
    "returned": {"note": "the person has moved"},
    "transferred": {"to": "ps-0101"},
    "snoozed": {"until": T0 + HOUR},
    "outcome": {"outcome": "duplicate", "note": "the same person as e2", "loss_checked": True},
    "note": {"note": "rings in the evening"},
    "stop-payment": {
        "victim": "0000 0000 0000 0009",
        "payee": "0000 0000 0000 0001",
        "bank": "Example Bank",
        "amount_cny": 1_000_000,
        "paid_at": T0,
    },
    "payment-step": {"payment": "p1", "step": "accepted", "account": "0000 0000 0000 0001"},
}
MET: dict[str, Any] = {"reached": True, "answered": "person"}
"""What an attempt says that reached the person."""
OTHERS: dict[str, dict[str, Any]] = {"look-ups": {"value": "+99900000001", "case": "A-1"}}
"""Bodies of requests that are not about a case."""
OTHER_PARTS = {"scam_type": "loan", "name": "li", "change": "enable"}
"""The parts of paths besides a case."""
FEEDBACK = jsonschema.Draft202012Validator(
    json.loads((ROOT / "schemas" / "dispatch-feedback-v2.json").read_text(encoding="utf-8"))
)
NO_REDIS = Settings(redis="redis://127.0.0.1:1/0")


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with users and without cases."""
    return Backroom(NO_REDIS, tmp_path, shown_within=0.05)


def said(answer: httpx.Response) -> tuple[int, str]:
    """The status, and the error code for programs."""
    return answer.status_code, answer.json().get("error", "")


async def post(
    room: Backroom, who: str, kind: str, case: str = "e1", /, *, key: str = "", **body: Any
) -> httpx.Response:
    """Post to this route of a case as this user."""
    async with room.coming(who) as client:
        headers = {"Idempotency-Key": key} if key else {}
        return await client.post(f"/api/v1/cases/{case}/{kind}", json=body or SAYINGS[kind], headers=headers)


async def get(room: Backroom, who: str, path: str) -> httpx.Response:
    """Read a path of the API as this user."""
    async with room.coming(who) as client:
        return await client.get(f"/api/v1/{path}")


def test_every_route_has_a_rule_and_all_of_them_are_known_here(room: Backroom) -> None:
    found = {path: rule for path, _, rule in authorisation.rules(room.app)}
    assert None not in found.values()
    assert {path for path, rule in found.items() if rule is not None and rule.public} == {
        "/api/v1/sign-in",
        "/api/openapi.json",
    }
    assert len(found) == 15 + len(BODIES)


@pytest.mark.parametrize("rules", [[], [authorisation.public, authorisation.signed_in]])
def test_a_route_without_a_rule_of_its_own_stops_the_app_from_starting(room: Backroom, rules: list[Any]) -> None:
    router = APIRouter()

    @router.get("/open", dependencies=rules)
    def served() -> str:
        return "everything"

    with pytest.raises(RuntimeError, match="/open"):
        make_app(room.console, Pages(router, _page, Path(__file__).parent))


async def _page(request: Request, refused: Refused) -> Response:
    return PlainTextResponse(f"page: {refused.error}", refused.status)


async def test_every_route_answers_every_role_as_the_table_of_rights_says(room: Backroom) -> None:
    """For every role, and for users of other places. Each user gets a separate case at ps-0205."""
    path = room.console.office.stations.path
    checked = 0
    for number, (template, methods, rule) in enumerate(authorisation.rules(room.app)):
        assert rule is not None
        (method,) = methods
        if rule.public or template == "/api/v1/changes":
            continue
        kind = template.rpartition("/")[2]
        for who, (role, unit) in PEOPLE.items():
            name = f"e{number}-{who}"
            room.alert("high", episode=name, subscriber=f"86{number:04}{len(who)}{sum(map(ord, who)):06}")
            account = room.users.get(who)
            assert account is not None
            user = account.user
            expected = {409} if kind == "payment-step" else {200, 204}  # no payment is being stopped yet
            expected = {503} if kind == "look-ups" else expected  # there is no ledger
            if rule.action is not None and not may(user, rule.action):
                expected = {403}
            elif "{case}" in template and not sees(user, path("ps-0205")):
                expected = {404}
            elif "{case}" in template and rule.action is not None and not acts(user, rule.action, path("ps-0205")):
                expected = {403}
            async with room.coming(who) as client:
                answer = await client.request(
                    method, template.format(case=name, **OTHER_PARTS), json=(SAYINGS | OTHERS).get(kind)
                )
            assert answer.status_code in expected, (template, role, unit, answer.text)
            checked += 1
            if template == "/api/v1/cases/{case}/transferred" and answer.status_code == 200:
                assert answer.json()["unit"] == "ps-0101"
    assert checked == 21 * len(PEOPLE)


async def test_in_short_who_may_acknowledge(room: Backroom) -> None:
    """The same for one route in plain words, so that a mistake in the table of rights itself is found."""
    answers = {}
    for who in PEOPLE:
        room.alert(episode=f"e-{who}", subscriber=f"86{sum(map(ord, who)):011}")
        answers[who] = (await post(room, who, "acknowledged", f"e-{who}")).status_code
    assert answers == {
        "li": 200,
        "wang": 404,
        "zhou": 200,
        "sun": 404,
        "chen": 200,
        "qian": 403,
        "zhao": 403,
        "wu": 403,
    }


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer forewarn_x"}, {"Authorization": "Basic bGk6eA=="}])
async def test_nobody_is_let_in_without_a_session_or_a_token(room: Backroom, headers: dict[str, str]) -> None:
    room.alert()
    async with room.coming(**headers) as client:
        for template, methods, rule in authorisation.rules(room.app):
            if rule is not None and not rule.public:
                answer = await client.request(next(iter(methods)), template.format(case="e1", **OTHER_PARTS))
                assert answer.status_code == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert ANN not in answer.text


async def test_a_token_that_is_revoked_lets_nobody_in_from_the_next_request_on(room: Backroom) -> None:
    assert (await get(room, "li", "me")).json()["may"][0] == "acknowledge"
    room.users.revoke_token("li", "tests", by="os:root")
    assert said(await get(room, "li", "me")) == (401, "token-refused")


async def test_anothers_case_is_none_and_that_is_noted_just_as_for_one_that_there_is_not(room: Backroom) -> None:
    room.alert()
    for path in ("cases/e1", "cases/e1?show=number", "cases/e2"):
        assert said(await get(room, "wang", path)) == (404, "unknown-case")
    assert said(await post(room, "wang", "acknowledged")) == (404, "unknown-case")
    lines = [(line["did"], line["who"], line["case"], len(line["what"])) for line in room.noted()]

    refused = ("case-refused", "wang")
    assert lines == [(*refused, "e1", 1), (*refused, "e1", 1), (*refused, "", 1), (*refused, "e1", 1)]
    assert not room.sent


async def test_a_number_in_the_place_of_a_case_is_noted_as_a_pseudonym(room: Backroom) -> None:
    assert (await get(room, "li", f"cases/{ANN}")).status_code == 404
    assert ANN not in room.audit_file.read_text(encoding="utf-8")


async def test_a_station_that_was_late_keeps_its_case_and_the_unit_above_has_it_too(room: Backroom) -> None:
    room.alert()
    room.wait(T0 + 2 * MINUTE)
    for who in ("li", "zhou"):
        (late,) = (await get(room, who, "orders")).json()["orders"]
        assert (late["unit"], late["above"], late["tier"]) == ("ps-0205", ["sb-02"], "sub-bureau")
        assert late["missed"] == [{"deadline": "acknowledge", "at": T0 + 2 * MINUTE}]
        assert (await get(room, who, "cases/e1?show=number")).status_code == 200

    back = await post(room, "li", "acknowledged")
    assert (back.status_code, back.json()["unit"], back.json()["status"]) == (200, "ps-0205", "acknowledged")
    assert "missed" not in back.json()


async def test_who_had_a_case_reads_it_and_leaves_it_alone(room: Backroom) -> None:
    room.alert()
    assert (await post(room, "li", "transferred")).json()["unit"] == "ps-0101"
    mine = await get(room, "li", "cases/e1")
    assert (mine.status_code, mine.json().get("possible")) == (200, None)
    assert said(await post(room, "li", "note")) == (403, "another-units-case")
    assert said(await get(room, "li", "cases/e1?show=number")) == (403, "another-units-case")
    assert (await post(room, "wang", "acknowledged")).status_code == 200


async def test_the_number_is_masked_until_it_is_asked_for_which_is_noted_first(room: Backroom) -> None:
    room.alert()
    for path in ("orders", "cases/e1", "units", "me", "playbooks/loan"):
        assert ANN not in (await get(room, "li", path)).text
    assert (await get(room, "li", "cases/e1")).json()["subscriber"] == "*****01"
    shown = (await get(room, "li", "cases/e1?show=number")).json()
    assert (shown["subscriber"], shown["number_shown"]) == (ANN, True)
    assert [line["did"] for line in room.noted()] == ["shown-case", "shown-case", "shown-number"]
    assert ANN not in room.audit_file.read_text(encoding="utf-8")
    await post(room, "li", "outcome")
    assert said(await get(room, "li", "cases/e1?show=number")) == (409, "over")


async def test_the_ids_of_the_events_are_left_out_wherever_the_number_is_masked(room: Backroom) -> None:
    """Whoever has the carrier's records would find the number by them."""
    async with room.listening("li") as ear:
        await ear.began()
        room.alert()
        told = await ear.event()
    reported = await post(room, "li", "acknowledged")
    async with room.coming("li") as client:
        page = await client.get("/cases/e1")
    masked = [
        (await get(room, "li", "orders")).text,
        (await get(room, "li", "cases/e1")).text,
        reported.text,
        told["data"],
        page.text,
    ]
    shown = (await get(room, "li", "cases/e1?show=number")).json()

    assert room.view.case("e1").reasons[0].events == ("event-c1",)  # type: ignore[union-attr]
    assert not any("event-c1" in text or ANN in text for text in masked)
    assert (shown["subscriber"], shown["reasons"][0]["events"]) == (ANN, ["event-c1"])


async def test_what_cannot_be_noted_is_not_shown(room: Backroom) -> None:
    room.alert()
    room.audit_file.mkdir()
    for path in ("cases/e1?show=number", "cases/e1"):
        answer = await get(room, "li", path)
        assert said(answer) == (503, "unavailable")
        assert ANN not in answer.text
        assert str(room.audit_file.parent) not in answer.text


async def test_what_is_said_becomes_one_record_in_the_name_of_whoever_says_it(room: Backroom) -> None:
    room.alert()
    answer = await post(room, "li", "attempt", key="f-1", means="visit", **MET, at=T0 - DAY, note="at home")
    case = answer.json()
    assert (answer.status_code, case["status"], case["history"][-1]["id"]) == (200, "in-progress", "f-1")
    assert room.sent == [
        Feedback(
            id="f-1",
            case="e1",
            kind="attempt",
            at=T0 - DAY,
            unit="ps-0205",
            officer="li",
            means="visit",
            reached=True,
            answered="person",
            note="at home",
            rule=2,
        )
    ]


@pytest.mark.parametrize("kind", SAYINGS)
async def test_every_record_is_what_its_contract_says(room: Backroom, kind: str) -> None:
    room.alert("high")
    room.now = T0 + MINUTE
    await post(room, "li", "stop-payment", key="p1")
    assert (await post(room, "li", kind, key="f")).status_code == 200

    for feedback in room.sent:
        FEEDBACK.validate(json.loads(encode(feedback)))
    assert len(room.sent) == 2


async def test_unit_and_officer_are_never_the_bodys(room: Backroom) -> None:
    room.alert()
    for field in ("unit", "officer", "kind", "case", "id"):
        assert said(await post(room, "li", "note", note="x", **{field: "ps-0101"})) == (422, "wrong-field")
    assert not room.sent


@pytest.mark.parametrize(
    ("kind", "body", "word"),
    [
        ("attempt", {"means": "call"}, "missing required field `reached`"),
        ("attempt", {"means": "dance", "reached": True}, "at `$.means`"),
        ("attempt", {"means": "call", "reached": True}, "Say who answered"),
        ("attempt", {"means": "call", "reached": False, "answered": "dog"}, "at `$.answered`"),
        ("attempt", {"means": "sms", "reached": True, "answered": "person"}, "An SMS reaches nobody"),
        ("attempt", {"means": "call", "reached": "yes"}, "Expected `bool`"),
        ("outcome", {"outcome": "already-harmed"}, "already-harmed needs loss_cny"),
        ("outcome", {"outcome": "refused", "loss_cny": -1}, "at `$.loss_cny`"),
        ("outcome", {"outcome": "duplicate"}, "needs a note that names the other case"),
        ("transferred", {"to": "ps-9999"}, "no unit ps-9999"),
        ("snoozed", {"until": 5}, "at `$.until`"),
        ("note", {"note": ""}, "at `$.note`"),
        ("note", {"note": "x" * 1001}, "at `$.note`"),
        ("note", {"note": "x", "then": 1}, "unknown field `then`"),
    ],
)
async def test_a_wrong_body_is_refused_with_one_sentence(
    room: Backroom, kind: str, body: dict[str, Any], word: str
) -> None:
    room.alert()
    answer = await post(room, "li", kind, **body)
    assert answer.status_code == 422
    assert word in answer.json()["message"]
    assert "dance" not in answer.text
    assert not room.sent


async def test_a_body_that_is_no_json_is_refused(room: Backroom) -> None:
    room.alert()
    async with room.coming("li") as client:
        url, form = "/api/v1/cases/e1/note", "application/x-www-form-urlencoded"
        kind = {"Content-Type": "application/json"}
        assert said(await client.post(url, content=b"{", headers=kind)) == (422, "not-json")
        assert said(await client.post(url, content=b"[]", headers=kind)) == (422, "not-an-object")
        assert said(await client.post(url, content=b'{"note":"\xff"}', headers=kind)) == (422, "not-utf8")
        assert said(await client.post(url, content=b"note=x", headers={"Content-Type": form})) == (415, "not-json")
        assert said(await client.post(url, content=b'{"note":"x"}')) == (415, "not-json")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused_whether_announced_or_not(room: Backroom, announced: bool) -> None:
    room.alert()
    content = b'{"note":"' + b"x" * 70_000 + b'"}'

    async def pieces() -> Any:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    async with room.coming("li") as client:
        answer = await client.post(
            "/api/v1/cases/e1/note",
            content=content if announced else pieces(),
            headers={"Content-Type": "application/json"},
        )
    assert said(answer) == (413, "too-large")


async def test_what_is_not_possible_says_what_is(room: Backroom) -> None:
    room.alert()
    assert (await post(room, "li", "acknowledged")).status_code == 200
    answer = await post(room, "li", "acknowledged")
    assert said(answer) == (409, "not-possible")
    assert answer.json()["possible"] == [*("attempt", "returned", "transferred", "outcome", "note", "stop-payment")]
    assert said(await post(room, "li", "snoozed")) == (409, "not-possible")
    assert said(await post(room, "chen", "returned")) == (403, "not-for-you")
    await post(room, "li", "outcome")
    assert said(await post(room, "li", "returned")) == (409, "not-possible")
    assert (await get(room, "li", "cases/e1")).json()["possible"] == ["attempt", "outcome", "note", "stop-payment"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"outcome": "dissuaded"}, "not-reached"),
        ({"outcome": "unreachable"}, "too-few-attempts"),
        ({"outcome": "wrong-person"}, "nobody-answered"),
    ],
)
async def test_an_outcome_that_is_not_proved_is_a_conflict_with_one_sentence(
    room: Backroom, body: dict[str, Any], word: str
) -> None:
    room.alert()
    answer = await post(room, "li", "outcome", **body)

    assert said(answer) == (409, word)
    assert answer.json()["message"].startswith(f"The outcome {body['outcome']} needs ")
    assert not room.sent


async def test_a_loss_that_the_stop_payments_do_not_add_up_to_is_asked_about(room: Backroom) -> None:
    room.alert()
    room.reach()
    await post(room, "li", "stop-payment")
    harmed: dict[str, Any] = {"outcome": "already-harmed", "loss_cny": 1}
    assert said(await post(room, "li", "outcome", **harmed)) == (409, "loss-differs")
    answer = await post(room, "li", "outcome", **harmed, loss_checked=True)

    assert answer.json()["loss_cny"] == 1
    assert room.sent[-1].loss_checked


async def test_at_the_centre_there_is_nobody_to_return_a_case_to(room: Backroom) -> None:
    room.alert("high")
    assert "returned" in (await get(room, "zhou", "cases/e1")).json()["possible"]
    answer = await post(room, "zhou", "transferred", to="centre")
    assert answer.json()["unit"] == "centre"
    shown = (await get(room, "chen", "cases/e1")).json()
    expected = ["acknowledged", "attempt", "transferred", "snoozed", "outcome", "note", "stop-payment"]
    assert shown["possible"] == expected


async def test_an_address_that_takes_another_method_says_which(room: Backroom) -> None:
    async with room.coming("li") as client:
        answer = await client.delete("/api/v1/orders")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


async def test_the_same_id_at_the_same_time_makes_one_record(room: Backroom) -> None:
    room.alert()
    confirmed = asyncio.Event()

    async def slowly(feedback: Feedback) -> None:
        await confirmed.wait()
        await room.send(feedback)

    room.sending = slowly
    pressed = [asyncio.create_task(post(room, "li", "acknowledged", key="f-1")) for _ in range(5)]
    await asyncio.sleep(0.1)
    confirmed.set()
    answers = await asyncio.gather(*pressed)

    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(room.sent) == 1


async def test_the_same_id_later_is_answered_and_makes_no_second_record(room: Backroom) -> None:
    room.alert()
    room.reach()
    for _ in range(3):
        answer = await post(room, "li", "outcome", key="f-1", outcome="refused")
        assert (answer.status_code, answer.json()["outcome"]) == (200, "refused")
    assert said(await post(room, "li", "outcome", key="f-1", outcome="dissuaded")) == (409, "id-taken")
    assert len(room.sent) == 1


@pytest.mark.parametrize("kind", ["transferred", "returned"])
async def test_who_has_handed_a_case_on_and_says_so_again_is_told_that_it_is_done(room: Backroom, kind: str) -> None:
    """A client without an answer asks again, although the case no longer belongs to its user."""
    room.alert()
    answers = [await post(room, "li", kind, key="f-1", **SAYINGS[kind]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(room.sent) == 1
    assert said(await post(room, "wang" if kind == "returned" else "li", kind, key="f-2"))[0] in (403, 404)
    assert said(await post(room, "sun", kind, key="f-1"))[0] in (404, 409)
    assert len(room.sent) == 1


async def test_while_the_dispatcher_is_away_what_is_said_is_taken_once_and_shown_later(room: Backroom) -> None:
    room.alert()

    async def only_kafka(feedback: Feedback) -> None:
        room.sent.append(feedback)

    room.sending = only_kafka
    for _ in range(2):
        answer = await post(room, "li", "acknowledged", key="f-1")
        assert (answer.status_code, answer.json()) == (202, {"id": "f-1"})
    assert said(await post(room, "li", "note", key="f-1")) == (409, "id-taken")
    assert len(room.sent) == 1
    case = room.desk.feedback(room.sent[0], T0)
    assert case is not None
    room.view.put(case)

    assert (await post(room, "li", "acknowledged", key="f-1")).status_code == 200
    assert len(room.sent) == 1
    assert not room.console.reporter._sent


async def test_who_is_slower_than_a_colleague_is_told_so(room: Backroom) -> None:
    """Both requests are checked against the same case; the dispatcher accepts one of them."""
    room.alert()
    room.console.reporter._shown_within = 3
    both = asyncio.Event()

    async def together(feedback: Feedback) -> None:
        if len(room.sent) == 1:
            both.set()
        room.sent.append(feedback)
        await both.wait()
        if feedback is room.sent[0]:
            room.sent.remove(feedback)
            await room.send(feedback)

    room.sending = together
    answers = await asyncio.gather(post(room, "li", "acknowledged"), post(room, "zhou", "acknowledged"))
    assert sorted(map(said, answers)) == [(200, ""), (409, "not-possible")]


async def test_what_kafka_has_not_confirmed_is_not_answered_as_done_and_may_be_said_again(room: Backroom) -> None:
    room.alert()

    async def fails(feedback: Feedback) -> None:
        raise NotConfirmedError("not in time")

    room.sending = fails
    answer = await post(room, "li", "acknowledged", key="f-1")
    assert said(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    room.sending = room.send
    assert (await post(room, "li", "acknowledged", key="f-1")).status_code == 200


async def test_who_hangs_up_takes_nothing_back(room: Backroom) -> None:
    room.alert()
    confirmed = asyncio.Event()

    async def slowly(feedback: Feedback) -> None:
        await confirmed.wait()
        await room.send(feedback)

    room.sending = slowly
    asking = asyncio.create_task(post(room, "li", "acknowledged", key="f-1"))
    await asyncio.sleep(0.1)
    asking.cancel()
    confirmed.set()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(0.01)

    assert (await post(room, "li", "acknowledged", key="f-1")).status_code == 200
    assert len(room.sent) == 1


@pytest.mark.parametrize("id", ["a b", "é", "x" * 129])
async def test_an_id_that_cannot_be_one_is_refused(room: Backroom, id: str) -> None:
    room.alert()
    async with room.coming("li") as client:
        headers = [(b"Idempotency-Key", id.encode())]
        answer = await client.post("/api/v1/cases/e1/acknowledged", headers=headers)
    assert answer.status_code == 422
    assert not room.sent


async def test_orders_are_those_of_ones_units_and_filters_narrow_them(room: Backroom) -> None:
    room.alert("high", episode="e1")
    room.alert("urgent", episode="e2", subscriber="8610000000002")
    room.alert("urgent", episode="e3", subscriber="8610000000003", cell="001-01-30-0")
    await post(room, "li", "outcome", "e1")

    def names(answer: httpx.Response) -> list[str]:
        return [order["case"] for order in answer.json()["orders"]]

    assert names(await get(room, "li", "orders")) == ["e2", "e1"]
    assert names(await get(room, "zhou", "orders?status=closed")) == ["e1"]
    assert names(await get(room, "chen", "orders?status=open&status=closed&limit=2")) == ["e2", "e3"]
    assert names(await get(room, "chen", "orders?unit=ps-0102")) == ["e3"]
    assert names(await get(room, "sun", "orders?offset=1")) == []
    assert said(await get(room, "li", "orders?unit=ps-0102")) == (404, "unknown-unit")
    answer = (await get(room, "chen", "orders?limit=1")).json()
    assert (answer["total"], answer["as_of"]) == (3, T0)
    assert "history" not in answer["orders"][0]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "status=over", "offset=-1", "stat=open", f"q={ANN}"])
async def test_a_filter_that_is_none_is_refused(room: Backroom, query: str) -> None:
    answer = await get(room, "li", f"orders?{query}")
    assert said(answer) == (422, "wrong-field")
    assert ANN not in answer.text


async def test_until_the_cases_are_in_memory_it_says_so(room: Backroom) -> None:
    room.view.ready = False
    for path in ("orders", "cases/e1", "changes"):
        answer = await get(room, "li", path)
        assert said(answer) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "2"


async def test_statistics_of_the_day_by_unit(room: Backroom) -> None:
    room.alert(episode="e1")
    room.alert(episode="e2", subscriber="8610000000002")
    room.now = T0 + MINUTE
    await post(room, "li", "acknowledged", "e1")
    room.now = T0 + 4 * MINUTE
    await post(room, "li", "attempt", "e1", means="call", **MET)
    await post(room, "li", "outcome", "e1", outcome="already-harmed", loss_cny=1500.5, loss_checked=True)
    answer = (await get(room, "qian", "statistics")).json()

    assert answer["units"]["ps-0205"] == {
        "open": 1,
        "urgent": 1,
        "overdue": 1,
        "escalated": 0,
        "acknowledge_minutes": 1.0,
        "reach_minutes": 4.0,
        "outcomes": {"already-harmed": 1},
        "loss_cny": 1500.5,
    }
    assert answer["units"]["ps-0101"]["acknowledge_minutes"] is None
    assert answer["since"] <= T0 <= answer["now"] < answer["since"] + DAY


async def test_a_playbook_and_the_units(room: Backroom) -> None:
    assert (await get(room, "li", "playbooks/loan")).json()["scam_type"] == "loan"
    assert (await get(room, "li", "playbooks/no-such")).json()["scam_type"] == "other"
    units = (await get(room, "zhou", "units")).json()["units"]
    assert {unit["id"] for unit in units if unit["yours"]} == {"sb-02", *(f"ps-020{n}" for n in range(1, 7))}


async def test_changes_are_told_to_those_who_may_see_the_case(room: Backroom) -> None:
    async with room.listening("li") as mine, room.listening("sun") as others:
        await mine.began()
        await others.began()
        room.alert()
        event = await mine.event()
        await post(room, "li", "acknowledged")
        later = await mine.event()
        room.view.forget("e1")
        gone = await mine.event()
        assert others.silent

    assert (event["event"], json.loads(event["data"])["subscriber"]) == ("case", "*****01")
    assert json.loads(later["data"])["status"] == "acknowledged"
    assert (gone["event"], json.loads(gone["data"])) == ("forgotten", {"case": "e1"})


async def test_who_listens_again_gets_what_he_has_missed(room: Backroom) -> None:
    after = (await get(room, "li", "orders")).json()["last_change"]
    room.alert(episode="e1")
    async with room.listening("li", after) as ear:
        event = await ear.event()
    room.alert(episode="e2", subscriber="8610000000002")
    async with room.listening("li", event["id"]) as ear:
        missed = await ear.event()
    async with room.listening("li", "00000000-7") as ear:
        anew = await ear.event()

    assert json.loads(event["data"])["case"] == "e1"
    assert json.loads(missed["data"])["case"] == "e2"
    assert (anew["event"], anew["id"]) == ("reload", missed["id"])


async def test_one_user_cannot_take_all_streams_of_changes(room: Backroom, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are 2,000 in all, and one user could take them, also by many requests at the same moment."""
    monkeypatch.setattr(listening, "MOST_OF_USER", 2)
    async with room.listening("li") as one, room.listening("li") as two, room.listening("li") as three:
        await three.end()
        await one.began()
        await two.began()
        assert said(await get(room, "li", "changes")) == (429, "too-many-streams")
        async with room.listening("wang") as other:
            await other.began()
    async with room.listening("li") as again:
        await again.began()


async def test_who_may_not_any_more_is_told_nothing_more(room: Backroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "ASK_EVERY", 0.05)
    async with room.listening("li") as ear:
        await ear.began()
        room.users.disable("li", by="os:root")
        assert (await ear.event())["event"] == "sign-in"
        await ear.end()


async def test_whoever_listens_is_let_go_when_the_console_stops(room: Backroom) -> None:
    async with room.listening("li") as ear:
        await ear.began()
        room.view.close()
        await ear.end()
    assert room.view.listeners == 0


async def test_what_fails_says_nothing_of_it_and_the_log_only_where(room: Backroom) -> None:
    router = APIRouter()

    @router.get("/broken", dependencies=[authorisation.public])
    def broken() -> None:
        raise ValueError(f"{ANN} was not expected")

    app = make_app(room.console, Pages(router, _page, Path(__file__).parent))
    transport = httpx.ASGITransport(app=app)
    with structlog.testing.capture_logs() as logs:
        async with httpx.AsyncClient(transport=transport, base_url="http://console.test") as client:
            answer = await client.get("/broken")
            assert (await client.get("/nowhere")).text == "page: not-found"
            assert said(await client.get("/api/nowhere")) == (404, "not-found")
            assert (await client.get("/static/test_console_api.py")).headers["Cache-Control"] == "no-cache"

    assert said(answer) == (500, "failed")
    assert ANN not in answer.text + str(logs)
    assert logs[0]["error"] == "ValueError"
    assert logs[0]["at"].startswith("test_console_api.py:")


async def test_each_request_is_one_line_of_the_log_and_none_holds_a_number(room: Backroom) -> None:
    room.alert()
    with structlog.testing.capture_logs() as logs:
        await get(room, "li", "cases/e1?show=number")
        await get(room, "li", f"cases/{ANN}")
        await get(room, "li", f"{ANN}?q={ANN}")
        await post(room, "li", "note", note=f"ring {ANN}")

    assert [(line["route"], line["status"], line["user"]) for line in logs] == [
        ("/api/v1/cases/{case}", 200, "li"),
        ("/api/v1/cases/{case}", 404, "li"),
        ("none", 404, None),
        ("/api/v1/cases/{case}/note", 200, "li"),
    ]
    assert ANN not in str(logs)


async def test_every_answer_carries_what_keeps_a_browser_safe(room: Backroom, tmp_path: Path) -> None:
    for path in ("me", "nowhere", "cases/e1"):
        headers = (await get(room, "li", path)).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers
    (tmp_path / "tls").mkdir()
    behind_tls = Backroom(NO_REDIS, tmp_path / "tls", secure=True)
    assert "max-age" in (await get(behind_tls, "li", "me")).headers["Strict-Transport-Security"]


async def test_without_redis_tokens_come_in_and_sign_in_says_that_nobody_can(room: Backroom) -> None:
    async with room.coming() as client:
        answer = await client.post("/api/v1/sign-in", json={"name": "li", "password": GOOD})
    assert said(answer) == (503, "unavailable")
    assert "127.0.0.1" not in answer.text
    assert (await get(room, "li", "me")).status_code == 200


async def test_a_description_of_all_of_it_is_there_for_everybody_and_whole(room: Backroom) -> None:
    async with room.coming() as client:
        answer = await client.get("/api/openapi.json")
        assert said(await client.get("/api/docs")) == (404, "not-found")
    document = answer.json()
    named = set(document["components"]["schemas"])
    used = {part.partition('"')[0] for part in answer.text.split("#/components/schemas/")[1:]}

    assert used <= named
    assert named <= used | {"Refusal"}
    assert set(document["paths"]) == {path for path, _, _ in authorisation.rules(room.app)} - {"/api/openapi.json"}


PAID_AT = T0
MONEY = 1_000_000


async def step(room: Backroom, minutes: int, what: str, card: int, *, parent: int = 0, **more: Any) -> None:
    """The anti-fraud centre reports a step for a card."""
    room.now = PAID_AT + minutes * MINUTE
    if parent:
        more |= {"parent": f"{parent:016}", "bank": "Other Bank"}
    answer = await post(room, "chen", "payment-step", payment="p1", step=what, account=f"{card:016}", **more)
    assert answer.status_code == 200, answer.text


async def test_the_published_case_is_stopped_over_http(room: Backroom) -> None:
    """A million paid at 11:00, over five cards in ten minutes; 937,700 frozen on twelve at levels 3 to 6 by 12:29."""
    room.alert()
    room.now = PAID_AT + 8 * MINUTE
    asked = await post(room, "li", "stop-payment", key="p1")
    assert asked.status_code == 200, asked.text
    await step(room, 8, "accepted", 1)
    for card in range(2, 7):
        await step(room, card + 4, "traced", card, parent=1, received_cny=200_000)
    await step(room, 11, "failed", 1, reason="empty")
    places = [(10 + number, 2 + number % 5, 100_000) for number in range(9)]
    places += [(20, 10, 90_000), (21, 20, 80_000), (22, 21, 70_000)]
    for card, parent, money in places:
        await step(room, 20, "traced", card, parent=parent, received_cny=money)
    left = 937_700
    for number, (card, _, money) in enumerate(places):
        frozen = min(left - (len(places) - number - 1), money)
        left -= frozen
        await step(room, 30 + number * 5, "frozen", card, frozen_cny=frozen)
    room.now = PAID_AT + 89 * MINUTE
    sheet = (await get(room, "li", "cases/e1")).json()

    (payment,) = sheet["payments"]
    held = [stop for stop in payment["stops"] if stop.get("frozen_cny")]
    assert (sum(stop["frozen_cny"] for stop in held), len(held)) == (937_700, 12)
    assert {stop["level"] for stop in held} == {3, 4, 5, 6}
    assert max(stop["at"] for stop in held) <= PAID_AT + 89 * MINUTE
    assert (sheet["frozen_cny"], sheet["paid_cny"]) == (937_700, MONEY)
    cards = [request["account"] for request in room.asked]  # the centre has received every number at once
    assert (len(cards), {request["payment"] for request in room.asked}) == (18, {"p1"})
    assert [request["level"] for request in room.asked] == [1, *[2] * 5, *[3] * 9, 4, 5, 6]


async def test_an_account_number_stands_whole_in_the_request_to_the_centre_alone(room: Backroom) -> None:
    room.alert()
    room.now = PAID_AT + 3 * MINUTE
    said = await post(room, "li", "stop-payment", key="p1")
    (request,) = room.asked
    assert (request["id"], request["account"], request["minutes"]) == ("p1", "0000000000000001", 3)

    (feedback,) = room.sent
    assert b"0000000000000001" not in encode(feedback)
    assert "0000000000000001" not in said.text
    assert "****0001" in said.text


async def test_a_request_that_the_centre_did_not_get_is_not_said_of_the_case(room: Backroom) -> None:
    room.alert()

    async def not_confirmed(request: Any) -> None:
        raise NotConfirmedError("not in time")

    room.console.ask_to_stop = not_confirmed
    assert (await post(room, "li", "stop-payment", key="p1")).status_code == 503
    assert room.sent == []


@pytest.mark.parametrize(
    ("kind", "more", "hint"),
    [
        ("stop-payment", {"payee": "0000 0000 0000 0009"}, "the same"),
        ("stop-payment", {"payee": "--------------"}, "at least 8"),
        ("stop-payment", {"paid_at": T0 + HOUR}, "after the request"),
        ("stop-payment", {"amount_cny": -5}, "amount_cny"),
        ("payment-step", {"payment": "p9"}, "it has p1"),
        ("payment-step", {"step": "frozen", "frozen_cny": 2_000_000}, "cannot be frozen"),
        ("payment-step", {"step": "traced", "account": "0000000000000002", "parent": "0000000000000007"}, "trace it"),
        ("payment-step", {"account": "0000000000000002"}, "trace it first"),
    ],
)
async def test_what_cannot_be_of_a_payment_is_refused_in_words(
    room: Backroom, kind: str, more: dict[str, Any], hint: str
) -> None:
    room.alert()
    room.now = T0 + MINUTE
    if kind == "payment-step":
        await post(room, "li", "stop-payment", key="p1")
    before = len(room.sent)
    answer = await post(room, "li", kind, **SAYINGS[kind] | more)

    assert answer.status_code in (409, 422), answer.text
    assert hint in answer.json()["message"]
    assert len(room.sent) == before
