"""Lists of indicators as offices send them: three forms, and each wrong line is refused on its own."""

from __future__ import annotations

import gzip
import io
import json
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.indicators.indicator import Indicator
from streams.files.indicator_files import Defaults, IndicatorFile, Refusal
from streams.files.text_lines import FileError


def opened(content: str | bytes, **defaults: Any) -> IndicatorFile:
    """A file with this content."""
    raw = content.encode() if isinstance(content, str) else content
    return IndicatorFile(io.BytesIO(raw), Defaults(**defaults))


def keys(content: str | bytes, **defaults: Any) -> list[str]:
    """The keys of the file's indicators. A refused line appears as ``!number``."""
    return [item.key if isinstance(item, Indicator) else f"!{item.line}" for item in opened(content, **defaults)]


def only(content: str | bytes, **defaults: Any) -> Indicator:
    """The file's single indicator."""
    (item,) = opened(content, **defaults)
    assert isinstance(item, Indicator), item
    return item


def refusal(content: str | bytes, **defaults: Any) -> Refusal:
    """The file's single refusal."""
    (item,) = opened(content, **defaults)
    assert isinstance(item, Refusal), item
    return item


def test_a_list_has_one_value_a_line_of_any_type() -> None:
    """With comments and empty lines, which are ignored."""
    text = """# from the centre, 5 November

+999 00 123456
  evil.example  # seen twice
861700*
evil.example/a#b
110
"""
    assert keys(text) == [
        "number:99900123456",
        "domain:evil.example",
        "number-prefix:861700",
        "url:evil.example/a",
        "!7",
    ]


def test_the_options_hold_where_a_line_says_nothing() -> None:
    """In each of the forms."""
    said: dict[str, Any] = {
        "scam_type": "loan",
        "confidence": 55,
        "source": "centre",
        "valid_from": 10**12,
        "case": "A1",
    }
    wanted = Indicator(type="domain", value="evil.example", **said)

    assert only("evil.example", **said) == wanted
    assert only("域名\nevil.example", **said) == wanted
    assert only('{"value":"evil.example"}', **said) == wanted


def test_a_line_speaks_before_the_options() -> None:
    """In a table as well as in JSON Lines."""
    said = Defaults(scam_type="loan", confidence=55, source="centre", valid_from=10**12, case="A1")
    wanted = Indicator(
        type="url",
        value="evil.example/a",
        scam_type="other",
        confidence=90,
        source="x",
        valid_from=0,
        valid_until=1_730_764_800_000,
        case="B2",
    )
    record = {
        "value": "evil.example/a",
        "type": "url",
        "scam_type": "other",
        "confidence": 90,
        "source": "x",
        "valid_from": 0,
        "valid_until": "2024-11-05",
        "case": "B2",
        "unknown": 1,
    }
    heads = ",".join(key for key in record if key != "unknown")
    row = ",".join(str(value) for key, value in record.items() if key != "unknown")

    assert list(IndicatorFile(io.BytesIO(json.dumps(record).encode()), said)) == [wanted]
    assert list(IndicatorFile(io.BytesIO(f"{heads}\n{row}".encode()), said)) == [wanted]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_has_chinese_or_english_headings(delimiter: str, encoding: str, pack: Any) -> None:
    """Tables as Excel writes them in a Chinese office."""
    rows = [
        ["手机号码", "诈骗类型", "置信度", "来源", "备注"],
        ["10000000001", "loan", "90%", "反诈中心", "某人"],
        ["+999 00*", "", "", "", ""],
    ]
    file = opened(pack("\r\n".join(delimiter.join(row) for row in rows).encode(encoding)))
    first, second = file

    assert file.layout.name == "a table"
    assert file.layout.ignored == ("备注",)
    assert first == Indicator(
        type="number", value="8610000000001", scam_type="loan", confidence=90, source="反诈中心", valid_from=0
    )
    assert isinstance(second, Indicator)
    assert second.key == "number-prefix:99900"


def test_one_row_may_name_a_number_and_a_domain() -> None:
    """Each becomes an indicator of its own, and a wrong one does not invalidate the other."""
    assert keys("number,domain\n99900123456,evil.example\n110,bad.example\n,\n99900123457,com.cn\n") == [
        "number:99900123456",
        "domain:evil.example",
        "!3",
        "domain:bad.example",
        "number:99900123457",
        "!5",
    ]


def test_a_column_of_addresses_holds_whole_sites_too() -> None:
    """An address without a path covers all pages of its site, whether or not a text puts http in front."""
    assert keys("网址\nhttp://evil.example/\nhttp://evil.example/a\nevil.example:8443\n") == [
        "domain:evil.example",
        "url:evil.example/a",
        "url:evil.example:8443",
    ]


def test_the_type_column_is_believed() -> None:
    """A word that is no type is refused."""
    assert keys(
        "type,value\ndomain,http://evil.example/\nnumber,999 00 123456\nemail,a@b.example\n,evil.example/x\n"
    ) == [
        "domain:evil.example",
        "number:99900123456",
        "!4",
        "url:evil.example/x",
    ]


@pytest.mark.parametrize(
    "cell", ['="10000000001"', "'10000000001", '"10000000001\t"', "10000000001.0", '" +86 10000000001"']
)
def test_what_keeps_a_spreadsheet_from_rounding_a_number_is_taken_off(cell: str) -> None:
    """Formulas, apostrophes and tabs."""
    assert keys(f"电话,source\n{cell},x\n") == ["number:8610000000001"]


