"""``forewarn users`` as the operator of a site calls it, with a real Valkey for the sessions that it ends."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.access.rights import User
from streams.access.authentication import Authenticator
from streams.access.sessions import Sessions
from streams.access.store import Store
from streams.access.users import Users
from streams.cli import cli
from streams.settings import Settings

ROOT = Path(__file__).parents[3]
GOOD = "three plain words"
SECRET = "a secret that only the tests know"
Forewarn = Callable[..., Result]
LI = ("li.wei", "--role", "officer", "--unit", "ps-0101")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A site without Redis."""
    return Settings(
        users_file=tmp_path / "users.json",
        audit_log=tmp_path / "audit.jsonl",
        redis="redis://127.0.0.1:1/0",
        secret=SECRET,
    )


@pytest.fixture
def forewarn(settings: Settings) -> Forewarn:
    """Calls ``forewarn users`` at this site."""
    environ = {
        "FOREWARN_USERS_FILE": str(settings.users_file),
        "FOREWARN_AUDIT_LOG": str(settings.audit_log),
        "FOREWARN_KAFKA": "127.0.0.1:1",
        "FOREWARN_REDIS": settings.redis,
        "FOREWARN_SECRET": SECRET,
    }

    def invoke(*arguments: str, typed: str | bytes | None = None, **more: str) -> Result:
        return CliRunner().invoke(cli, ["users", *arguments], input=typed, env=environ | more)

    return invoke


def until(terminal: int, words: str) -> str:
    """A program's output on a terminal, up to these words or to the program's end."""
    said = ""
    while words not in said:
        try:
            said += os.read(terminal, 4096).decode()
        except OSError:  # the program has ended
            break
    return said


def test_a_password_is_asked_for_twice_on_a_terminal_that_does_not_show_it(settings: Settings) -> None:
    terminal, theirs = pty.openpty()
    environ = {
        "FOREWARN_USERS_FILE": str(settings.users_file),
        "FOREWARN_AUDIT_LOG": str(settings.audit_log),
        "FOREWARN_KAFKA": "127.0.0.1:1",
        "FOREWARN_SECRET": SECRET,
        "PYTHONPATH": str(ROOT),
    }
    command = subprocess.Popen(
        [sys.executable, "-c", "from streams.cli import main; main()", "users", "add", *LI],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=os.environ | environ,
    )
    os.close(theirs)
    shown = until(terminal, "Password: ")
    os.write(terminal, f"{GOOD}\n".encode())
    shown += until(terminal, "confirmation: ")
    os.write(terminal, f"{GOOD}\n".encode())
    shown += until(terminal, "may sign in")
    assert command.wait(30) == 0, shown
    os.close(terminal)
    assert GOOD not in shown
    assert Users.of(settings).check("li.wei", GOOD).user == User(name="li.wei", role="officer", unit="ps-0101")


def test_two_different_passwords_change_nothing(forewarn: Forewarn, settings: Settings) -> None:
    forewarn("add", *LI, typed=f"{GOOD}\n{GOOD}\n")
    differing = forewarn("password", "li.wei", typed=f"{GOOD}\nanother\n")
    assert differing.exit_code == 1
    assert Users.of(settings).check("li.wei", GOOD)


