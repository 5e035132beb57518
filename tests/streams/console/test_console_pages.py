"""The console's pages as values and as answers: what they show of a case, to which user, and what their forms send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from msgspec.structs import replace

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.cases import Case, Means, Outcome, Person
from models.casework.deadlines import Office
from models.casework.tallies import account
from streams.console import authorisation
from streams.console.app import make_app
from streams.console.forms import FormError, feedback_id, filled, money
from streams.console.overview import overview
from streams.console.pages import PAGES
from streams.console.presenting import Scene, case_page, needed_first, order, orders, said_next
from streams.console.times import clock, midnight, span
from streams.files.playbook_files import read_playbooks
from streams.settings import Settings
from tests.casework import ANN, HOME, OFFICE, T0, Desk, alert, feedback
from tests.city_day import NEW, NOW, a_day
from tests.consoles import Backroom

BOOKS = read_playbooks()


def scene(now: int = T0, language: Any = "en") -> Scene:
    """The made-up city at this time."""
    return Scene(now, language, OFFICE.stations)


def desk(severity: Any = "urgent", **more: Any) -> Desk:
    """A desk with one case, opened at `T0`."""
    made = Desk()
    made.alert(alert(severity, **more))
    return made


def tried(reached: bool, means: Means = "call") -> Case:
    """A case with one attempt to reach the subscriber."""
    made = desk()
    made.feedback(feedback("attempt", T0 + MINUTE, means=means, reached=reached))
    return made.case()


# What pages show


def test_what_is_overdue_comes_first_and_only_urgent_orders_before_it() -> None:
    made = Desk()
    opened: list[tuple[Any, int]] = [("medium", 0), ("high", 0), ("high", 60), ("urgent", 180), ("urgent", 239)]
    for number, (severity, minutes) in enumerate(opened):
        told = alert(severity, episode=f"e{number}", subscriber=f"861000000{number:04d}")
        made.alert(told, T0 + minutes * MINUTE)
    made.feedback(feedback("acknowledged", T0 + 61 * MINUTE, case="e2"))
    made.wait(T0 + 240 * MINUTE - 1)
    overdue = {name: bool(case.missed) for name, case in made.board.cases.items()}

    assert [name for name, is_late in overdue.items() if is_late] == ["e1", "e2", "e3"]
    assert [each.case for each in orders(made.board.cases.values(), scene())] == ["e3", "e4", "e1", "e2", "e0"]


def test_orders_come_by_severity_then_by_what_is_due_first() -> None:
    made = Desk()
    for number, (severity, at) in enumerate((("medium", 0), ("urgent", 50), ("high", 0), ("urgent", 0))):
        made.alert(alert(severity, episode=f"e{number}", subscriber=f"861000000{number:04d}"), T0 + at)  # type: ignore[arg-type]

    assert [each.case for each in orders(made.board.cases.values(), scene())] == ["e3", "e1", "e2", "e0"]


def test_a_person_is_shown_without_the_number() -> None:
    shown = order(desk().case(), scene())

    assert (shown.person, shown.officer) == ("*****01 · 60-69", "")
    assert order(tried(False), scene()).officer == "000042"
    assert ANN not in repr(case_page(desk().case(), scene(), BOOKS))


@pytest.mark.parametrize(
    ("passed", "level", "left"),
    [
        (0, "calm", "2 min 0 s left"),
        (59_999, "calm", "1 min 0 s left"),
        (60_000, "soon", "1 min 0 s left"),
        (120_000, "late", "overdue 0 min"),
        (185_000, "late", "overdue 1 min"),
    ],
)
def test_time_runs_out_and_a_deadline_is_late(passed: int, level: str, left: str) -> None:
    due = order(desk().case(), scene(T0 + passed)).due

    assert due is not None
    assert (due.level, due.left) == (level, left)


@pytest.mark.parametrize(
    ("minutes", "left", "marks"),
    [
        (1, "1 min 0 s left", ()),
        (2, "overdue 0 min", ("Escalated to West sub-bureau",)),
        (16, "overdue 14 min", ("Escalated to City anti-fraud centre",)),
        (180, "overdue 2 h 58 min", ("Escalated to City anti-fraud centre",)),
    ],
)
def test_what_is_overdue_stays_overdue_at_every_tier_and_after_the_last(minutes: int, left: str, marks: Any) -> None:
    now = T0 + minutes * MINUTE
    made = desk()
    made.wait(now)
    shown = order(made.case(), scene(now))

    assert shown.due is not None
    assert (shown.due.left, shown.due.level) == (left, "late" if minutes > 1 else "soon")
    assert tuple(text for _, text in shown.marks) == marks
    assert shown.unit == "West station 5"


def test_what_is_overdue_is_said_in_the_words_of_officers() -> None:
    made = desk()
    made.wait(T0 + 16 * MINUTE)
    shown = order(made.case(), scene(T0 + 16 * MINUTE, "zh"))

    assert shown.due is not None
    assert (shown.due.what, shown.due.left) == ("签收", "超时14分钟")


def test_a_unit_above_gets_a_deadline_of_its_own_beside_the_one_that_is_overdue() -> None:
    made = desk()
    made.feedback(feedback("acknowledged", T0 + MINUTE))
    made.wait(T0 + 5 * MINUTE)
    dues = case_page(made.case(), scene(T0 + 6 * MINUTE), BOOKS).deadlines

    assert [(each.what, each.left) for each in dues] == [
        ("call", "overdue 1 min"),
        ("acknowledge", "1 min 0 s left"),
        ("visit", "24 min 0 s left"),
    ]


def test_what_passed_while_the_dispatcher_is_away_is_overdue() -> None:
    due = order(desk().case(), scene(T0 + 3 * MINUTE)).due

    assert due is not None
    assert due.left == "overdue 1 min"


def test_an_escalated_case_that_somebody_above_took_on_is_marked_no_more() -> None:
    made = desk()
    made.wait(T0 + 2 * MINUTE)
    made.feedback(feedback("acknowledged", T0 + 3 * MINUTE, unit="sb-02"))

    assert order(made.case(), scene(T0 + 3 * MINUTE)).marks == ()


def test_everything_that_can_happen_to_a_case_is_a_sentence_in_both_languages() -> None:
    for language in ("zh", "en"):
        for case in a_day().values():
            page = case_page(case, scene(NOW, language), BOOKS)
            assert all(line.text and line.by for line in page.history)
            assert not re.search(r"[{}]", repr([line.text for line in page.history]))


def test_history_is_told_newest_first_with_who_and_what() -> None:
    made = desk()
    made.feedback(feedback("acknowledged", T0 + MINUTE))
    made.feedback(feedback("attempt", T0 + 2 * MINUTE, means="visit", reached=False, answered="other", note="a lodger"))
    made.end(T0 + 3 * MINUTE, "already-harmed", loss_cny=12800.0, loss_checked=True)
    history = case_page(made.case(), scene(T0 + HOUR), BOOKS).history

    assert [line.text for line in history] == [
        "Outcome: Already harmed, ¥12,800 lost",
        "Call: reached",
        "Visit: only somebody else was there",
        "Acknowledged",
        "Ordered, severity: Urgent",
    ]
    assert history[2].note == "a lodger"
    assert history[2].by == "West station 5 · 000042"


@pytest.mark.parametrize(
    ("case", "part", "kind"),
    [
        (desk().case(), "opening", "acknowledged"),
        (tried(False), "at_the_door_nobody", "attempt"),
        (tried(True), "questions", "outcome"),
        (replace(desk().case(), stage="harmed"), "money_gone", "acknowledged"),
    ],
)
def test_the_part_and_the_button_that_are_needed_first_stand_out(case: Case, part: str, kind: str) -> None:
    page = case_page(case, scene(), BOOKS)

    assert needed_first(case) == part
    assert [each.name for each in page.playbook if each.is_open] == [part]
    assert said_next(case) == page.next == kind


def test_a_scam_type_of_ones_own_gets_the_general_playbook_and_says_so() -> None:
    page = case_page(replace(desk().case(), scam_type="fake-heritage"), scene(), BOOKS)

    assert not page.has_playbook
    assert page.order.scam == "fake-heritage"
    assert page.playbook[0].said[0].text == BOOKS["other"].opening[0].en


def test_flags_and_languages_that_have_no_word_are_shown_as_they_are_written() -> None:
    person = Person(language="eo", flags=("lives-alone", "left-handed"))
    page = case_page(replace(desk().case(), person=person), scene(language="zh"), BOOKS)

    assert (page.language, page.flags, page.age) == ("eo", ("独居", "left handed"), "不详")


def test_a_unit_that_left_the_tree_is_shown_by_its_id() -> None:
    assert order(replace(desk().case(), unit="ps-9999"), scene()).unit == "ps-9999"


def test_risk_is_a_sentence_that_promises_nothing() -> None:
    assert "about 99 are" in case_page(replace(desk().case(), risk=1.0), scene(), BOOKS).risk


# Times


def test_the_day_begins_at_midnight_of_the_city() -> None:
    begun = midnight(NOW)

    assert clock(begun, NOW, "en") == "00:00"
    assert clock(begun - 1, NOW, "en") == "yesterday 23:59"
    assert clock(begun + DAY, NOW, "en") == "11-28 00:00"
    assert clock(begun - DAY - 1, NOW, "zh") == "11-25 23:59"


def test_a_span_is_told_in_its_two_largest_units() -> None:
    assert [span(length, "zh") for length in (0, HOUR - 1, HOUR, DAY)] == [
        "0 分 0 秒",
        "59 分 59 秒",
        "1 小时 0 分",
        "1 天 0 小时",
    ]


# The city


def test_the_citys_numbers_are_the_sum_of_its_units() -> None:
    cases = a_day()
    found = overview([*map(account, cases.values())], scene(NOW))

    for name in ("open", "urgent", "overdue", "opened", "escalated", "closed"):
        parts = [getattr(group.total, name) for group in found.groups] + [getattr(found.centre, name)]
        assert sum(parts) == getattr(found.city, name), name
        for group in found.groups:
            assert sum(getattr(row, name) for row in group.rows) == getattr(group.total, name)
    assert found.city.open == sum(case.status not in ("closed", "withdrawn") for case in cases.values())
    assert found.city.opened == len(cases)
    assert max(row.urgent_width + row.rest_width for group in found.groups for row in group.rows) == 100


def test_late_orders_are_listed_as_far_as_one_may_read_them() -> None:
    cases = a_day().values()

    assert {each.marks[0][0] for each in overview([*map(account, cases)], scene(NOW)).late} == {"escalated"}
    assert overview([*map(account, cases)], Scene(NOW, "zh", OFFICE.stations, lambda case: False)).late == []


def test_cases_of_a_unit_that_left_the_tree_are_the_centres_to_look_after() -> None:
    case = replace(desk().case(), unit="ps-9999")

    assert overview([account(case)], scene()).centre.open == 1


def test_a_city_without_a_case_has_dashes_for_medians() -> None:
    found = overview([], scene())

    assert (found.city.open, found.city.acknowledge, found.city.urgent_width) == (0, "–", 0)


# Forms


def form(kind: Any, office: Office = OFFICE, **fields: str) -> dict[str, Any]:
    """The feedback's fields from a form that was sent at `T0`."""
    return filled(kind, fields, office, T0)


