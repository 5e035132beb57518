"""The audit log: every change to it is detected, several processes write to it, and a power cut hides nothing."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import socket
import stat
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.access.audit_chain import (
    HALF,
    KEYED,
    ChainError,
    Head,
    Line,
    Whole,
    digest,
    is_sealed,
    line_of,
    sealed,
    verify,
)
from models.access.audit_keys import audit_key, pseudonym
from streams.audit import AuditError, AuditLog, lines, operator, reading
from streams.audit.checking import Wanted, newest
from streams.audit.heads import PublishedHead, hashes, others
from streams.audit.reading import backwards, head_of
from streams.cli import cli
from streams.settings import Settings

KEY = "a-key-for-tests-only"
NEWER, NEWEST = "newer-" * 8, "newest-" * 8
KEYS = [audit_key(KEY, KEY)]
ID = KEYS[0].id
OLD = b'{"at":"2026-11-01T08:00:00+00:00","who":"li","case":"A-1","what":["number:00112233"],"since":"s","found":2}\n'
ANN = "8610000000001"
Forewarn = Callable[..., Result]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the log."""
    return tmp_path / "audit" / "log.jsonl"


@pytest.fixture
def log(path: Path) -> AuditLog:
    """A log that has no entries yet."""
    return AuditLog(path, KEYS)


@pytest.fixture
def forewarn(path: Path) -> Forewarn:
    """Calls ``forewarn audit`` with this log."""

    def invoke(*arguments: str) -> Result:
        environ = {"FOREWARN_AUDIT_LOG": str(path), "FOREWARN_PSEUDONYM_KEY": KEY, "FOREWARN_KAFKA": "127.0.0.1:1"}
        return CliRunner().invoke(cli, ["audit", *arguments], env=environ)

    return invoke


def noted(log: AuditLog, count: int) -> list[bytes]:
    """Note some look-ups and return all lines of the file."""
    for number in range(count):
        log.note("look-up", who="li.wei", case=f"A-{number}", about=[f"number:{ANN}"], details={"found": number})
    return log.path.read_bytes().splitlines(keepends=True)


def whole(path: Path, head: str | None = None) -> Whole:
    """The verdict of a check of the whole file."""
    return verify(lines(path), KEYS, head)


def test_a_line_says_who_did_what_for_which_case_and_about_whom_as_a_pseudonym(log: AuditLog) -> None:
    log = AuditLog(log.path, KEYS, lambda: datetime(2026, 11, 27, 9, 30, tzinfo=UTC))
    log.note("shown-number", who="li.wei", case="A-1", about=[f"number:{ANN}"], details={"found": 1, "since": None})

    raw = log.path.read_bytes()
    line = line_of(raw)
    assert line is not None
    assert is_sealed(raw, line, KEYS[0])
    assert json.loads(raw) == {
        "number": 1,
        "at": "2026-11-27T09:30:00+00:00",
        "who": "li.wei",
        "did": "shown-number",
        "case": "A-1",
        "what": [f"number:{pseudonym(KEY, ANN)}"],
        "details": {"found": 1, "since": None},
        "before": digest(b""),
        "key": ID,
        "seal": line.seal,
    }
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_log_that_nobody_has_touched_is_whole(log: AuditLog) -> None:
    raws = noted(log, 5)

    assert whole(log.path) == Whole(lines=5, old=0, head=digest(raws[-1]), halves=(), cut=0, key=ID)


def chained(count: int) -> list[bytes]:
    """The lines of a log, without a file."""
    raws: list[bytes] = []
    for number in range(1, count + 1):
        before = digest(raws[-1] if raws else b"")
        line = Line(
            number=number, at="t", who="li", did="look-up", case="A", what=("x:1",), details={"n": 1}, before=before
        )
        raws.append(sealed(line, KEYS[0]) + b"\n")
    return raws


