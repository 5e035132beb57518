"""The expiry of the audit log: the rest is still a chain, and nobody without the key can cut the log unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.access.audit_chain import EXPIRED, ChainError, Line, digest, line_of, verify
from models.access.audit_keys import audit_key
from streams.audit import AuditError, AuditLog, lines
from streams.audit.checking import Wanted, newest
from streams.audit.expiring import expire
from streams.audit.heads import HeadError, PublishedHead
from streams.audit.reading import head_of, log_of
from streams.cli import audit as command
from streams.cli import cli
from streams.settings import Settings
from tests.test_audit import KEYS, OLD

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a secret that only the tests know"


def log_at(path: Path, day: int) -> AuditLog:
    """The log, whose clock stands at a day."""
    return AuditLog(path, KEYS, lambda: T0 + timedelta(days=day))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with a line of each of six days."""
    path = tmp_path / "log.jsonl"
    for day in range(6):
        log_at(path, day).note("look-up", who="li.wei", case=f"A-{day}")
    return path


def cut(path: Path, day: int, today: int = 9) -> Line | None:
    """Delete the lines from before a day."""
    return expire(log_at(path, today), T0 + timedelta(days=day), {})


def numbers(path: Path) -> list[int]:
    """The numbers of all lines in the file."""
    return [line.number for raw in lines(path) if (line := line_of(raw)) is not None]


def test_old_lines_are_deleted_and_the_rest_is_whole(path: Path) -> None:
    """What was published before still fits, the log keeps its name, and a second cut follows a first one."""
    raws = [*lines(path)]
    published = {number: frozenset((digest(raw),)) for number, raw in enumerate(raws, 1)}
    name = log_of(raws)
    for day, expected in ((0, None), (2, [7, 3, 4, 5, 6, 7]), (4, [8, 5, 6, 7, 8]), (60, [9, 9])):
        done = cut(path, day, today=50)
        found = verify(lines(path), KEYS, published=published)

        assert (done and numbers(path)) == expected
        assert (found.expired, found.lines) == ((0, 6) if expected is None else (expected[1] - 1, expected[-1]))
        assert head_of(path) == (name, found.lines, found.head)
    assert [each.name for each in path.parent.iterdir()] == ["log.jsonl"]
    assert [(line.number, line.did) for line in newest(log_at(path, 60), Wanted(), 9)[0]] == [(9, EXPIRED)]
    log_at(path, 61).note("look-up", who="li.wei")
    assert verify(lines(path), KEYS).lines == 10