def test_a_password_may_come_from_a_file_or_be_made_up(forewarn: Forewarn, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(GOOD + "\n")
    assert forewarn("add", *LI, "--password-file", str(tmp_path / "secret")).exit_code == 0
    assert Users.of(settings).check("li.wei", GOOD)
    made = forewarn("password", "li.wei", "--random")
    assert len(made.stdout.splitlines()) == 1
    assert Users.of(settings).check("li.wei", made.stdout.rstrip("\n"))
    assert forewarn("password", "li.wei", "--password-file", "-", typed=GOOD).exit_code == 0
    assert Users.of(settings).check("li.wei", GOOD)


def test_users_are_listed_without_their_secrets(forewarn: Forewarn) -> None:
    forewarn("add", *LI, "--random")
    forewarn("add", "zhao", "--role", "auditor", "--random")
    token = forewarn("token", "add", "li.wei", "dispatch").stdout.strip()
    forewarn("disable", "zhao")
    first, second = [json.loads(line) for line in forewarn("list", "--json").stdout.splitlines()]
    made = first["tokens"][0].pop("made")
    assert first == {
        "name": "li.wei",
        "role": "officer",
        "unit": "ps-0101",
        "disabled": False,
        "tokens": [{"label": "dispatch"}],
    }
    assert (second["name"], second["disabled"]) == ("zhao", True)
    listed = forewarn("list").stdout
    assert [line.split("\t")[3:] for line in listed.splitlines()] == [
        ["state", "tokens"],
        ["enabled", f"dispatch ({made[:10]})"],
        ["disabled", ""],
    ]
    assert token not in listed
    assert "argon2" not in listed


def test_a_token_is_printed_once_and_revoked_by_its_label(forewarn: Forewarn, settings: Settings) -> None:
    forewarn("add", *LI, "--random")
    token = forewarn("token", "add", "li.wei", "dispatch").stdout.strip()
    assert Users.of(settings).by_token(token) is not None
    assert forewarn("token", "revoke", "li.wei", "dispatch").exit_code == 0
    assert Users.of(settings).by_token(token) is None


def test_each_command_leaves_a_line_of_whoever_ran_it(forewarn: Forewarn, settings: Settings) -> None:
    forewarn("add", *LI, "--random", LOGNAME="somebody.else")
    forewarn("assign", "li.wei", "--role", "analyst")
    forewarn("password", "li.wei", "--random")
    forewarn("token", "add", "li.wei", "dispatch")
    forewarn("token", "revoke", "li.wei", "dispatch")
    forewarn("disable", "li.wei")
    forewarn("enable", "li.wei")
    noted = [json.loads(line) for line in settings.audit_log.read_text().splitlines()]
    assert [line["did"] for line in noted] == [
        "user-added",
        "user-changed",
        "password-changed",
        "token-added",
        "token-revoked",
        "user-disabled",
        "user-enabled",
    ]
    (who,) = {line["who"] for line in noted}
    assert who.startswith("os:")
    assert "somebody" not in who


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "Li Wei", "--role", "analyst", "--random"), "a name has"),
        (("add", "zhao", "--role", "officer", "--random"), "needs a unit"),
        (("add", "zhao", "--role", "chief", "--random"), "--role"),
        (("add", *LI, "--random"), "already a user li.wei"),
        (("add", "zhao", "--role", "analyst", "--random", "--password-file", "-"), "not both"),
        (("add", "zhao", "--role", "analyst", "--password-file", "-"), "12 to 256 characters"),
        (("add", "zhao", "--role", "analyst", "--password-file", "/nowhere"), "/nowhere"),
        (("disable", "zhao"), "no user zhao: see forewarn users list"),
        (("enable", "zhao"), "no user zhao"),
        (("password", "zhao", "--random"), "no user zhao"),
        (("assign", "li.wei", "--role", "centre"), "needs a unit"),
        (("token", "add", "zhao", "x"), "no user zhao"),
        (("token", "add", "li.wei", "two words"), "label"),
        (("token", "revoke", "li.wei", "x"), "no token x"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    forewarn: Forewarn, settings: Settings, arguments: tuple[str, ...], says: str
) -> None:
    forewarn("add", *LI, "--random")
    before = settings.users_file.read_bytes()
    result = forewarn(*arguments, typed="short\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert settings.users_file.read_bytes() == before


def test_bytes_that_are_no_text_are_no_password(forewarn: Forewarn) -> None:
    result = forewarn("add", *LI, "--password-file", "-", typed=b"\xff\xfe a password\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "not UTF-8" in result.stderr


def test_without_redis_disabling_still_holds(forewarn: Forewarn, settings: Settings) -> None:
    forewarn("add", *LI, "--random")
    result = forewarn("disable", "li.wei")
    assert result.exit_code == 0
    assert "does not answer" in result.stderr
    assert Users.of(settings).all()[0].user.disabled


@pytest.mark.live
def test_disabling_and_another_password_end_the_sessions(
    forewarn: Forewarn, valkey: str, topic_prefix: str, tmp_path: Path
) -> None:
    here = {"FOREWARN_REDIS": valkey, "FOREWARN_TOPIC_PREFIX": topic_prefix}
    settings = Settings(
        users_file=tmp_path / "users.json",
        audit_log=tmp_path / "audit.jsonl",
        redis=valkey,
        topic_prefix=topic_prefix,
        secret=SECRET,
    )
    forewarn("add", *LI, "--password-file", "-", typed=GOOD)

    async def sign_in() -> str:
        store = Store(settings)
        try:
            return await Authenticator.of(settings, store).sign_in("li.wei", GOOD, "10.0.0.1")
        finally:
            await store.close()

    async def known(token: str) -> bool:
        store = Store(settings)
        try:
            return await Sessions(store, settings).find(token) is not None
        finally:
            await store.close()

    for command in (("password", "li.wei", "--password-file", "-"), ("disable", "li.wei")):
        tokens = [asyncio.run(sign_in()) for _ in range(2)]
        assert all(asyncio.run(known(token)) for token in tokens)
        result = forewarn(*command, typed=GOOD, **here)
        assert "sessions ended: 2" in result.stderr
        assert not any(asyncio.run(known(token)) for token in tokens)