@given(st.integers(0, 5), st.data())
def test_a_changed_byte_is_seen_unless_the_last_line_alone_could_tell(place: int, data: st.DataObject) -> None:
    """A change of the last line shows only against the next line's hash, or against a hash noted elsewhere."""
    raws = chained(6)
    at = data.draw(st.integers(0, len(raws[place]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != raws[place][at]))
    changed = [*raws]
    changed[place] = raws[place][:at] + bytes([byte]) + raws[place][at + 1 :]
    with pytest.raises(ChainError):
        verify(b"".join(changed).splitlines(keepends=True) if byte == 10 else changed, KEYS, digest(raws[-1]))
    if place < 5:
        with pytest.raises(ChainError):
            verify(changed, KEYS)


@given(st.permutations(range(6)).filter(lambda order: order != [*range(6)]))
def test_exchanged_lines_are_seen(order: Sequence[int]) -> None:
    raws = chained(6)
    with pytest.raises(ChainError):
        verify([raws[place] for place in order], KEYS)


@given(st.integers(0, 4), st.integers(1, 5))
def test_removed_lines_are_seen_with_the_place_and_how_many(place: int, count: int) -> None:
    raws = chained(6)
    count = min(count, 5 - place)
    with pytest.raises(ChainError, match=rf"lines of the chain were removed before line {place + 1}: {count}"):
        verify([*raws[:place], *raws[place + count :]], KEYS)


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_line_that_is_inserted_is_seen(place: int, which: int) -> None:
    raws = chained(6)
    with pytest.raises(ChainError):
        verify([*raws[: place + 1], raws[which], *raws[place + 1 :]], KEYS)


@given(st.integers(0, 5))
def test_only_a_hash_noted_elsewhere_tells_that_the_end_is_gone(kept: int) -> None:
    raws = chained(6)

    assert verify(raws[:kept], KEYS).lines == kept
    with pytest.raises(ChainError, match=f"the end of the file was cut off after line {kept}"):
        verify(raws[:kept], KEYS, digest(raws[-1]))
    assert verify([*raws], KEYS, digest(raws[kept])).lines == 6


@pytest.mark.parametrize("kept", [1, 10, 150])
def test_a_line_cut_short_by_a_power_cut_is_named_and_noted_by_the_next(log: AuditLog, kept: int) -> None:
    raws = noted(log, 3)
    os.truncate(log.path, sum(map(len, raws[:2])) + kept)
    assert whole(log.path).cut == kept

    log.note("look-up", who="zhao", case="A-9")
    _, _, half, note, last = log.path.read_bytes().splitlines(keepends=True)
    assert half == raws[2][:kept] + b"\n"
    assert json.loads(note)["did"] == HALF
    assert json.loads(note)["details"] == {"bytes": kept, "sha256": digest(half)}
    assert json.loads(last)["case"] == "A-9"
    assert whole(log.path) == Whole(lines=4, old=0, head=digest(last), halves=(3,), cut=0, key=ID)


def test_a_half_written_line_can_neither_be_changed_nor_removed_once_it_is_noted(log: AuditLog) -> None:
    raws = noted(log, 2)
    os.truncate(log.path, len(raws[0]) + 20)
    log.note("look-up", who="zhao")
    first, half, *rest = log.path.read_bytes().splitlines(keepends=True)

    with pytest.raises(ChainError, match="line 2 cannot be read"):
        verify([first, half.replace(b"number", b"numbex"), *rest], KEYS)
    with pytest.raises(ChainError, match="half-written line that line"):
        verify([first, *rest], KEYS)


def test_two_power_cuts_at_the_same_place_hide_nothing(log: AuditLog) -> None:
    """The second cut comes while the first is being noted, after each byte written then."""
    raws = noted(log, 2)
    os.truncate(log.path, len(raws[0]) + 20)
    begun = log.path.read_bytes()
    log.note("look-up", who="zhao")
    after = log.path.read_bytes()
    for size in range(len(begun), len(after) + 1):
        log.path.write_bytes(after[:size])
        log.note("look-up", who="li.wei", case="last")
        told = whole(log.path)
        assert told.halves[0] == 2
        assert log.path.read_bytes().startswith(after[:size])


def test_the_very_first_line_may_be_cut_short_too(log: AuditLog) -> None:
    (raw,) = noted(log, 1)
    os.truncate(log.path, 30)
    log.note("look-up", who="zhao")

    assert whole(log.path).halves == (1,)
    assert log.path.read_bytes().startswith(raw[:30] + b"\n")


def test_zeros_that_a_file_system_leaves_behind_are_a_half_written_line(log: AuditLog) -> None:
    noted(log, 1)
    with log.path.open("ab") as file:
        file.write(bytes(200_000))
    log.note("look-up", who="zhao")

    assert whole(log.path).halves == (2,)


def test_a_line_longer_than_what_is_read_at_first_is_found(log: AuditLog) -> None:
    log.note("look-up", who="li.wei", about=[f"number:{number}" for number in range(20_000)])
    log.note("look-up", who="li.wei")

    assert whole(log.path).lines == 2


def test_lines_of_the_old_form_stay_and_are_sealed_by_the_first_of_the_chain(log: AuditLog) -> None:
    log.path.parent.mkdir()
    log.path.write_bytes(OLD * 3)
    log.change_key()
    raws = noted(log, 1)

    assert raws[:3] == [OLD] * 3
    assert whole(log.path)[:2] == (2, 3)
    for changed in ([*raws[1:]], [OLD.replace(b"A-1", b"A-2"), *raws[1:]], [OLD, *raws]):
        with pytest.raises(ChainError, match="old form before line"):
            verify(changed, KEYS)
    with pytest.raises(ChainError, match="line 6 cannot be read"):
        verify([*raws, OLD], KEYS)


@pytest.mark.parametrize("content", ["root:x:0:0:root:/root\nbin:x:1:1::/\n", "a sentence", '{"a": 1}\n'])
def test_nothing_is_added_to_a_file_that_is_no_audit_log(log: AuditLog, content: str) -> None:
    log.path.parent.mkdir()
    log.path.write_text(content)
    with pytest.raises(AuditError, match="is not an audit log"):
        log.note("look-up", who="li.wei")
    assert log.path.read_text() == content


def many(path: Path, who: str, begin: Barrier) -> None:
    """Note a hundred entries in a separate process, once all processes are ready."""
    log = AuditLog(path, KEYS)
    begin.wait(60)
    for _ in range(100):
        log.note("look-up", who=who)


def test_several_processes_write_to_one_file(log: AuditLog) -> None:
    spawn = multiprocessing.get_context("spawn")
    begin = spawn.Barrier(3)
    processes = [spawn.Process(target=many, args=(log.path, f"user-{number}", begin)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert whole(log.path).lines == 300
    assert {json.loads(raw)["who"] for raw in lines(log.path)} == {"user-0", "user-1", "user-2"}


def test_who_is_in_the_middle_of_a_line_is_waited_for_by_writers_and_readers(log: AuditLog) -> None:
    noted(log, 1)
    with log.path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = [
            threading.Thread(target=noted, args=(log, 1)),
            threading.Thread(target=lambda: [*lines(log.path)]),
        ]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join(0.1)
            assert thread.is_alive()
    for thread in waiting:
        thread.join(60)
    assert whole(log.path).lines == 2


def test_verify_prints_count_and_hash_which_the_next_one_takes(forewarn: Forewarn, log: AuditLog) -> None:
    raws = noted(log, 3)
    printed = forewarn("verify")
    assert (printed.exit_code, printed.stdout) == (0, f"3 {digest(raws[-1])}\n")

    noted(log, 2)
    assert forewarn("verify", "--head", printed.stdout.split()[1]).exit_code == 0
    os.truncate(log.path, sum(map(len, raws[:2])))
    assert forewarn("verify").exit_code == 0
    refused = forewarn("verify", "--head", printed.stdout.split()[1])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "cut off after line 2" in refused.stderr


def test_verify_names_the_first_line_that_does_not_hold(forewarn: Forewarn, log: AuditLog) -> None:
    raws = noted(log, 4)
    log.path.write_bytes(b"".join([raws[0], raws[1].replace(b"A-1", b"A-7"), *raws[2:]]))
    result = forewarn("verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 2 was changed or was not written here" in result.stderr
    assert "line 2 or line 3 was changed" in forewarn("verify", "--no-key").stderr
    assert str(log.path) in result.stderr


def test_verify_tells_of_half_written_lines(forewarn: Forewarn, log: AuditLog) -> None:
    raws = noted(log, 3)
    os.truncate(log.path, sum(map(len, raws)) - 5)
    assert "the last line is half-written" in forewarn("verify").stderr
    log.note("look-up", who="zhao")
    result = forewarn("verify")
    assert (result.exit_code, result.stdout.split()[0]) == (0, "4")
    assert "line 3 was left half-written" in result.stderr


def test_a_log_that_is_not_there_is_one_sentence(forewarn: Forewarn, path: Path) -> None:
    for command in ("verify", "show"):
        result = forewarn(command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert str(path) in result.stderr
        assert "Traceback" not in result.stderr
    assert forewarn("verify", "--head", "12ab").exit_code == 2


def test_show_filters_by_user_case_and_time(forewarn: Forewarn, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(OLD)
    AuditLog(path, KEYS, lambda: datetime(2026, 11, 1, tzinfo=UTC)).change_key()
    for day, who, case in ((2, "li.wei", "A-1"), (3, "zhao", "A-1"), (4, "li.wei", "A-2")):
        moment = datetime(2026, 11, day, tzinfo=UTC)
        AuditLog(path, KEYS, lambda at=moment: at).note("look-up", who=who, case=case, details={"found": 1})  # type: ignore[misc]

    def shown(*arguments: str) -> list[tuple[str, str]]:
        lines = [json.loads(line) for line in forewarn("show", "--json", *arguments).stdout.splitlines()]
        return [(line["who"], line["case"]) for line in lines]

    assert shown() == [("li", "A-1"), (operator(), ""), ("li.wei", "A-1"), ("zhao", "A-1"), ("li.wei", "A-2")]
    assert shown("--who", "li.wei") == [("li.wei", "A-1"), ("li.wei", "A-2")]
    assert shown("--case", "A-1", "--who", "zhao") == [("zhao", "A-1")]
    assert shown("--since", "2026-11-03") == [("zhao", "A-1"), ("li.wei", "A-2")]
    rows = [line.split("\t") for line in forewarn("show").stdout.splitlines()]
    assert rows[0][:3] == ["number", "at", "who"]
    assert [row[-1] for row in rows[1:]] == ["since=s found=2", f"from= to={ID}", *["found=1"] * 3]


def test_what_somebody_typed_commands_no_terminal(forewarn: Forewarn, log: AuditLog) -> None:
    log.note("look-up", who="li.wei", case="\x1b[2J\tA\n")
    (_, row) = forewarn("show").stdout.splitlines()
    assert len(row.split("\t")) == 7
    assert "\x1b" not in row


def unsealed(count: int) -> list[bytes]:
    """The lines of a log from before there were seals."""
    raws: list[bytes] = []
    for number in range(1, count + 1):
        fields = {"number": number, "at": "t", "who": "li", "did": "look-up", "case": "A", "what": [], "details": {}}
        before = digest(raws[-1] if raws else b"")
        raws.append(json.dumps(fields | {"before": before}, separators=(",", ":")).encode() + b"\n")
    return raws


@given(st.integers(0, 5), st.booleans())
def test_who_has_the_file_but_not_the_key_can_write_no_line(place: int, is_last: bool) -> None:
    """Not even the last one, and not by sealing it with another key or with none."""
    raws = chained(6)
    line = line_of(raws[place])
    assert line is not None
    other = audit_key(NEWER)
    changed = replace(line, who="zhao")
    rest = [] if is_last else raws[place + 1 :]
    for forged in (
        sealed(changed, other),
        sealed(changed, KEYS[0]._replace(seal=other.seal)),
        msgspec.json.encode(replace(changed, key="", seal="")),
        msgspec.json.encode(changed),
    ):
        with pytest.raises(ChainError):
            verify([*raws[:place], forged + b"\n", *rest], KEYS)


def test_a_log_from_before_there_were_seals_goes_on_with_a_line_that_says_so(log: AuditLog, forewarn: Forewarn) -> None:
    log.path.parent.mkdir()
    log.path.write_bytes(b"".join(unsealed(3)))
    assert "forewarn audit rotate" in forewarn("verify").stderr
    assert verify(unsealed(3), None).unsealed == 3

    assert forewarn("rotate").exit_code == 0
    raws = noted(log, 1)
    assert [json.loads(raw)["did"] for raw in raws[3:]] == [KEYED, "look-up"]
    assert json.loads(raws[3])["details"] == {"from": "", "to": ID}
    assert whole(log.path)[:2] == (5, 0)
    assert "3 of them without a seal" in forewarn("verify").stderr
    for changed in ([unsealed(3)[0].replace(b"li", b"xi"), *raws[1:]], [*raws, unsealed(6)[5]], raws[:3], raws[3:]):
        with pytest.raises(ChainError):
            verify(changed, KEYS)


def test_another_key_goes_on_and_older_lines_can_still_be_checked_and_found(log: AuditLog, path: Path) -> None:
    """The former key writes no more: whoever found it can neither add lines nor bring the log back to it."""
    raws = noted(log, 2)
    settings = {"FOREWARN_AUDIT_LOG": str(path), "FOREWARN_PSEUDONYM_KEY": KEY, "FOREWARN_AUDIT_SECRET": NEWER}

    def forewarn(*words: str) -> Result:
        return CliRunner().invoke(cli, ["audit", *words], env=settings)

    assert forewarn("verify").exit_code == 1
    rotated = forewarn("rotate")
    assert (rotated.exit_code, "line 3 and all lines after it" in rotated.stderr) == (0, True)
    assert "nothing to do" in forewarn("rotate").stderr
    settings["FOREWARN_AUDIT_SECRET"] = f"{NEWEST}\n{NEWER}"
    forewarn("rotate")
    newest = AuditLog(path, Settings.from_environ(settings).audit_keys())
    newest.note("look-up", who="li.wei", about=[f"number:{ANN}"])
    assert forewarn("verify").stdout.startswith("5 ")
    assert forewarn("show", "--about", f"number:{ANN}").stderr == "3 lines\n"

    with pytest.raises(AuditError, match="restart the program"):
        log.note("look-up", who="li.wei")
    keys = Settings.from_environ(settings).audit_keys()
    line = line_of(raws[1])
    assert line is not None
    late = replace(line, number=6, before=digest(path.read_bytes().splitlines()[-1]))
    for changed in ([*lines(path), sealed(late, KEYS[0]) + b"\n"], raws):
        with pytest.raises(ChainError):
            verify(changed, keys)
    with pytest.raises(ChainError, match="FOREWARN_AUDIT_SECRET_FILE"):
        verify(lines(path), keys[:1])
    assert verify(raws, keys, digest(raws[1])).lines == 2


def test_a_key_change_after_a_power_cut_is_noted_after_the_half_written_line(log: AuditLog) -> None:
    raws = noted(log, 2)
    os.truncate(log.path, len(raws[0]) + 20)
    keys = [audit_key(NEWER), *KEYS]
    AuditLog(log.path, keys).change_key()

    assert verify(lines(log.path), keys).halves == (2,)
    assert [json.loads(raw)["did"] for raw in log.path.read_bytes().splitlines()[2:]] == [HALF, KEYED]


def test_without_a_secret_the_chain_alone_is_checked_on_request(log: AuditLog, path: Path) -> None:
    noted(log, 2)
    environ = {"FOREWARN_AUDIT_LOG": str(path)}

    assert "The site has no secret" in CliRunner().invoke(cli, ["audit", "verify"], env=environ).stderr
    checked = CliRunner().invoke(cli, ["audit", "verify", "--no-key"], env=environ)
    assert (checked.exit_code, "no seal was checked" in checked.stderr) == (0, True)


def head(raws: Sequence[bytes], number: int, **more: Any) -> PublishedHead:
    """The head of a log when it had so many lines, as it is published."""
    about: dict[str, Any] = {"machine": socket.gethostname(), "file": "/log", "at": 1} | more
    return PublishedHead(log=digest(raws[0]), number=number, hash=digest(raws[number - 1]), **about)


def test_published_hashes_show_what_who_has_the_key_rewrote_or_cut_off(log: AuditLog, path: Path) -> None:
    raws = noted(log, 4)
    published = hashes([head(raws, 2), head(raws, 4), head(chained(2), 2)], digest(raws[0]))
    assert verify(raws, KEYS, published=published).lines == 4

    with pytest.raises(ChainError, match="cut off after line 3: the hash of line 4"):
        verify(raws[:3], KEYS, published=published)
    os.truncate(path, len(raws[0]))
    log.note("look-up", who="zhao")
    noted(log, 3)
    assert whole(path).lines == 5
    with pytest.raises(ChainError, match="line 2 is not the line 2 whose hash was published"):
        verify(lines(path), KEYS, published=published)


def test_a_log_in_the_place_of_another_is_told_by_what_that_one_published(log: AuditLog) -> None:
    raws, mine = noted(log, 3), digest(chained(1)[0])
    heads = [head(raws, 1), head(raws, 3), head(raws, 2, machine="elsewhere"), head(chained(1), 1)]

    assert others(heads, mine, Path("/log")) == [heads[1]]
    assert others(heads, mine, Path("/another")) == []


def test_the_head_is_the_last_line_of_the_log_and_its_name_the_first(log: AuditLog, path: Path) -> None:
    """Lines from before the chain, and half-written ones, are passed over."""
    assert head_of(path) is None
    path.parent.mkdir()
    path.write_bytes(OLD)
    assert head_of(path) is None

    log.change_key()
    raws = noted(log, 1)
    with path.open("ab") as file:
        file.write(b'{"number')
    assert head_of(path) == Head(digest(raws[1]), 2, digest(raws[2]))


def test_without_kafka_verify_compares_nothing_and_says_so(forewarn: Forewarn, log: AuditLog) -> None:
    noted(log, 1)
    result = forewarn("verify", "--published")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Kafka" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "forged", [OLD * 2, b"".join(unsealed(2)), b"".join(chained(2))], ids=["old", "bare", "former"]
)
def test_nothing_is_written_after_lines_that_the_present_key_has_not_sealed(log: AuditLog, forged: bytes) -> None:
    """Whoever puts another file in the log's place would otherwise have it sealed by the next action."""
    log.path.parent.mkdir()
    log.path.write_bytes(forged)
    present = AuditLog(log.path, [audit_key(NEWER), *KEYS])
    with pytest.raises(AuditError, match="forewarn audit rotate"):
        present.note("look-up", who="li.wei")

    assert log.path.read_bytes() == forged


@pytest.mark.parametrize("piece", [1, 7, 64, 500, 1 << 16])
def test_backwards_finds_the_same_lines_wherever_its_pieces_begin(
    log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """Lines that a power cut left half-written, and a last line without its end, are left out."""
    for case in ("A-1", "预警-2", "A-3"):
        log.note("look-up", who="li", case=case)
        with path.open("ab") as file:
            file.write(b'{"number": 9, "at"\n')
    with path.open("ab") as file:
        file.write(b'{"number": 10')
    monkeypatch.setattr(reading, "_PIECE", piece)
    forwards = [line for raw in lines(path) if (line := line_of(raw)) is not None]

    assert len(forwards) >= 3
    assert [*backwards(path)] == forwards[::-1]


def test_the_newest_lines_are_found_at_the_end_of_the_file(
    log: AuditLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work does not grow with the log."""
    for case in range(40):
        log.note("look-up", who="li", case=f"A-{case}")
    monkeypatch.setattr(reading, "_PIECE", 1000)
    read: list[int] = []
    pread = os.pread

    def counted(file: int, size: int, start: int) -> bytes:
        read.append(size)
        return pread(file, size, start)

    monkeypatch.setattr(os, "pread", counted)
    found, more = newest(log, Wanted(who="li"), 2)

    assert ([line.case for line in found], more) == (["A-39", "A-38"], True)
    assert sum(read) < path.stat().st_size / 3
