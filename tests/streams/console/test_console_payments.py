"""Payments on the console's pages: requests to stop one, steps for its accounts, and numbers that are never shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from models.base.durations import DAY, HOUR, MINUTE
from models.casework.payments import StopPayment
from streams.console.app import make_app
from streams.console.forms import FormError, feedback_id, filled
from streams.console.pages import PAGES
from streams.console.payments_page import Payment, payment_panels
from streams.console.presenting import Scene
from streams.console.times import midnight
from streams.settings import Settings
from tests.casework import OFFICE, T0
from tests.consoles import Backroom
from tests.streams.console.test_console_pages import get, post, text

VICTIM, PAYEE = "0000 0000 0000 0009", "0000 0000 0000 0001"
SCRIPT: Final = "<script>alert(1)</script>"
ASKED: Final = {
    "key": "k",
    "payee": PAYEE,
    "bank": "Example Bank",
    "amount": "100万",
    "paid": "yes",
    "time": "1645",
    "victim": VICTIM,
}


@pytest.fixture
def room(tmp_path: Path) -> Backroom:
    """A console with its pages and one case. Users with a token need no Redis."""
    made = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path, shown_within=0.05)
    made.app = make_app(made.console, PAGES)
    made.alert()
    return made


async def ask(room: Backroom, who: str = "li", **more: str) -> httpx.Response:
    """Send the form that asks to stop a payment."""
    return await post(room, who, "/cases/e1/stop-payment", {**ASKED, **more})


def payment(room: Backroom) -> StopPayment:
    """The newest payment of the case."""
    return room.desk.case().payments[-1]


def key(room: Backroom, card: int) -> str:
    """The key of this card's account, as the page has it."""
    return next(stop.account.key for stop in payment(room).stops if stop.account.masked == f"****{card:04}")


async def say(room: Backroom, card: int, step: str, who: str = "li", **fields: str) -> httpx.Response:
    """Report a step for a card with the form next to it."""
    sent = {"key": f"k{room.now}", "payment": payment(room).request.id, "account": key(room, card), "step": step}
    return await post(room, who, "/cases/e1/payment-step", sent | fields)


async def trace(room: Backroom, parent: int, card: int, received: str, **more: str) -> httpx.Response:
    """Report that the money moved on to another card."""
    number = f"0000 0000 0000 {card:04}"
    return await say(room, parent, "traced", **{"number": number, "bank": "Other Bank", "received": received, **more})


def panel(room: Backroom, language: Any = "en") -> Payment:
    """The newest payment, as the page shows it."""
    return payment_panels(room.desk.case(), Scene(room.now, language, OFFICE.stations), may_say=True)[0]


# Requests


async def test_the_form_asks_the_centre_and_becomes_a_payment_of_the_case(room: Backroom) -> None:
    answer = await ask(room)

    assert answer.headers["location"] == "/cases/e1?done=stop-payment#payments"
    (request,), (sent,) = room.asked, room.sent
    assert (request["account"], request["bank"], request["amount_cny"]) == ("0000000000000001", "Example Bank", 1e6)
    assert request["paid_at"] == midnight(T0) + 16 * HOUR + 45 * MINUTE
    assert (sent.kind, sent.officer, request["id"]) == ("stop-payment", "li", sent.id)
    shown = text(await get(room, "li", answer.headers["location"]))
    assert "止付申请已发出" in shown
    assert "1,000,000 元 → ****0001（Example Bank）" in shown
    assert "转出 8 分钟后申请止付" in shown
    assert "0 元已冻结 / 1,000,000 元，0 个账户" in shown
    assert "申请紧急止付：1,000,000 元 → ****0001" in shown


