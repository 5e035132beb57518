"""Playbooks: one for every scam type, complete and short; a site's own replace them; mistakes are named by line."""

from __future__ import annotations

import io
import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from models.casework.playbooks import LONGEST_EN, LONGEST_ZH, Playbook, PlaybookError, playbook_for, texts
from models.casework.playbooks import parse as playbook_of
from models.indicators.hotlines import PROTECTED
from models.indicators.indicator import SCAM_TYPES
from streams.cli.playbook import _show, playbook
from streams.files.playbook_files import OURS, PlaybookFileError, parse, read_folder, read_playbooks

ROOT = Path(__file__).parents[3]
SHIPPED = read_playbooks()
(GOOD,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "playbooks.md").read_text(), re.MULTILINE | re.DOTALL)
"""The example of the page; the tests break it in many ways."""


def asked(*words: str, own: Path | None = None) -> Result:
    """The output of `forewarn playbook` at a site with this folder."""
    return CliRunner(env={"FOREWARN_PLAYBOOKS": str(own or "")}).invoke(playbook, words)


def folder(place: Path, **contents: str) -> Path:
    """A folder with these playbooks; ``_`` in a name stands for ``-``."""
    place.mkdir()
    for name, content in contents.items():
        (place / f"{name.replace('_', '-')}.yaml").write_text(content, encoding="utf-8")
    return place


def every_text(book: Playbook) -> list[str]:
    """Every text of a playbook, in both languages."""
    return [said for _, text in texts(book) for said in (text.zh, text.en)]


def test_every_scam_type_has_a_playbook_in_the_order_of_the_types() -> None:
    assert list(SHIPPED) == list(SCAM_TYPES)
    assert all(SHIPPED[scam_type].scam_type == scam_type for scam_type in SHIPPED)


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_both_languages_are_whole_short_and_in_their_own_script(scam_type: str) -> None:
    for path, text in texts(SHIPPED[scam_type]):
        assert re.search(r"[\u4e00-\u9fff]", text.zh), path
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", text.en), path
        assert 4 <= len(text.zh) <= LONGEST_ZH == 120, path
        assert 8 <= len(text.en) <= LONGEST_EN == 220, path
        # A text that YAML cuts off at " #" would end without its full stop.
        assert text.zh[-1] in "。？！", path
        assert text.en[-1] in ".?!", path


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_an_officer_can_be_checked_by_the_police_line_and_money_can_be_stopped(scam_type: str) -> None:
    book = SHIPPED[scam_type]
    for language in ("zh", "en"):
        assert {"110", "96110"} <= set(re.findall(r"\d+", book.opening[1].said(language)))
    nobody, gone = (" ".join(text.zh for text in part) for part in (book.at_the_door_nobody, book.money_gone))

    assert re.search("手机.{0,3}(位置|在哪)", nobody)
    assert re.search("锁卡|挂失|暂停公司账户", nobody)
    assert re.search("家属|子女|亲友|家人", nobody)
    assert all(word in gone for word in ("止付", "金额", "账"))
    assert re.search("几点几分|到分钟", gone)
    assert re.search("不删|不要删|留着|留住", gone)


@pytest.mark.parametrize("scam_type", SCAM_TYPES)
def test_every_number_that_a_playbook_names_is_a_hotline_and_the_same_in_both_languages(scam_type: str) -> None:
    for path, text in texts(SHIPPED[scam_type]):
        zh, en = (re.findall(r"\*#21#|##002#|\d+", said) for said in (text.zh, text.en))
        assert sorted(zh) == sorted(en), path
        assert {each for each in zh if each.isdigit()} <= PROTECTED.keys(), path


def test_no_text_stands_twice_in_one_playbook() -> None:
    for book in SHIPPED.values():
        assert len(every_text(book)) == len(set(every_text(book)))


@pytest.mark.parametrize("scam_type", SHIPPED)
def test_every_playbook_names_where_its_advice_was_published(scam_type: str) -> None:
    sources = SHIPPED[scam_type].sources

    assert {"never", "check", "money_gone"} & {part for source in sources for part in source.parts}
    assert len({source.url for source in sources}) == len(sources)
    assert sources[-1].url in asked(scam_type).stdout


