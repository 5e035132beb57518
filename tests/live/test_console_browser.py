"""The console in a real browser, on the real Kafka, Valkey and dispatcher: what an officer sees, presses and writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from models.access.rights import user
from models.policy.policy import Severity
from streams.access.users import Users
from streams.console.times import lateness, span
from tests.browser import MISSING, chromium, find_chromium
from tests.consoles import GOOD
from tests.live.conftest import Servers
from tests.live.test_dispatch import said, told
from tests.site import Record, Site, until, with_users

STATION, CELL = "ps-0101", "001-01-3-0"
OTHER_STATIONS = "001-01-30-0"
PEOPLE: dict[int, tuple[Severity, str]] = dict.fromkeys(range(2, 16), ("urgent", OTHER_STATIONS))
"""The people who have an alert from the beginning, one for each test."""
PEOPLE.update(dict.fromkeys((3, 4, 6, 7, 9, 13, 14, 15), ("urgent", CELL)))
PEOPLE.update({2: ("high", CELL), 8: ("high", CELL)})
PATIENCE_MS = 5000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def desk(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with its dispatcher, without a worker; the users are of the station, the centre, an auditor, an admin."""
    if find_chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("site")
    settings = with_users(stack.kafka, stack.redis, folder)
    site = Site(settings, folder)
    site.apply_topics()
    users = Users.of(settings)
    users.add(user("li", "officer", STATION), GOOD, by="os:root")
    users.add(user("chen", "centre", "centre"), GOOD, by="os:root")
    users.add(user("zhao", "auditor"), GOOD, by="os:root")
    users.add(user("wu", "admin"), GOOD, by="os:root")
    site.send("alerts", *(told(number, severity, cell=cell) for number, (severity, cell) in PEOPLE.items()))
    yield site
    site.tell()
    site.stop()


@pytest.fixture(scope="module")
def address(desk: Site) -> str:
    """The address of the site's console."""
    dispatcher, _ = desk.start_dispatcher(wait=False)
    console, _, api = desk.start_console(wait=False)
    dispatcher.wait(20)
    console.wait(20)
    return f"http://{api}"


@pytest.fixture(scope="module")
def browser(desk: Site) -> Iterator[Browser]:
    """The Chromium of this machine."""
    with chromium() as started:
        yield started


