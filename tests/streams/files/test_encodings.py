"""Encodings: recognised from few words, or refused; never read as other words."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.files.encodings import EAST_ASIAN, DoubtError, detected
from streams.files.tables import has_heading
from streams.files.text_lines import FileError, TextLines

TEXTS = {
    "gb18030": "手机号码,诈骗类型\n10000000001,刷单返利\n",
    "big5": "電話號碼,備註\n10000000001,假投資詐騙\n",
    "cp949": "전화번호,신고내용\n10000000001,보이스피싱 사기 대출\n",
    "cp932": "電話番号,種類\n10000000001,架空請求の詐欺メール\n",
}


def lines(content: bytes, **options: str) -> list[str]:
    """The lines of a file, without line breaks."""
    return [line.rstrip("\r\n") for line in TextLines(io.BytesIO(content), words=has_heading, **options)]


@pytest.mark.parametrize("encoding", EAST_ASIAN)
@pytest.mark.parametrize("region", ["CN", "KR", "JP", "TW", "US"])
def test_a_table_is_read_in_its_own_encoding(encoding: str, region: str) -> None:
    """Wherever it is read."""
    assert lines(TEXTS[encoding].encode(encoding), region=region) == TEXTS[encoding].splitlines()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_line_ends_are_understood(encoding: str, end: str) -> None:
    """As editors and spreadsheets of all systems write them."""
    assert lines(f"一,二{end}三{end}".encode(encoding)) == ["一,二", "三"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "gb18030", "cp949", "cp932", "big5", "cp1251"])
def test_an_encoding_that_is_asked_for_is_used(encoding: str) -> None:
    """Also one that could not be recognised."""
    text = {"cp949": "가", "cp1251": "я"}.get(encoding, "一")

    assert lines(f"{text}\nevil.example/{text}\n".encode(encoding), encoding=encoding) == [text, f"evil.example/{text}"]


def test_the_region_makes_an_encoding_of_single_bytes_likely() -> None:
    """Such encodings fit any bytes."""
    text = "номер,источник\n1,полиция\n"

    assert lines(text.encode("cp1251"), region="RU") == text.splitlines()
    assert lines("numéro,société\n1,café\n".encode("cp1252"), region="CN") == []


def test_the_region_decides_a_doubt_but_the_default_does_not() -> None:
    """Somebody who names a country says something about the file."""
    content = "evil.example/피싱\n".encode("cp949")

    assert lines(content, region="KR") == ["evil.example/피싱"]
    with pytest.raises(FileError, match="--encoding"):
        lines(content, region="CN")


def test_an_encoding_in_doubt_is_refused_with_what_to_do() -> None:
    """Two Hangul syllables may be two Chinese characters as well."""
    with pytest.raises(FileError, match=r"line 2 on is in doubt: it may be .*cp949.*--encoding"):
        lines(b"evil.example\n" + "evil.example/피싱\n".encode("cp949"))


def test_a_text_that_turns_up_late_is_recognised_too() -> None:
    """After more lines than are looked at first, and in lines that it needs to be told from others."""
    content = b"evil.example\n" * 3000 + TEXTS["gb18030"].encode("gb18030") * 3

    assert lines(content)[3000:] == TEXTS["gb18030"].splitlines() * 3


def test_a_line_in_utf8_among_others_is_left_out() -> None:
    """Two files were joined; the second one's characters would be stored as others."""
    text = TextLines(io.BytesIO(TEXTS["gb18030"].encode("gb18030") + "坏.中国\n".encode()))

    assert len([*text]) == 2
    assert text.take_undecoded() == [3]


@given(st.permutations("诈骗电话号码归属地来源备注刷单返利冒充客服公检法"), st.integers(6, 23))
def test_chinese_words_are_chinese_or_in_doubt(signs: list[str], count: int) -> None:
    """Never Korean, Japanese, or of another Chinese encoding."""
    found = None
    words = "".join(signs[:count])
    with suppress(DoubtError):
        found = detected(words.encode("gb18030"), "CN", lambda text: False)

    assert found in (None, "gb18030")


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_have_an_encoding_or_none_or_are_in_doubt(sample: bytes) -> None:
    """And what is found decodes them."""
    try:
        found = detected(sample, "CN", has_heading)
    except DoubtError:
        return

    assert found is None or sample.decode(found) is not None