def test_a_type_without_a_playbook_gets_the_one_of_other() -> None:
    assert playbook_for(SHIPPED, "loan") is SHIPPED["loan"]
    assert playbook_for(SHIPPED, "fake-lottery-app") is SHIPPED["other"]


def test_the_example_of_the_page_is_a_playbook() -> None:
    book = parse(GOOD.encode(), "loan.yaml")

    assert book.scam_type == "loan"
    assert book == playbook_of(GOOD.encode())


def test_a_sites_own_playbook_stands_in_the_place_of_one_type_and_adds_another(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", loan=GOOD, army_orders=GOOD.replace("scam_type: loan", "scam_type: army-orders"))
    known = read_playbooks(own)

    assert list(known) == [*SCAM_TYPES, "army-orders"]
    assert known["loan"] == parse(GOOD.encode(), "") != SHIPPED["loan"]
    assert all(known[scam_type] == SHIPPED[scam_type] for scam_type in SCAM_TYPES if scam_type != "loan")


def test_what_begins_with_a_dot_is_passed_over(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", loan=GOOD)
    (own / "._loan.yaml").write_bytes(b"\x00\x05")
    (own / "README.md").write_text("ours\n")

    assert list(read_folder(own)) == ["loan"]


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("scam_type: loan", "scam_type: Loan", "Expected `str` matching regex"),
        ("never:  ", "nevr:  ", "Object contains unknown field `nevr`"),
        ("    en: By phone", "    fr: By phone", "Object contains unknown field `fr`"),
        ("让您下载App。", "让" * 121, "Expected `str` of length <= 120 - at `$.story[0].zh`"),
        ("please pay no more.", "please " * 40, "Expected `str` of length <= 220 - at `$.opening[0].en`"),
        ("en: The app shows", "en: 显示额度已批", "The English text has a Chinese sign, 显 - at `$.story[1].en`"),
        ("en: The app shows", "en: The app，shows", "The English text has a Chinese sign, ，"),
        (
            "App里显示额度已批，就是提不出来。",
            "Approved",
            "has no Chinese character - at `$.story[1].zh`",
        ),
        (
            "zh: 没有“解冻费”。",
            r'zh: "没有\n解冻费"',
            "A text is one line, without blanks around it",
        ),
        ("      zh: 链接装的是假App。", "      cn: 链接装的是假App。", "Object contains unknown field `cn`"),
        ("      zh: 费用付到了谁的卡？", "      zh: @费用付到了谁的卡？", "This is not YAML: found character '@'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(good: str, broken: str, said: str) -> None:
    line = 1 + next(number for number, each in enumerate(GOOD.splitlines()) if good in each)
    with pytest.raises(PlaybookFileError) as caught:
        parse(GOOD.replace(good, broken, 1).encode(), "x.yaml")

    assert str(caught.value).startswith(f"x.yaml:{line}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("good", "broken", "said"),
    [
        ("  - zh: 没有“解冻费”。\n    en: There is no fee to unfreeze a loan.\n", "", "length >= 2 - at `$.never`"),
        ("opening:", "opening:\n  - {zh: 您好。, en: Hello.}", "length <= 2 - at `$.opening`"),
        (
            "    means:\n      zh: 那是拿您的卡洗钱。\n      en: They want your card to launder money.\n",
            "",
            "required field `means`",
        ),
        ("scam_type: loan ", "#", "missing required field `scam_type`"),
    ],
)
def test_what_is_missing_or_too_much_is_said_with_the_field(good: str, broken: str, said: str) -> None:
    assert good in GOOD
    with pytest.raises(PlaybookFileError, match=rf"^x\.yaml:\d+: .*{re.escape(said)}"):
        parse(GOOD.replace(good, broken, 1).encode(), "x.yaml")


def test_a_part_that_stands_twice_is_refused_for_yaml_would_drop_the_first() -> None:
    twice = GOOD + "never:\n  - {zh: 没有。, en: There is none.}\n  - {zh: 也没有。, en: Nor that.}\n"
    line = len(GOOD.splitlines()) + 1

    with pytest.raises(PlaybookFileError, match=rf"^x\.yaml:{line}: .*never appears here twice; keep one"):
        parse(twice.encode(), "x.yaml")


@pytest.mark.parametrize(
    "content", [b"", b"[1", b"a: b: c", b"\xff\xfe\x00", b"- 1\n", b"&a [*a]", b"a: !!x 1", b"a: 2026-13-45"]
)
def test_rubbish_is_no_playbook(content: bytes) -> None:
    with pytest.raises(PlaybookError):
        playbook_of(content)
    with pytest.raises(PlaybookFileError, match=r"^x\.yaml:1: [^\n]+$"):
        parse(content, "x.yaml")


def test_a_folder_that_cannot_be_what_was_meant_is_refused(tmp_path: Path) -> None:
    empty, misnamed = folder(tmp_path / "empty"), folder(tmp_path / "misnamed", fake_prize=GOOD)
    short = folder(tmp_path / "short", loan=GOOD)
    (short / "loan.yml").write_text(GOOD, encoding="utf-8")
    shut = folder(tmp_path / "shut", loan=GOOD)
    (shut / "other.yaml").mkdir()

    for place, said in (
        (tmp_path / "nowhere", "is not a folder of playbooks"),
        (empty, "contains no playbook"),
        (misnamed, "fake-prize.yaml is the playbook of loan: name it loan.yaml, or correct its scam_type"),
        (short, "loan.yml would not be read"),
        (shut, "other.yaml cannot be read: Is a directory"),
    ):
        with pytest.raises(PlaybookFileError, match=re.escape(said)):
            read_playbooks(place)


def test_the_command_lists_the_types() -> None:
    result = asked()

    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == list(SCAM_TYPES)
    assert [msgspec.json.decode(line)["zh"] for line in asked("--json").stdout.splitlines()] == [
        zh for zh, _ in SCAM_TYPES.values()
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_command_says_all_of_a_playbook_in_one_language(language: str) -> None:
    said = asked("sextortion", "--lang", language).stdout

    for _, text in texts(SHIPPED["sextortion"]):
        assert (text.zh in said) == (language == "zh"), text.zh
        assert (text.en in said) == (language == "en"), text.en


def test_on_a_narrow_terminal_nothing_is_cut_off() -> None:
    written = io.StringIO()
    _show(SHIPPED["sextortion"], "zh", Console(file=written, width=40))
    said = re.sub(r"\s", "", written.getvalue())

    assert all(re.sub(r"\s", "", text.zh) in said for _, text in texts(SHIPPED["sextortion"]))


def test_the_command_writes_json_that_is_the_playbook() -> None:
    assert msgspec.json.decode(asked("loan", "--json").stdout, type=Playbook) == SHIPPED["loan"]


def test_the_command_shows_a_sites_own(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", loan=GOOD)

    assert "没有“解冻费”。" in asked("loan", own=own).stdout
    assert "没有“解冻费”。" not in asked("loan").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lone"], "there is no playbook for 'lone': did you mean loan?"),
        (["xyz"], "choose one of impersonated-authority, "),
        (["loan", "--lang", "fr"], "'fr' is not one of 'zh', 'en'"),
    ],
)
def test_a_wrong_word_is_answered_with_what_there_is(words: list[str], said: str) -> None:
    result = asked(*words)

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_broken_playbook_of_a_site_is_one_sentence(tmp_path: Path) -> None:
    own = folder(tmp_path / "own", loan=GOOD.replace("story:", "storey:"))
    result = asked("other", own=own)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "loan.yaml:2: Object contains unknown field `storey`" in result.stderr


def test_the_folder_of_ours_holds_playbooks_alone() -> None:
    assert {path.stem for path in OURS.glob("*.yaml")} == set(SCAM_TYPES)
