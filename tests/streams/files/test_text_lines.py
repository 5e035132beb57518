"""Text from files: compressed or plain, UTF-8 or GB18030, complete or cut off."""

from __future__ import annotations

import gzip
import io
import random
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from streams.files.byte_streams import CHUNK
from streams.files.text_lines import LONGEST_LINE, FileError, TextLines


def lines(content: bytes) -> list[str]:
    """The lines of a file with this content, without line breaks."""
    return [line.rstrip("\r\n") for line in TextLines(io.BytesIO(content))]


def gzipped(data: bytes) -> bytes:
    """Compressed bytes that never vary, because names of tests contain them and must be the same in every process."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        "一,二\r\n三\n".encode(),
        "\ufeff一,二\n三".encode(),
        "一,二\n三\n".encode("gb18030"),
        gzipped("一,二\n三\n".encode()),
        gzipped("一,二\n".encode()) + gzipped("三\n".encode()),
        zstandard.compress("一,二\n三\n".encode()),
        zstandard.compress("一,二\n".encode()) + zstandard.compress("三\n".encode()),
        gzipped("一,二\n三\n".encode("gb18030")),
    ],
)
def test_the_same_text_comes_out_of_every_packing(content: bytes) -> None:
    """The first bytes identify the compression, whatever the file's name. Several members in a row are read too."""
    assert lines(content) == ["一,二", "三"]


def test_nothing_is_nothing() -> None:
    """An empty file has no first lines."""
    assert lines(b"") == []
    assert TextLines(io.BytesIO(b"")).head(5) == []


def test_the_first_lines_are_looked_at_and_read_again() -> None:
    """With their line numbers in the file."""
    text = TextLines(io.BytesIO(b"# note\n\nvalue\nnext\n"))

    assert text.head(3) == ["# note", "", "value"]
    assert [(next(text).strip(), text.number) for _ in range(4)] == [("# note", 1), ("", 2), ("value", 3), ("next", 4)]


def test_two_characters_of_gb18030_that_could_be_utf8_do_not_decide() -> None:
    """Other lines do, before or behind; without any, nobody knows."""
    assert len("要通".encode("gb18030").decode("utf-8")) == 2
    assert lines("要通\n电信\n要通\n".encode("gb18030")) == ["要通", "电信", "要通"]
    with pytest.raises(FileError, match="utf-8 or gb18030"):
        lines("要通\n".encode("gb18030"))


@pytest.mark.parametrize("text", ["café", "münchen.example", "полиция", "αστυνομία"])
def test_letters_of_two_bytes_are_utf8(text: str) -> None:
    """Though accents are two bytes of a Chinese character as well."""
    assert lines(f"{text}\n".encode()) == [text]


def test_a_broken_line_of_a_utf8_file_does_not_turn_the_others_into_another_text() -> None:
    """Only the broken line is left out."""
    text = TextLines(io.BytesIO("坏.中国\n".encode() + b"\xb5\xda\xc8\xfd\n" + "恶.中国\n".encode()))

    assert [line.strip() for line in text] == ["坏.中国", "恶.中国"]
    assert text.take_undecoded() == [2]
    assert text.take_undecoded() == []


def test_a_line_that_is_neither_is_left_out_and_named() -> None:
    """Both encodings have bytes that they never use."""
    text = TextLines(io.BytesIO(b"a\n\xff\xff\nb\n"))

    assert [line.strip() for line in text] == ["a", "b"]
    assert text.take_undecoded() == [2]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("lost", [1, 8, 20])
def test_a_packed_file_that_was_cut_off_is_no_whole_file(pack: object, lost: int) -> None:
    """A download that was cut off must not pass for a short list."""
    content = random.Random(1).randbytes(3000).hex().encode()
    packed = pack(b"\n".join(content[at : at + 60] for at in range(0, 6000, 60)))  # type: ignore[operator]

    with pytest.raises(FileError, match="damaged or cut off"):
        lines(packed[:-lost])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("value\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (b"PK\x03\x04rest", "workbook or a ZIP"),
        (b"a\n" + b"x" * LONGEST_LINE + b"\n", "line 2 is longer than a megabyte"),
        (b"\x1f\x8bnot gzip", "damaged"),
        (b"\x28\xb5\x2f\xfdnot zstd", "damaged"),
        (gzipped(b"a\n")[:-8] + b"12345678", "damaged"),
    ],
)
def test_what_is_no_list_is_refused_with_what_it_is(content: bytes, why: str) -> None:
    """The message also says what to do about it."""
    with pytest.raises(FileError, match=why):
        lines(content)


def test_lines_may_end_differently_in_one_file() -> None:
    """As when files of several systems are put together; each kind of end counts once, also between two reads."""
    content = b"a\r\n" * CHUNK + b"b\rc\nd\r"

    assert lines(content)[-4:] == ["a", "b", "c", "d"]
    assert len(lines(content)) == CHUNK + 3


@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), max_size=20), max_size=20)
)
def test_text_in_utf8_comes_back_line_by_line(written: list[str]) -> None:
    """Except text that begins like a compressed or packed file."""
    content = "\n".join(written).encode()
    if content.startswith((b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        return
    read = [line.removesuffix("\n") for line in TextLines(io.BytesIO(content), "utf-8")]

    assert "\n".join(read) == content.decode().removeprefix("\ufeff").removesuffix("\n")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Only the documented error is raised, and every line is either returned or reported by number."""
    with suppress(FileError):
        text = TextLines(io.BytesIO(content))
        read = list(text)

        assert len(read) + len(text.take_undecoded()) == text.number