def test_a_forgotten_quote_costs_its_own_line_only() -> None:
    """Rows are read line by line."""
    assert keys('value,source\n"evil.example,x\nbad.example,"y"z\nworse.example,y\n') == [
        "!2",
        "!3",
        "domain:worse.example",
    ]


def test_a_revoked_row_stays_revoked() -> None:
    """The output of the list command can therefore be imported again."""
    table = "value\trevoked\na.example\trevoked\nb.example\t\nc.example\tTRUE\nd.example\tmaybe\n"

    assert [item.revoked if isinstance(item, Indicator) else None for item in opened(table)] == [
        True,
        False,
        True,
        None,
    ]
    assert only('{"value":"a.example","revoked":true}').revoked


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[{"value":"evil.example"}]', "JSON array"),
        ("source,source,value\na,b,c", "two columns of the table stand for source"),
        ("姓名,地址,备注\na,b,c", "needs headings"),
        ("99900123456,loan,90\n", "needs headings"),
        ("http://evil.example/a,12\nhttp://bad.example/b,3\n", "needs headings"),
        ("http://evil.example/a\t12\nhttp://bad.example/b\t3\n", "needs headings"),
        (b"PK\x03\x04", "workbook"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(content: str | bytes, why: str) -> None:
    """Before any part of it is sent."""
    with pytest.raises(FileError, match=why):
        opened(content)


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("\n\n10000000001 ext 5\n", 3, "no letters"),
        ("value,confidence\nevil.example,high\n", 2, "whole number"),
        ("value,confidence\nevil.example,９９\n", 2, "whole number"),
        ("value,confidence\nevil.example,500\n", 2, "0 to 100"),
        ("value,valid_from\nevil.example,yesterday\n", 2, "a time is written"),
        ("value,valid_until\nevil.example,1700000000\n", 2, "looks like seconds"),
        ("value,source\n,x\n", 2, "no value"),
        ("value,scam_type\nevil.example,Loan!\n", 2, "scam_type"),
        ('{"value":"evil.example"', 1, "not an indicator record"),
        ("# a list\rbad\r\n", 2, "not a host"),
        ("url\nhttp://evil.example/a,b\n", 2, "more cells than headings"),
        ("note,number,count\na, b,99900123456,1\n", 2, "more cells than headings"),
        ('number,note\n99900123456,b"\n', 2, "quotation mark is missing"),
        ('{"values":"evil.example"}', 1, "missing required field"),
        ('{"value":"evil.example","type":"email"}', 1, "Invalid enum value"),
        ('{"value":99900123456}', 1, "Expected `str`"),
        ('{"value":"a.example","x":' + "[" * 50_000 + "]" * 50_000 + "}", 1, "not an indicator record"),
    ],
)
def test_a_wrong_line_is_reported_with_its_number_and_reason(content: str, line: int, why: str) -> None:
    """Lines are counted as an editor counts them."""
    found = refusal(content)

    assert found.line == line
    assert why in found.reason


@pytest.mark.parametrize(
    "content",
    [
        "99900123456 ext 7",
        "value,type\nevil.example,99900123456\n",
        "value,confidence\nevil.example,99900123456\n",
        "value,valid_from\nevil.example,99900123456\n",
        "value,scam_type\nevil.example,99900123456\n",
        '{"value":"evil.example","type":"99900123456"}',
        '{"99900123456":"x"}',
        "张三+999 00 123456.",
    ],
)
def test_no_refusal_repeats_a_phone_number(content: str) -> None:
    """In whichever column the number has landed."""
    assert sum(map(str.isdigit, refusal(content).reason)) < 7


def test_a_line_that_cannot_be_decoded_is_reported_among_the_others() -> None:
    """The other lines are still read."""
    assert sorted(keys(b"a.example\n\xff\xff\nb.example\n")) == ["!2", "domain:a.example", "domain:b.example"]


def test_a_file_that_breaks_off_gives_what_came_before() -> None:
    """The file's error follows."""
    packed = gzip.compress("\n".join(f"n{number}.example" for number in range(20_000)).encode())
    items = iter(opened(packed[:-30]))
    taken = list(islice(items, 10_000))

    assert all(isinstance(item, Indicator) for item in taken)
    with pytest.raises(FileError, match="cut off"):
        list(items)


def test_an_empty_file_is_an_empty_list() -> None:
    """A file with nothing to import is not an error."""
    assert keys("") == []
    assert keys("# nothing yet\n\n") == []
    assert keys("value,source\n") == []


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_file_gives_indicators_and_refusals_or_a_file_error(content: bytes) -> None:
    """No other exception is raised."""
    found: list[object] = []
    with suppress(FileError):
        found.extend(opened(content))

    assert all(isinstance(item, (Indicator, Refusal)) for item in found)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=15), max_size=5)
)
def test_any_row_of_a_table_costs_no_other(cells: list[str]) -> None:
    """The good row after it is still read, whatever the bad row contains."""
    content = "value,type,confidence,valid_from,revoked\n" + ",".join(cells) + "\nevil.example,domain,90,0,\n"

    assert list(opened(content))[-1] == replace_source("evil.example", 90)


def replace_source(value: str, confidence: int) -> Indicator:
    """A domain with defaults in all other fields."""
    defaults = replace(Defaults(), confidence=confidence)
    return Indicator(
        type="domain",
        value=value,
        scam_type=defaults.scam_type,
        confidence=defaults.confidence,
        source=defaults.source,
        valid_from=0,
    )