def test_a_cut_takes_lines_of_the_old_form_and_leaves_half_written_ones_to_the_note_about_them(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(OLD)
    log_at(path, 1).change_key()
    log_at(path, 2).note("look-up", who="li.wei")
    with path.open("ab") as file:
        file.write(b'{"number":3,"at')
    log_at(path, 5).note("look-up", who="li.wei")
    cut(path, 4)

    assert numbers(path) == [5, 3, 4, 5]
    assert verify(lines(path), KEYS)[:4:3] == (5, (2,))
    assert verify(lines(path), None, digest([*lines(path)][-1])).old == 0


def without(count: int) -> Callable[[list[bytes]], list[bytes]]:
    """Remove so many lines after the copy, or with it."""
    return lambda raws: [raws[0], *raws[1 + count :]]


@pytest.mark.parametrize(
    "forge",
    [
        without(1),
        without(2),
        lambda raws: raws[1:],
        lambda raws: raws[2:],
        lambda raws: raws[-1:],
        lambda raws: [raws[0]],
        lambda raws: raws[:-1],
        lambda raws: [raws[0].replace(b'"through":2', b'"through":3'), *raws[2:]],
        lambda raws: [raws[0].replace(log_of(raws).encode(), b"0" * 64), *raws[1:]],
        lambda raws: [raws[0], *raws],
    ],
)
def test_who_has_no_key_cuts_off_nothing_unnoticed(path: Path, forge: Callable[[list[bytes]], list[bytes]]) -> None:
    """Neither by removing lines after a cut, nor by changing what the copy of its line says."""
    cut(path, 2)
    raws = [*lines(path)]

    for keys in (KEYS, None):
        with pytest.raises(ChainError):
            verify(forge(raws), keys)


def test_a_line_that_says_what_was_cut_needs_the_key(path: Path) -> None:
    """Whoever has another key, or a former one, can write no such line."""
    raws = [*lines(path)]
    other = AuditLog(path, [audit_key("another-" * 4), *KEYS])
    other.change_key()
    expire(other, T0 + timedelta(days=3), {})

    with pytest.raises(ChainError):
        verify(lines(path), KEYS)
    path.write_bytes(b"".join([*raws[:2], *raws[3:]]))
    with pytest.raises(ChainError, match="removed before line 3"):
        cut(path, 2)
    assert numbers(path) == [1, 2, 4, 5, 6], "evidence was deleted"


def test_older_secrets_need_not_be_kept_for_what_has_expired(path: Path) -> None:
    keys = [audit_key("newer-" * 8), *KEYS]
    AuditLog(path, keys, lambda: T0 + timedelta(days=6)).change_key()
    expire(AuditLog(path, keys), T0 + timedelta(days=7), {})

    assert verify(lines(path), keys[:1]).expired == 7


def test_a_cut_that_is_killed_leaves_the_log_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had written beside the log is gone after the next one."""
    before = path.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            cut(path, 2)
    assert path.read_bytes() == before
    assert len([*path.parent.iterdir()]) == 2

    log_at(path, 7).note("look-up", who="li.wei")
    cut(path, 2)
    assert [each.name for each in path.parent.iterdir()] == ["log.jsonl"]
    assert verify(lines(path), KEYS).expired == 2


def test_a_full_disk_is_one_sentence_and_deletes_nothing(path: Path) -> None:
    before = path.read_bytes()
    (path.parent / ".log.jsonl.expiring").mkdir()

    with pytest.raises(AuditError, match="nothing was deleted"):
        cut(path, 2)
    assert path.read_bytes() == before


def test_the_command_asks_kafka_first_and_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It deletes nothing without the hashes that were published, and keeps six months at least."""
    path = tmp_path / "log.jsonl"
    environ = {"FOREWARN_AUDIT_LOG": str(path), "FOREWARN_SECRET": SECRET, "FOREWARN_KAFKA": "127.0.0.1:1"}
    keys = Settings.from_environ(environ).audit_keys()
    for days in (800, 799, 1):
        AuditLog(path, keys, lambda ago=days: datetime.now(UTC) - timedelta(days=ago)).note("look-up", who="li.wei")  # type: ignore[misc]
    raws = [*lines(path)]

    def invoke(keep: int) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["audit", "expire", "--keep", str(keep)], env=environ)
        return result.exit_code, result.stderr

    async def silent(_: Settings) -> list[PublishedHead]:
        raise HeadError("Kafka does not answer")

    monkeypatch.setattr(command, "published_heads", silent)
    assert (invoke(730)[0], invoke(30)[0], [*lines(path)]) == (2, 2, raws)

    async def heads(_: Settings) -> list[PublishedHead]:
        return [PublishedHead(log=digest(raws[0]), number=2, hash=digest(said), machine="m", file="/l", at=1)]

    monkeypatch.setattr(command, "published_heads", heads)
    said = raws[0]
    broken = invoke(730)
    said = raws[1]
    done = invoke(730)

    assert (broken[0], "is not whole, so nothing was deleted" in broken[1]) == (1, True)
    assert (done[0], "the lines up to 2 are deleted; line 4 records it" in done[1]) == (0, True)
    assert "nothing to do" in invoke(730)[1]
    assert path.stat().st_mode & 0o777 == 0o600
