"""Sample data: the secret of a local stack, and the files that its programs are pointed to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from models.access.rights import ROLES
from streams.cli.local import environment
from streams.local import samples
from streams.local.process import ProcessId
from streams.local.state import StackState
from streams.sealing import Identities
from streams.settings import Settings

STATE = StackState("127.0.0.1:1", "redis://127.0.0.1:1/0", ProcessId(1, "x"), ProcessId(2, "x"))


def test_a_stack_makes_a_secret_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    """A second start finds the first one's, so that its ids stay the same."""
    path = Path(samples.kept(tmp_path)["FOREWARN_SECRET_FILE"])
    made = path.read_text(encoding="ascii")
    again = Path(samples.kept(tmp_path)["FOREWARN_SECRET_FILE"]).read_text(encoding="ascii")

    assert made == again
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Settings.from_environ({"FOREWARN_SECRET_FILE": str(path)}).secret == made


def test_a_stack_makes_the_key_of_its_dead_letters_once(tmp_path: Path) -> None:
    """Its programs get the public key; the private one stays in the folder, for its owner alone."""
    made, again = (samples.kept(tmp_path)["FOREWARN_LETTERS_RECIPIENT"] for _ in range(2))
    path = tmp_path / "letters.key"

    assert made == again == Identities([path.read_text(encoding="ascii")]).recipient
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Settings.from_environ(samples.kept(tmp_path)).letters_key() == made


def test_a_stack_from_before_keeps_the_key_of_its_pseudonyms(tmp_path: Path) -> None:
    """Its audit log and account numbers are under that key."""
    assert "FOREWARN_PSEUDONYM_KEY_FILE" not in samples.kept(tmp_path)
    (tmp_path / "pseudonym.key").write_text("0123456789abcdef", encoding="ascii")

    assert Settings.from_environ(samples.kept(tmp_path)).key_of_pseudonyms() == "0123456789abcdef"


def test_a_secret_in_the_environment_goes_before_that_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both together would be refused."""
    monkeypatch.setenv("FOREWARN_SECRET", "a secret that only the tests know")

    assert "FOREWARN_SECRET_FILE" not in environment(tmp_path, STATE)
    assert "FOREWARN_USERS_FILE" in environment(tmp_path, STATE)


def test_a_stack_has_a_sign_in_for_every_role(tmp_path: Path) -> None:
    """So that each page of the console can be tried."""
    passwords = samples.first_users(tmp_path)

    assert {account.user.role for account in samples.users_of(tmp_path).all()} == {*ROLES}
    assert passwords.keys() == samples.PEOPLE.keys()
    assert samples.first_users(tmp_path) == {}