def test_forms_make_the_fields_of_feedback() -> None:
    assert form("acknowledged") == {}
    assert form("attempt", means="visit", answered="nobody", note=" dark ") == {
        "means": "visit",
        "reached": False,
        "note": "dark",
    }
    assert form("attempt", means="call", answered="relative") == {
        "means": "call",
        "reached": False,
        "answered": "relative",
    }
    assert form("outcome", outcome="dissuaded", loss="left over") == {"outcome": "dissuaded"}
    assert form("outcome", outcome="already-harmed", loss="1.5万") == {
        "outcome": "already-harmed",
        "loss_cny": 15000.0,
    }
    assert form("transferred", to="sb-01") == {"to": "sb-01"}
    assert form("snoozed", hours="4") == {"until": T0 + 4 * HOUR}


@pytest.mark.parametrize(
    ("kind", "fields", "word"),
    [
        ("attempt", {"answered": "person"}, "wrong.means"),
        ("attempt", {"means": "pigeon", "answered": "person"}, "wrong.means"),
        ("attempt", {"means": "call"}, "wrong.answered"),
        ("attempt", {"means": "call", "answered": "yes"}, "wrong.answered"),
        ("outcome", {}, "wrong.outcome"),
        ("outcome", {"outcome": "already-harmed"}, "wrong.loss"),
        ("outcome", {"outcome": "already-harmed", "loss": "-5"}, "wrong.loss"),
        ("transferred", {"to": "ps-9999"}, "wrong.to"),
        ("snoozed", {"hours": "25"}, "wrong.hours"),
        ("note", {"note": "  "}, "wrong.note"),
        ("returned", {"note": "x" * 1001}, "wrong.note.long"),
    ],
)
def test_what_is_missing_or_wrong_in_a_form_is_said(kind: Any, fields: dict[str, str], word: str) -> None:
    with pytest.raises(FormError) as error:
        filled(kind, fields, OFFICE, T0)

    assert error.value.word == word