async def test_no_whole_number_is_on_a_page_in_a_record_or_in_a_log(
    room: Backroom, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    await ask(room)
    await trace(room, 1, 2, "500")
    pages = [(await get(room, who, "/cases/e1")).text for who in ("li", "zhou", "chen")]

    for said in (*pages, repr(room.sent), room.audit_file.read_text(), caplog.text, *capsys.readouterr()):
        assert not re.search(r"0{12}|(0{4} ){3}", said)
    assert all("****0001" in page and "****0002" in page for page in pages)


async def test_pressed_twice_it_is_one_request(room: Backroom) -> None:
    answers = []
    for _ in range(2):
        answers.append(await ask(room))
        room.now += 1500

    assert {answer.headers["location"] for answer in answers} == {"/cases/e1?done=stop-payment#payments"}
    assert len(room.sent) == len(room.asked) == 1


@pytest.mark.parametrize("known", ["", "k"])
async def test_the_id_of_a_request_tells_nobody_without_the_sites_key_which_account_it_is(
    room: Backroom, known: str
) -> None:
    await ask(room, key=known)

    assert room.sent[0].id != feedback_id(known, "stop-payment", {**ASKED, "key": known})


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("payee", "0001", "收款账号：至少 8 位"),
        ("victim", "----------", "本人账号：至少 8 位"),
        ("victim", "0000-0000-0000-0001", "两个账号相同"),
        ("bank", " ", "请填写银行名称"),
        ("bank", "Bank 0000 0000 0000 0001", "不要写账号"),
        ("amount", "a lot", "请填写金额"),
        ("amount", "0", "请填写金额"),
        ("amount", "0.001", "请填写金额"),
        ("time", "25:00", "请填写转出时间"),
        ("time", "", "请填写转出时间"),
        ("time", "17:30", "转出时间还没有到"),
        ("paid", "", "请选择钱是否已转出"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    room: Backroom, field: str, typed: str, why: str
) -> None:
    answer = await ask(room, **{field: typed})
    form = answer.text.partition('id="form-stop-payment"')[2].partition("</form>")[0]
    others = answer.text.replace(form, "")

    assert answer.status_code == 422
    assert why in text(answer)
    assert "未提交：" in text(answer)
    assert '<details class="act" id="stop" open>' in answer.text
    for name in ("payee", "bank", "amount", "time", "victim"):
        assert f'value="{typed if name == field else ASKED[name]}"' in form, name
    assert 'name="key" value="k"' in form
    assert not re.search(r"0{12}|(0{4}[ -]){3}", others)
    assert (room.sent, room.asked) == ([], [])


def test_a_time_is_todays_or_last_nights() -> None:
    def paid(time: str, now: int) -> Any:
        return filled("stop-payment", {**ASKED, "time": time}, OFFICE, now)["paid_at"]

    begun = midnight(T0)
    assert paid("9:05", T0) == paid("0905", T0) == paid(" 09：05 ", T0) == begun + 9 * HOUR + 5 * MINUTE
    assert paid("23:50", begun + 10 * MINUTE) == begun - 10 * MINUTE
    with pytest.raises(FormError):
        paid("23:50", begun + DAY - HOUR)
    assert filled("stop-payment", {**ASKED, "paid": "no", "time": "x"}, OFFICE, T0)["paid_at"] is None


async def test_what_is_not_paid_yet_is_asked_for_without_a_time(room: Backroom) -> None:
    await ask(room, paid="no", time="")

    assert "paid_at" not in room.asked[0]
    assert panel(room).asked == "Stop requested before the payment (16:53)"


async def test_the_form_is_folded_until_there_is_a_reason(room: Backroom) -> None:
    folded, unfolded = '<details class="act" id="stop">', '<details class="act" id="stop" open>'
    assert folded in (await get(room, "li", "/cases/e1")).text

    room.reach()
    harmed = {"key": "o", "outcome": "already-harmed", "loss": "500", "loss_checked": "yes"}
    await post(room, "li", "/cases/e1/outcome", harmed)
    assert unfolded in (await get(room, "li", "/cases/e1")).text


# Steps for the accounts


async def followed(room: Backroom) -> None:
    """A million, paid to one card and passed on over several levels; 700,000 of it is frozen on two cards."""
    await ask(room)
    room.now += 4 * MINUTE
    await say(room, 1, "accepted")
    for parent, card, received in ((1, 2, "60万"), (1, 3, "40万"), (2, 4, "50万"), (4, 5, "50万"), (3, 6, "300000")):
        await trace(room, parent, card, received)
    await say(room, 1, "failed", reason="empty")
    room.now += 10 * MINUTE
    await say(room, 5, "frozen", frozen="45万")
    room.now += 20 * MINUTE
    await say(room, 6, "frozen", frozen="250,000.00")


async def test_the_way_of_the_money_is_a_tree_with_totals(room: Backroom) -> None:
    await followed(room)
    shown = panel(room)

    assert [(each.masked[-1], each.level, each.state) for each in shown.accounts] == [
        ("1", "Level 1", "Not stopped: empty"),
        ("2", "Level 2", "Requested"),
        ("4", "Level 3", "Requested"),
        ("5", "Level 4", "¥450,000 frozen"),
        ("3", "Level 2", "Requested"),
        ("6", "Level 3", "¥250,000 frozen"),
    ]
    assert shown.frozen == "¥700,000 frozen of ¥1,000,000, cards: 2"
    assert shown.times == "Frozen 22 to 42 min after the payment"
    assert shown.width == 70
    assert [(each.cards, each.received, each.frozen) for each in shown.levels] == [
        ("0 / 1", "1,000,000", "0"),
        ("0 / 2", "1,000,000", "0"),
        ("1 / 2", "800,000", "250,000"),
        ("1 / 1", "500,000", "450,000"),
    ]
    page = await get(room, "li", "/cases/e1")
    assert "700,000 元已冻结 / 1,000,000 元，2 个账户" in text(page)
    assert "止付 ****0001：冻结一个账户" in text(page)
    assert len({sent.id for sent in room.sent}) == len(room.sent) == 10


async def test_each_account_offers_what_can_become_of_it(room: Backroom) -> None:
    await ask(room)
    offered = {"requested": panel(room).accounts[0].steps}
    for step, more in (
        ("accepted", {}),
        ("failed", {"reason": "empty"}),
        ("requested", {}),
        ("frozen", {"frozen": "0"}),
    ):
        room.now += 1
        assert (await say(room, 1, step, **more)).status_code == 303
        offered[step] = panel(room).accounts[0].steps

    assert offered == {
        "requested": ("accepted", "frozen", "failed", "traced"),
        "accepted": ("frozen", "failed", "traced"),
        "frozen": ("frozen", "traced"),
        "failed": ("requested", "traced"),
    }


async def test_a_step_pressed_twice_is_one(room: Backroom) -> None:
    await ask(room)
    answers = [await trace(room, 1, 2, "500") for _ in range(2)]

    (location,) = {answer.headers["location"] for answer in answers}
    path, _, spot = location.partition("#")
    assert path == "/cases/e1?done=payment-step"
    assert f'id="{spot}"' in (await get(room, "li", path)).text
    assert [sent.kind for sent in room.sent] == ["stop-payment", "payment-step"]


@pytest.mark.parametrize(
    ("step", "typed", "why"),
    [
        ("frozen", {"frozen": "200万"}, "该账户只收到 1,000,000 元"),
        ("frozen", {"frozen": "x"}, "请填写冻结金额"),
        ("failed", {"reason": "card 0000000000000001"}, "请填写止付失败的原因"),
        ("traced", {"number": "1", "bank": "B", "received": "5"}, "请完整填写账号"),
        ("traced", {"number": VICTIM, "bank": "B", "received": "5"}, "本人自己的账户"),
        ("traced", {"number": "0000 0000 0000 0002", "bank": "B", "received": "200万"}, "这笔钱共 1,000,000 元"),
        ("requested", {}, "预警状态已变化"),
        ("dance", {}, "请选择该账户的进展"),
    ],
)
async def test_what_cannot_become_of_an_account_is_said_beside_its_form(
    room: Backroom, step: str, typed: dict[str, str], why: str
) -> None:
    await ask(room)
    answer = await say(room, 1, step, **typed)

    assert answer.status_code == 422
    assert answer.text.count('class="wrong"') == 1
    assert why in text(answer)
    assert [sent.kind for sent in room.sent] == ["stop-payment"]
    if typed:
        form = answer.text.partition(f'name="step" value="{step}"')[2].partition("</form>")[0]
        assert why in text(httpx.Response(200, text=form))
        assert all(f'name="{name}" type="text"' in form and f'value="{said}"' in form for name, said in typed.items())
        assert re.search(r'<details class="account" id="[\w-]+" open>', answer.text)


async def test_no_more_than_what_is_left_of_the_loss_can_be_frozen(room: Backroom) -> None:
    await ask(room)
    await trace(room, 1, 2, "100万")
    await say(room, 1, "frozen", frozen="60万")
    answer = await say(room, 2, "frozen", frozen="50万")

    assert "这里最多 400,000 元" in text(answer)


async def test_another_station_sees_no_payment_and_says_nothing_of_one(room: Backroom) -> None:
    await ask(room)
    for answer in (
        await get(room, "wang", "/cases/e1"),
        await ask(room, "wang", key="other"),
        await say(room, 1, "accepted", "wang"),
        await say(room, 1, "frozen", "wang", frozen="200万"),
    ):
        assert answer.status_code == 404
        assert "0001" not in answer.text
    assert len(room.sent) == len(room.asked) == 1


async def test_who_handed_the_case_on_reads_and_has_no_form(room: Backroom) -> None:
    await ask(room)
    await post(room, "li", "/cases/e1/transferred", {"key": "t", "to": "ps-0101"})
    page = await get(room, "li", "/cases/e1")

    assert "****0001" in page.text
    assert 'action="/cases/e1/' not in page.text


async def test_a_script_in_a_name_or_a_reason_is_text(room: Backroom) -> None:
    await ask(room, bank=SCRIPT)
    await trace(room, 1, 2, "500", bank=SCRIPT)
    await say(room, 1, "failed", reason=SCRIPT)
    page = (await get(room, "li", "/cases/e1")).text

    assert SCRIPT not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_page_with_payments_is_well_formed(room: Backroom, language: str) -> None:
    await followed(room)
    await ask(room, key="second", payee="0000 0000 0000 0070", paid="no")
    page = (await get(room, "li", "/cases/e1", language=language)).text

    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', page)) <= set(ids)
    for tag in ("section", "form", "details", "li", "ol", "div", "fieldset", "tr", "table", "span"):
        assert len(re.findall(rf"<{tag}[\s>]", page)) == page.count(f"</{tag}>"), tag
    assert not re.search(r"\bNone\b|[{}]", re.sub(r"<[^>]*>", "", page))