class Witness:
    """Records a browser's complaints, and its requests to other hosts."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.complaints: list[str] = []
        self._host = urlsplit(address).netloc
        context.on("console", lambda message: self._heard(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda request: self._asked(request.url))
        context.on("dialog", lambda dialog: self.complaints.append(f"a dialog: {dialog.message}"))

    def _heard(self, kind: str, words: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(words)

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != self._host:
            self.complaints.append(f"asked {url}")


Come = Callable[..., Page]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, address: str) -> Callable[[str], Any]:
    """The cookies of a signed-in user, shared by all tests because checking a password takes time."""
    states: dict[str, Any] = {}

    def state(who: str) -> Any:
        if who not in states:
            with closing(browser.new_context(base_url=address)) as context:
                context.request.post("/sign-in", form={"name": who, "password": GOOD}, max_redirects=0)
                states[who] = context.storage_state()
        return states[who]

    return state


@pytest.fixture
def come(browser: Browser, address: str, signed_in: Callable[[str], Any]) -> Iterator[Come]:
    """Opens a page for a user; at the end, a browser may have complained only of what was expected."""
    contexts: list[tuple[BrowserContext, Witness, str]] = []

    def opened(path: str = "/orders", who: str = "li", expected: str = "", **options: Any) -> Page:
        options = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"} | options
        context = browser.new_context(base_url=address, storage_state=signed_in(who) if who else None, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append((context, Witness(context, address), expected))
        page = context.new_page()
        if path.startswith("/cases/"):
            until(lambda: context.request.get(path).status == 200)  # the console may not have the case yet
        if path:
            page.goto(path)
        return page

    yield opened
    for context, witness, expected in contexts:
        context.close()
        assert [each for each in witness.complaints if not expected or expected not in each] == []


def case_of(number: int) -> str:
    """The path of the case of one of `PEOPLE`."""
    return f"/cases/e{number}"


def records(desk: Site, number: int) -> list[Record]:
    """The feedback on a case that is in Kafka."""
    key = f"e{number}".encode()
    return [json.loads(record.value) for record in desk.read("dispatch-feedback") if record.key == key]


def press(page: Page, name: str) -> None:
    """Press the button with this name."""
    page.get_by_role("button", name=name, exact=True).click()


def test_from_an_alert_to_an_outcome_in_the_browser(desk: Site, come: Come) -> None:
    page = come(expected="409")
    expect(page.locator("#live")).to_have_text("实时更新")
    page.evaluate("window.here = 'still'")
    desk.send("alerts", told(1, cell=CELL))
    link = page.locator("#order-e1")
    expect(link).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) 新的紧急指令 – "))
    expect(page.locator("#announcer")).to_have_text("新的紧急指令: 1")
    assert page.evaluate("window.here") == "still"

    link.click()
    expect(page.locator("#state")).to_contain_text("待签收")
    press(page, "签收")
    expect(page.get_by_role("status").filter(has_text="已签收。")).to_be_visible()
    expect(page.locator("#state")).to_contain_text("已签收")
    page.get_by_text("短信", exact=True).click()
    press(page, "未接通、未见到")
    expect(page.locator("#log")).to_contain_text("短信：未回复")
    press(page, "亲属")
    expect(page.locator("#log")).to_contain_text("电话劝阻：亲属接听")
    page.get_by_text("劝阻成功", exact=True).click()
    press(page, "提交结果")
    expect(page.get_by_role("alert")).to_have_text("未提交：填此结果前，须与本人通话或见面（核实身份）并登记。")
    press(page, "本人，已核实身份")
    expect(page.locator("#log")).to_contain_text("电话劝阻：已接通本人")
    page.get_by_text("已被骗（有损失）", exact=True).click()
    page.get_by_label("损失金额（元）").fill("1.28万")
    press(page, "提交结果")
    page.get_by_label("损失与止付金额不一致，已核对").check()
    press(page, "提交结果")
    expect(page.locator("#state")).to_contain_text("已办结 · 已被骗（有损失）")

    told_of = [[record.get(name) for name in ("kind", "means", "answered", "rule")] for record in records(desk, 1)]
    assert told_of == [
        ["acknowledged", None, None, 2],
        ["attempt", "sms", None, 2],
        ["attempt", "call", "relative", 2],
        ["attempt", "call", "person", 2],
        ["outcome", None, None, 2],
    ]
    last = records(desk, 1)[-1]
    assert (last["outcome"], last["loss_cny"], last["unit"], last["officer"]) == (
        "already-harmed",
        12800.0,
        STATION,
        "li",
    )
    page.goto("/orders?show=done")
    expect(page.locator(".orders")).to_contain_text("已被骗（有损失）")


def test_signing_in_with_the_keyboard_alone(come: Come) -> None:
    page = come("/sign-in", who="", expected="401")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("li")
    page.keyboard.press("Tab")
    page.keyboard.type("not this one at all")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确。")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("用户名")).to_have_value("li")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type(GOOD)
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/orders$"))


def test_a_change_that_somebody_else_made_appears_and_nothing_typed_is_lost(desk: Site, come: Come) -> None:
    page = come(case_of(2))
    expect(page.locator("#live")).to_have_text("实时更新")
    page.evaluate("window.here = 'still'")
    desk.send("dispatch-feedback", said("acknowledged", 2, "other-1", unit=STATION))
    expect(page.locator("#state")).to_contain_text("已签收")
    expect(page.get_by_role("button", name="签收", exact=True)).to_have_count(0)

    page.locator("#more > summary").click()
    page.locator("#note").fill("half a sentence")
    desk.send("dispatch-feedback", said("attempt", 2, "other-2", unit=STATION, means="call", reached=True))
    expect(page.locator("#log")).to_contain_text("电话劝阻：已接通本人")
    expect(page.get_by_role("alert").filter(has_text="预警有新变化")).to_be_visible()
    expect(page.locator("#note")).to_have_value("half a sentence")
    assert page.evaluate("window.here") == "still"


def test_a_note_is_shown_as_the_text_that_it_is(desk: Site, come: Come) -> None:
    page = come(case_of(3))
    page.locator("#more > summary").click()
    page.locator("#note").fill("<script>alert(1)</script>")
    press(page, "添加备注")

    expect(page.locator("#log .note")).to_have_text("<script>alert(1)</script>")


def test_a_double_press_is_one_record_and_so_is_a_form_that_is_sent_again(desk: Site, come: Come) -> None:
    page = come(case_of(4))
    page.get_by_role("button", name="签收", exact=True).dblclick()
    expect(page.locator("#state")).to_contain_text("已签收")
    again = """async () => {
        const form = document.querySelector("#form-attempt");
        const fields = new URLSearchParams(new FormData(form));
        fields.set("answered", "nobody");
        const send = () => fetch(form.action, { method: "POST", body: fields });
        return (await Promise.all([send(), send(), send()])).map((answer) => answer.status);
    }"""
    assert page.evaluate(again) == [200, 200, 200]

    assert [record["kind"] for record in records(desk, 4)] == ["acknowledged", "attempt"]


def test_a_payment_is_stopped_and_followed_from_card_to_card(desk: Site, come: Come) -> None:
    page = come(case_of(15))
    page.locator("#stop > summary").click()
    for name, typed in (("payee", "0000 0000 0000 0001"), ("bank", "Example Bank"), ("amount", "100万")):
        page.locator(f"#{name}").fill(typed)
    page.get_by_text("尚未转出", exact=True).click()
    expect(page.locator("#time")).to_be_hidden()
    page.locator("#victim").fill("0000 0000 0000 0009")
    page.get_by_role("button", name="立即申请紧急止付").dblclick()
    payee, traced = page.locator("details.account").first, page.locator("details.account").nth(1)
    payee.locator("summary").click()
    for name, typed in (("number", "0000 0000 0000 0002"), ("bank", "Other Bank"), ("received", "60万")):
        payee.locator(f"[name={name}]").fill(typed)
    press(page, "登记并止付")
    traced.locator("summary").click()
    traced.locator("[name=frozen]").fill("50万")
    traced.get_by_role("button", name="已冻结", exact=True).click()

    expect(page.locator("#payments")).to_contain_text("500,000 元已冻结 / 1,000,000 元，1 个账户")
    expect(traced).to_be_in_viewport()
    kinds = [record["kind"] for record in records(desk, 15)]
    assert kinds == ["stop-payment", "payment-step", "payment-step"]


def test_another_stations_case_is_none(come: Come) -> None:
    centre = come(case_of(5), who="chen")
    expect(centre.locator("#state")).to_contain_text("待签收")
    page = come("", expected="404")
    answer = page.goto(case_of(5))

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("没有这条预警，或不属于您的单位。")).to_be_visible()


def test_the_number_comes_when_it_is_asked_for_and_can_be_rung(desk: Site, come: Come) -> None:
    page = come(case_of(6))
    assert "8610000000006" not in page.content()
    press(page, "显示号码")
    link = page.get_by_role("link", name="拨打 +8610000000006")

    expect(link).to_have_attribute("href", "tel:+8610000000006")
    expect(page.locator("#live")).to_have_text("实时更新")
    desk.send("dispatch-feedback", said("acknowledged", 6, "other-6", unit=STATION))
    expect(page.locator("#state")).to_contain_text("已签收")
    expect(link).to_be_visible()
    noted = [json.loads(line) for line in desk.settings.audit_log.read_text(encoding="utf-8").splitlines()]
    assert [(line["who"], line["case"]) for line in noted if line["did"] == "shown-number"] == [("li", "e6")]


def test_what_is_missing_is_said_in_the_page_before_it_is_sent(desk: Site, come: Come) -> None:
    page = come(case_of(7))
    press(page, "English")
    page.get_by_text("Already harmed", exact=True).click()
    loss = page.get_by_label("Money lost (yuan)")
    loss.fill("a lot")
    press(page, "Send the outcome")
    wrong = "already harmed needs the money lost: a number, 0 or more."
    assert loss.evaluate("field => field.validationMessage") == wrong
    expect(loss).to_have_value("a lot")
    assert records(desk, 7) == []

    press(page, "The person, checked")
    page.get_by_text("False alarm", exact=True).click()
    expect(loss).to_be_hidden()
    press(page, "Send the outcome")
    expect(page.locator("#state")).to_contain_text("Closed · False alarm")


def test_time_runs_down_in_the_words_of_the_server(come: Come) -> None:
    page = come(case_of(8))
    lengths = [-61_500, 3_630_000, 90_061_500]
    page.evaluate(
        """(lengths) => document.querySelectorAll("#state .due").forEach((due, place) => {
            due.dataset.at = Date.now() + lengths[place];
        })""",
        lengths,
    )
    expect(page.locator("#state .due").first).to_have_attribute("data-level", "late")
    shown = page.locator("#state .left").all_inner_texts()

    left = ([span(length - 1000 * gone, "zh") for gone in range(5)] for length in lengths[1:])
    assert shown[0] == lateness(-lengths[0], "zh") == "超时1分钟"
    assert [text.removeprefix("剩 ") in words for text, words in zip(shown[1:], left, strict=True)] == [True, True]


def test_without_a_script_everything_is_there(desk: Site, come: Come) -> None:
    page = come("/orders", java_script_enabled=False)
    assert '<meta http-equiv="refresh" content="30">' in page.content()
    page.locator("#order-e9").click()
    expect(page.locator("#state .left").first).to_have_text(re.compile(r"^剩 \d 分"))
    press(page, "签收")
    expect(page.locator("#state")).to_contain_text("已签收")

    assert [record["kind"] for record in records(desk, 9)] == ["acknowledged"]


def test_a_connection_that_breaks_is_said_and_the_page_asks_again(desk: Site, come: Come) -> None:
    page = come("", expected="ERR_FAILED")
    page.clock.install()
    page.route("**/api/v1/changes*", lambda route: route.abort())
    page.goto("/orders")
    expect(page.locator("#live")).to_have_text("连接中断，每 30 秒刷新")
    desk.send("alerts", told(20, cell=CELL))
    until(lambda: page.request.get(case_of(20)).status == 200)
    link = page.locator("#order-e20")
    expect(link).to_have_count(0)
    page.clock.run_for(31_000)

    expect(link).to_be_visible()


def test_the_centre_unfolds_a_sub_bureau_with_the_keyboard(desk: Site, come: Come) -> None:
    page = come("/", who="chen", viewport={"width": 1440, "height": 900})
    button = page.get_by_role("button", name="城东分局")
    station = page.get_by_role("row").filter(has_text="城东第一派出所")
    expect(station).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(station).to_be_visible()
    expect(page.locator("#live")).to_have_text("实时更新")
    row = page.get_by_role("row").filter(has_text="城东第二派出所").locator("td").first
    count = int(row.inner_text())
    desk.send("alerts", told(21, cell=OTHER_STATIONS))

    expect(row).to_have_text(str(count + 1))
    expect(button).to_be_focused()
    expect(station).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_is_wider_than_a_small_phone(come: Come, language: str, address: str) -> None:
    small = """() => [...document.querySelectorAll("main button, main select, main input[type=text]")]
        .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 32)
        .map((each) => each.outerHTML)"""
    seen = {
        "li": ("/orders", case_of(13)),
        "chen": ("/centre", "/look-up"),
        "zhao": ("/audit",),
        "wu": ("/users", "/users/li"),
    }
    for who, paths in seen.items():
        page = come("", who=who, viewport={"width": 320, "height": 640})
        page.context.add_cookies([{"name": "language", "value": language, "url": address}])
        for each in paths:
            page.goto(each)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, each
            assert page.evaluate(small) == []


def test_a_session_that_has_ended_leads_to_the_sign_in_and_back(desk: Site, come: Come) -> None:
    page = come(case_of(14), expected="401")  # its events may be requested once more, without the cookie
    page.context.clear_cookies(name="forewarn")
    page.reload()
    expect(page.get_by_label("用户名")).to_be_visible()
    page.fill("#name", "li")
    page.fill("#password", GOOD)
    page.press("#password", "Enter")

    expect(page).to_have_url(re.compile("/cases/e14$"))


def test_signing_out_ends_the_session(browser: Browser, address: str) -> None:
    with closing(browser.new_context(base_url=address)) as context:  # a separate context: the others continue
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("#name", "chen")
        page.fill("#password", GOOD)
        press(page, "登录")
        cookies = context.cookies()
        press(page, "退出")
        expect(page.get_by_label("密码")).to_be_visible()
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page.goto("/centre")

        expect(page.get_by_label("密码")).to_be_visible()


def test_who_sees_no_orders_has_pages_that_work_with_the_keyboard(desk: Site, come: Come) -> None:
    """The centre looks up, an administrator adds a user, and an auditor sees both in the log and checks it."""
    page = come("/look-up", "chen", expected="503")  # nothing was recorded: there is no worker
    page.get_by_label("号码（号段以 * 结尾）、域名或网址").fill("+99900000001")
    page.get_by_label("案件编号").fill("A-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("此处无法读取通联台账")

    page = come("/users", "wu")
    page.get_by_label("用户名").fill("he")
    page.get_by_label("角色").select_option("analyst")
    page.get_by_label("角色").press("Tab")
    page.get_by_label("单位").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="请立即记下")).to_be_visible()

    page = come("/audit", "zhao")
    page.get_by_label("操作").select_option("user-added")
    press(page, "查看")
    expect(page.get_by_role("row").filter(has_text="user=he role=analyst")).to_have_count(1)
    press(page, "校验整份日志")
    expect(page.get_by_role("status").filter(has_text="日志完整")).to_be_visible()