def test_no_hours_are_offered_that_the_policy_does_not_allow() -> None:
    strict = Office(replace(OFFICE.rules, snooze_hours=3), OFFICE.stations)

    assert form("snoozed", strict, hours="2")
    with pytest.raises(FormError):
        form("snoozed", strict, hours="4")


def test_a_form_pressed_twice_has_one_id_and_one_filled_in_otherwise_another() -> None:
    once = feedback_id("k", "note", {"note": "a", "key": "k", "csrf": "x"})

    assert feedback_id("k", "note", {"csrf": "y", "note": "a", "key": "k"}) == once
    others = [("k", "note", "b"), ("l", "note", "a"), ("k", "returned", "a")]
    assert len({once, *(feedback_id(key, kind, {"note": note}) for key, kind, note in others)}) == 4  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "abc", "1e9", "nan", "-1", "1.2.3", "9" * 20, "五千", "1万5"])
def test_what_is_no_amount_of_money_is_none(text: str) -> None:
    assert money(text) is None


# Answers


def test_every_page_has_a_rule_and_few_are_for_everybody(room: Backroom) -> None:
    found = {(path, method): rule for path, methods, rule in authorisation.rules(room.app) for method in methods}
    public = {path for (path, _), rule in found.items() if rule is not None and rule.public}

    assert None not in found.values()
    assert {path for path in public if not path.startswith("/api/")} == {"/sign-in", "/language", "/static"}


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages. Users with a token need no Redis."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path, shown_within=0.05)
    made.app = make_app(made.console, PAGES)
    return made


