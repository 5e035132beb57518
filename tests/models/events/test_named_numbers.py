"""Numbers in texts: they are read as people write them, and nothing that is not written becomes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events.named_numbers import named_numbers, numbers_of_run
from models.events.numbering import Numbering
from models.indicators.text_numbers import TextNumberPrefilter

CHINA, BRITAIN = Numbering(), Numbering(country_code="44")
REAL = Path(__file__).parents[4] / "shared" / "data" / "sms-uci.tsv"


def named(text: str, *known: str, numbering: Numbering = CHINA) -> list[str]:
    """The known numbers that a text names."""
    prefilter = TextNumberPrefilter()
    for number in known:
        prefilter.add_number(number)
    return [number for number in named_numbers(text, numbering, prefilter) if number in known]


@pytest.mark.parametrize(
    "text",
    [
        "您涉嫌洗钱,请立即致电99900123456配合调查",
        "您涉嫌洗钱,请立即致电+999-0012-3456配合调查",
        "请速回电:(+999)0012 3456。",
        "详询９９９００１２３４５６！",
        "Your account is blocked. Call 00999 0012 3456 now.",
        "Please call99900123456now",
        "联系99900123456,或10000000001",
        "电话10000000001、99900123456",
        "15:30 99900123456",
        "99900123456 2次未接",
        "详情 https://evil.example/a 或致电 99900123456",
        "tel:99900123456",
        "验证码482913,有疑问请拨99900123456",
        "+99900123456+10000000001",
        "电话10000000001,99900123456,10000000002",
        "请致电99900123456（24小时）",
        "1)99900123456",
    ],
)
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert named(text, "99900123456") == ["99900123456"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("请致电400-100 0000", "864001000000"),
        ("请致电（0755）2222-0000。", "8675522220000"),
        ("致电100 0000 0001", "8610000000001"),
        ("拨打+86 100 0000 0001", "8610000000001"),
        ("客服电话：95013", "95013"),
        ("ring 95013.", "95013"),
        ("Call us on 95013 now", "95013"),
        ("拨95013", "95013"),
    ],
)
def test_a_number_gets_the_normal_form_of_the_records_numbering(text: str, number: str) -> None:
    assert named(text, number) == [number]


def test_the_source_of_the_record_says_how_its_numbers_are_written() -> None:
    text = "call 020 7946 0018"

    assert named(text, "442079460018", numbering=BRITAIN) == ["442079460018"]
    assert named(text, "442079460018") == []


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/99900123456",
        "https://99900123456.evil.example/",
        "evil.example?p=99900123456",
        "99900123456@mail.example",
        "id99900123456",
        "order number: 99900123456",
        "tracking no. 99900123456",
        "订单99900123456已发货",
        "身份证99900123456",
        "卡号99900123456",
        "账号：99900123456",
        "订单号 99900123456 已发货",
        "order 99900123456",
        "¥99900123456",
        "99900123456元",
        "99900123456.50",
        "1,99900123456",
        "99900123456%",
        "99900123456a1b2",
        "验证码 99900123456",
        "99900123456-99900123460",
        "6222 0200 9990 0123 456",
        "1299900123456",
        "99900123456789",
        "999 00123456 2026年",
        "9990012 3456",
        "999001 23456 10000000001",
    ],
)
def test_what_is_no_phone_number_gives_none(text: str) -> None:
    """Digits of a link, an account, a sum, a code or a range, and digits that only stand beside each other."""
    assert named(text, "99900123456") == []


@pytest.mark.parametrize("text", ["验证码95013", "共95013人", "95013", "房间95013", "pay 95013", "010-95013", "950 13"])
def test_a_short_code_counts_only_where_it_is_to_be_rung(text: str) -> None:
    assert named(text, "95013") == []


PIECES = st.sampled_from(
    ["1", "0", "86", "400", "13", "9990012", "99900123456", "+", "-", " ", ".", "(", ")", "/", "元"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_digits_are_never_taken_from_the_inside_of_others(text: str) -> None:
    """A number that is found is written in full: no digit stands right before or behind it."""
    for number in named(text, "99900123456", "864001300013", "8613400400400"):
        digits = text.translate({ord(sign): None for sign in "+-. ()"})

        assert number.removeprefix("86") in digits


@given(st.text("0123456789+-. ()（）至、元a致电", max_size=40))
def test_any_run_can_be_read(text: str) -> None:
    for number in numbers_of_run("", text, "", CHINA):
        assert CHINA.is_normal(number) or number.startswith("106")


@pytest.mark.skipif(not REAL.exists(), reason="real data is not part of the repository")
def test_half_of_real_spam_names_a_number_and_ordinary_texts_name_none() -> None:
    """Counts alone: of 747 spam messages 400 or more name one, of 4,827 others nearly none."""
    lines = [line.partition("\t") for line in REAL.read_text(encoding="utf-8").splitlines()]
    known = TextNumberPrefilter()
    for _, _, text in lines:
        digits = "".join(sign for sign in text if sign.isdigit())
        for end in range(8, len(digits) + 1):
            known.add_number(digits[end - 8 : end])

    found = [kind for kind, _, text in lines if any(len(each) > 9 for each in named_numbers(text, BRITAIN, known))]

    assert found.count("spam") >= 400
    assert found.count("ham") <= 1