async def get(room: Backroom, who: str, path: str, **cookies: str) -> httpx.Response:
    """Open a page as this user."""
    async with room.coming(who) as client:
        client.cookies.update(cookies)
        return await client.get(path)


async def post(
    room: Backroom, who: str, path: str, fields: Mapping[str, str] = {}, language: str = "zh"
) -> httpx.Response:
    """Send a form as this user."""
    async with room.coming(who) as client:
        client.cookies.set("language", language)
        return await client.post(path, data=dict(fields))


def text(answer: httpx.Response) -> str:
    """The text of a page, without tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


@pytest.mark.parametrize(
    ("who", "first"),
    [
        ("li", "/orders"),
        ("zhou", "/orders"),
        ("chen", "/centre"),
        ("qian", "/centre"),
        ("zhao", "/audit"),
        ("wu", "/users"),
    ],
)
async def test_everybody_begins_with_a_page_that_he_may_see(room: Backroom, who: str, first: str) -> None:
    answer = await get(room, who, "/")

    assert (answer.status_code, answer.headers["location"]) == (303, first)


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("li", "/orders", 200),
        ("li", "/cases/e1", 200),
        ("li", "/centre", 403),
        ("zhou", "/cases/e1", 200),
        ("wang", "/cases/e1", 404),
        ("sun", "/cases/e1", 404),
        ("chen", "/cases/e1", 200),
        ("chen", "/centre", 200),
        ("qian", "/centre", 200),
        ("qian", "/orders", 403),
        ("qian", "/cases/e1", 403),
        ("zhao", "/orders", 403),
        ("wu", "/centre", 403),
        ("li", "/nowhere", 404),
    ],
)
async def test_who_may_see_what(room: Backroom, who: str, path: str, status: int) -> None:
    room.alert()
    answer = await get(room, who, path)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert ANN not in answer.text
    assert ("*****01" in answer.text) is (status == 200 and who != "qian" and path != "/centre")


async def test_an_analyst_sees_numbers_of_units_and_no_orders(room: Backroom) -> None:
    room.alert()
    room.now = T0 + HOUR
    shown = await get(room, "chen", "/centre")
    assert "冒充公检法及政府机关" in text(shown)

    assert "冒充公检法及政府机关" not in text(await get(room, "qian", "/centre"))


async def test_whoever_is_nobody_is_led_to_the_sign_in_and_back(room: Backroom) -> None:
    answer = await get(room, "", "/cases/e1?done=note")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?back=%2Fcases%2Fe1%3Fdone%3Dnote"
    page = await get(room, "", answer.headers["location"])
    assert 'name="back" value="/cases/e1?done=note"' in page.text


@pytest.mark.parametrize("back", ["//evil.test", "https://evil.test", "/\\evil.test", "/\t/evil.test", "evil", ""])
async def test_nobody_is_led_to_another_host(room: Backroom, back: str) -> None:
    answer = await post(room, "", "/language", {"language": "en", "back": back})

    assert answer.headers["location"] == "/"


async def test_the_language_is_kept_and_another_than_ours_is_chinese(room: Backroom) -> None:
    answer = await post(room, "li", "/language", {"language": "en", "back": "/orders"})
    assert answer.headers["location"] == "/orders"
    assert answer.cookies["language"] == "en"

    assert "No orders are waiting." in text(await get(room, "li", "/orders", language="en"))
    assert "目前没有待办指令" in text(await get(room, "li", "/orders", language="fr"))
    assert "set-cookie" not in (await post(room, "li", "/language", {"language": "fr"})).headers


async def test_the_number_is_shown_on_demand_and_noted(room: Backroom) -> None:
    room.alert()
    answer = await post(room, "li", "/cases/e1/number")

    assert f'href="tel:+{ANN}"' in answer.text
    assert [line["did"] for line in room.noted()] == ["shown-number"]
    await get(room, "li", "/cases/e1")
    assert [line["did"] for line in room.noted()] == ["shown-number", "shown-case"]


async def test_a_form_leads_back_to_the_case_which_says_that_it_is_done(room: Backroom) -> None:
    room.alert()
    answer = await post(room, "li", "/cases/e1/attempt", {"key": "k", "means": "call", "answered": "person"})
    assert answer.headers["location"] == "/cases/e1?done=attempt"
    shown = text(await get(room, "li", answer.headers["location"]))

    assert "联系情况已记录" in shown
    assert "电话劝阻：已接通本人" in shown
    (sent,) = room.sent
    assert (sent.kind, sent.unit, sent.officer, sent.means, sent.reached) == ("attempt", HOME, "li", "call", True)


async def test_a_form_that_is_wrong_comes_back_with_why_and_with_what_was_typed(room: Backroom) -> None:
    room.alert()
    fields = {"key": "k", "outcome": "already-harmed", "loss": "a lot", "note": "<b>cash</b> at the door"}
    answer = await post(room, "li", "/cases/e1/outcome", fields)

    assert answer.status_code == 422
    assert "未提交：已被骗须填损失金额" in text(answer)
    assert 'value="a lot"' in answer.text
    assert "&lt;b&gt;cash&lt;/b&gt; at the door</textarea>" in answer.text
    assert re.search(r'value="already-harmed" required checked', answer.text)
    assert 'name="key" value="k"' in answer.text
    assert 'data-address="/cases/e1"' in answer.text
    assert 'name="back" value="/cases/e1"' in answer.text
    assert room.sent == []


async def test_the_same_form_twice_is_one_record_also_when_it_puts_off(room: Backroom) -> None:
    room.alert("high")
    for kind, fields in (("note", {"note": "rings in the evening"}), ("snoozed", {"hours": "2"})):
        answers = []
        for _ in range(2):
            answers.append(await post(room, "li", f"/cases/e1/{kind}", {"key": kind, **fields}))
            room.now += 1500
        assert {answer.headers["location"] for answer in answers} == {f"/cases/e1?done={kind}"}

    assert [sent.kind for sent in room.sent] == ["note", "snoozed"]


async def test_what_the_case_takes_no_more_is_said_beside_the_form(room: Backroom) -> None:
    room.alert()
    await post(room, "li", "/cases/e1/acknowledged", {"key": "k"})
    answer = await post(room, "li", "/cases/e1/acknowledged", {"key": "l"})

    assert answer.status_code == 409
    assert "预警状态已变化" in text(answer)


async def test_who_had_a_case_may_read_it_and_is_told_who_acts(room: Backroom) -> None:
    room.alert()
    await post(room, "li", "/cases/e1/transferred", {"key": "k", "to": "ps-0101"})
    shown = await get(room, "li", "/cases/e1")
    assert "该预警现由城东第一派出所承办" in text(shown)
    assert 'action="/cases/e1/' not in shown.text
    assert "已转出" in text(await get(room, "li", "/orders"))

    refused = await post(room, "li", "/cases/e1/note", {"key": "m", "note": "still mine"})
    assert refused.status_code == 403
    assert "该预警不属于您的单位" in text(refused)


async def test_what_officers_write_is_text(room: Backroom) -> None:
    room.alert()
    await post(room, "li", "/cases/e1/note", {"key": "k", "note": "<script>alert(1)</script>"})
    answer = await get(room, "li", "/cases/e1")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script>alert" not in answer.text


async def test_todays_closed_cases_are_under_done_and_yesterdays_are_not(room: Backroom) -> None:
    room.alert()
    room.reach()
    await post(room, "li", "/cases/e1/outcome", {"key": "k", "outcome": "dissuaded"})
    assert "劝阻成功" in text(await get(room, "li", "/orders?show=done"))

    room.now = T0 + DAY
    assert "今天还没有办结的指令" in text(await get(room, "li", "/orders?show=done"))


async def test_a_page_of_a_console_without_kafka_says_up_to_when_it_is_true(room: Backroom) -> None:
    assert "连接中断" not in re.sub(r"data-[\w-]+=\"[^\"]*\"", "", (await get(room, "li", "/orders")).text)

    room.now += MINUTE
    assert "以下是 16:53:20 的情况" in text(await get(room, "li", "/orders"))


@pytest.mark.parametrize("outcome", [each for each in get_args(Outcome) if each != "unreachable"])
async def test_every_outcome_can_be_given_and_is_read_back(room: Backroom, outcome: str) -> None:
    room.alert()
    room.reach()
    fields = {"key": "k", "outcome": outcome, "loss": "500", "note": "e2", "loss_checked": "yes"}
    answer = await post(room, "li", "/cases/e1/outcome", fields)

    assert answer.status_code == 303
    assert room.desk.case().outcome == outcome
    assert "更正结果" in text(await get(room, "li", "/cases/e1"))


@pytest.mark.parametrize(
    ("kind", "fields", "zh", "en"),
    [
        ("attempt", {"means": "sms", "answered": "person"}, "发短信不算联系上", "an SMS reaches nobody"),
        ("outcome", {"outcome": "refused"}, "须与本人通话或见面（核实身份）并登记", "Record that first"),
        ("outcome", {"outcome": "unreachable"}, "须打电话或上门至少 3 次", "at least 3 calls or visits"),
        ("outcome", {"outcome": "duplicate"}, "重复预警须在备注中写明", "a note that names the other case"),
    ],
)
async def test_what_is_not_proved_is_refused_in_both_languages(
    room: Backroom, kind: str, fields: dict[str, str], zh: str, en: str
) -> None:
    room.alert()
    for language, words in (("zh", zh), ("en", en)):
        answer = await post(room, "li", f"/cases/e1/{kind}", {"key": "k"} | fields, language=language)
        assert answer.status_code in (409, 422)
        assert words in text(answer)
    assert room.sent == []


async def test_a_loss_that_differs_from_the_stop_payments_is_asked_about_beside_the_form(room: Backroom) -> None:
    room.alert()
    room.reach()
    fields = {"key": "k", "outcome": "already-harmed", "loss": "500"}
    asked = await post(room, "li", "/cases/e1/outcome", fields)
    assert asked.status_code == 409
    assert "损失金额与止付金额（0 元）不一致" in text(asked)
    assert 'name="loss_checked"' in asked.text

    assert (await post(room, "li", "/cases/e1/outcome", fields | {"loss_checked": "yes"})).status_code == 303
    assert 'name="loss_checked"' not in (await get(room, "li", "/cases/e1")).text


async def test_unreachable_is_said_to_have_gone_up_and_stays_in_the_stations_list(room: Backroom) -> None:
    room.alert("high")
    for number in range(3):
        await post(room, "li", "/cases/e1/attempt", {"key": f"k{number}", "means": "call", "answered": "nobody"})
    answer = await post(room, "li", "/cases/e1/outcome", {"key": "o", "outcome": "unreachable"})

    assert "上级单位同时联系" in text(await get(room, "li", answer.headers["location"]))
    assert 'id="order-e1"' in (await get(room, "li", "/orders")).text


async def test_a_follow_up_call_stands_in_the_list_from_half_a_day_before_until_it_is_made(room: Backroom) -> None:
    room.alert()
    room.reach()
    await post(room, "li", "/cases/e1/outcome", {"key": "k", "outcome": "dissuaded"})
    assert "待回访" not in text(await get(room, "li", "/orders"))
    assert (await post(room, "li", "/cases/e1/number")).status_code == 409
    room.now = T0 + DAY - 12 * HOUR
    assert "待回访 1" in text(await get(room, "li", "/orders"))
    assert f'href="tel:+{ANN}"' in (await post(room, "li", "/cases/e1/number")).text
    room.now = T0 + DAY + 14 * MINUTE
    assert "回访 超时14分钟" in text(await get(room, "li", "/orders"))

    await post(room, "li", "/cases/e1/attempt", {"key": "l", "means": "call", "answered": "person"})
    assert "待回访" not in text(await get(room, "li", "/orders"))


async def test_every_page_of_a_day_is_well_formed_in_both_languages(room: Backroom) -> None:
    room.now = room.view.as_of = NOW
    room.view.begin(a_day().values())
    for who, path in (
        ("wang", "/orders"),
        ("wang", f"/cases/{NEW}"),
        ("chen", "/centre"),
        ("sun", "/orders?show=done"),
    ):
        for language in ("zh", "en"):
            page = (await get(room, who, path, language=language)).text
            ids = re.findall(r'\bid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), path
            assert set(re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', page)) <= set(ids)
            assert page.count("<h1") == 1
            for tag in ("section", "form", "details", "li", "ol", "dl", "fieldset", "tr", "table", "main"):
                assert len(re.findall(rf"<{tag}[\s>]", page)) == page.count(f"</{tag}>"), tag


async def test_the_page_of_the_api_shows_every_route_and_every_type(room: Backroom) -> None:
    async with room.coming() as client:
        shown = await client.get("/api/docs")
        document = (await client.get("/api/openapi.json")).json()

    assert shown.status_code == 200
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}</code>" in shown.text
    for name, schema in document["components"]["schemas"].items():
        assert ("properties" in schema) == (f'id="{name}"' in shown.text)
    anchors = set(re.findall(r'href="#([A-Za-z]+)"', shown.text)) - {"main"}
    assert anchors <= set(re.findall(r'id="([A-Za-z]+)"', shown.text))
