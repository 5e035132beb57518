"""The users' file: passwords, tokens, changes by several processes at once, and sign-ins that are refused."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher

from models.access.audit_chain import verify
from models.access.audit_keys import audit_key
from models.access.rights import user
from streams.access.accounts import AccountsFile, UsersError
from streams.access.passwords import PasswordError, Passwords, random_password
from streams.access.users import RefusedError, Users
from streams.audit import AuditError, AuditLog, lines

GOOD = "three plain words"
KEYS = [audit_key("a-key-for-tests-only")]
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LI = user("li.wei", "officer", "ps-0101")


class Site:
    """A users' file and an audit log in one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "users" / "users.json"
        self.audit = folder / "audit.jsonl"
        self.users = self.opened()

    def opened(self, hasher: PasswordHasher = QUICK) -> Users:
        """The users as another process reads them."""
        return Users(AccountsFile(self.path), AuditLog(self.audit, KEYS), Passwords(hasher))

    def noted(self) -> list[dict[str, object]]:
        """The entries of the audit log."""
        return [json.loads(raw) for raw in lines(self.audit)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with one officer."""
    site = Site(tmp_path)
    site.users.add(LI, GOOD, by="os:root")
    return site


def reason(refused: Callable[[], object]) -> str:
    """The reason of a refusal."""
    with pytest.raises(RefusedError) as caught:
        refused()
    return caught.value.reason


def test_a_user_comes_in_by_his_password_and_by_no_other(site: Site) -> None:
    assert site.users.check("li.wei", GOOD).user == LI
    assert reason(lambda: site.users.check("li.wei", GOOD + "!")) == "password"
    assert reason(lambda: site.users.check("zhao", GOOD)) == "unknown"
    site.users.disable("li.wei", by="os:root")
    assert reason(lambda: site.users.check("li.wei", GOOD)) == "disabled"
    assert reason(lambda: site.users.check("li.wei", "another")) == "password"
    site.users.enable("li.wei", by="os:root")
    assert site.users.check("li.wei", GOOD).user == LI


def test_the_password_is_nowhere_and_only_its_owner_reads_the_file(site: Site) -> None:
    assert "$argon2id$" in site.path.read_text()
    assert GOOD not in site.path.read_text() + site.audit.read_text()
    assert stat.S_IMODE(site.path.stat().st_mode) == 0o600
    assert "argon2" not in repr(site.users.all())
    assert sorted(each.name for each in site.path.parent.iterdir()) == [".users.json.lock", "users.json"]


def test_a_mode_and_owner_that_somebody_has_given_the_file_stay(site: Site) -> None:
    site.path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(site.path, 12345, 12345)
    before = site.path.stat()
    site.users.disable("li.wei", by="os:root")
    after = site.path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_password_typed_on_another_keyboard_is_the_same(site: Site) -> None:
    """An é may be typed as one character or as two, and digits in full width."""
    site.users.set_password("li.wei", "caf\N{LATIN SMALL LETTER E WITH ACUTE} in der stadt 12", by="os:root")
    assert site.users.check("li.wei", "cafe\N{COMBINING ACUTE ACCENT} in der stadt １２")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_whoever_owns_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    users = Users(AccountsFile(folder / "users.json"), AuditLog(folder / "audit.jsonl", KEYS), Passwords(QUICK))
    users.add(LI, GOOD, by="os:root")
    made = list(folder.iterdir())
    assert len(made) == 3
    assert {each.stat().st_uid for each in made} == {12345}


@pytest.mark.parametrize(("name", "error"), [("audit.jsonl", AuditError), (".users.json.lock", UsersError)])
@pytest.mark.parametrize("is_there", [True, False])
def test_root_follows_no_link_that_the_owner_of_the_folder_has_put_there(
    name: str, error: type[Exception], is_there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root would have made, or given away, any file of the system, such as one that says who may become root."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    folder, target = tmp_path / "service", tmp_path / "shadow"
    folder.mkdir()
    if is_there:
        target.write_text("")
    (folder / name).symlink_to(target)
    users = Users(AccountsFile(folder / "users.json"), AuditLog(folder / "audit.jsonl", KEYS), Passwords(QUICK))

    with pytest.raises(error, match="it is a link, and root follows none"):
        users.add(LI, GOOD, by="os:root")
    assert target.exists() == is_there
    assert users.all() == []


@pytest.mark.parametrize(
    "password", ["short", "x" * 257, "aaaaaaaaaaaaaaaaa", "the user li.wei himself", "121212121212"]
)
def test_a_password_that_is_too_easy_is_refused_without_being_repeated(site: Site, password: str) -> None:
    with pytest.raises(PasswordError) as caught:
        site.users.set_password("li.wei", password, by="os:root")
    assert password not in str(caught.value)
    assert site.users.check("li.wei", GOOD)


def test_a_password_that_is_made_up_will_do() -> None:
    assert Passwords(QUICK).hash("li.wei", random_password())
    assert random_password() != random_password()


class Watched(PasswordHasher):
    """Records how much work each verification costs: variant, version and parameters."""

    def __init__(self, time_cost: int, memory_cost: int, parallelism: int) -> None:
        super().__init__(time_cost, memory_cost, parallelism)
        self.work: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        """Record the work, then verify as usual."""
        self.work.append(str(hash).rsplit("$", 2)[0])
        return super().verify(hash, password)


def test_an_unknown_user_costs_the_same_work_as_a_wrong_password(site: Site) -> None:
    hasher = Watched(1, 16, 2)
    users = site.opened(hasher)
    users.set_password("li.wei", GOOD, by="os:root")
    assert reason(lambda: users.check("li.wei", "wrong")) == "password"
    assert reason(lambda: users.check("zhao", "wrong")) == "unknown"
    assert hasher.work == ["$argon2id$v=19$m=16,t=1,p=2"] * 2


def test_a_hash_of_older_parameters_is_renewed_when_its_user_comes_in(site: Site) -> None:
    old = site.users.all()[0]
    stronger = site.opened(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    stronger.check("li.wei", GOOD)
    new = site.users.all()[0]
    assert (old.password.split(",")[1], new.password.split(",")[1]) == ("t=1", "t=2")
    assert new.stamp == old.stamp
    assert stronger.check("li.wei", GOOD)
    assert [line["did"] for line in site.noted()] == ["user-added"]


def test_a_password_that_is_changed_while_the_old_one_is_hashed_anew_stays_changed(site: Site) -> None:
    class Meanwhile(PasswordHasher):
        """Another process changes the password during the hashing."""

        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            site.users.set_password("li.wei", GOOD + " and more", by="os:root")
            return super().hash(password, salt=salt)

    assert site.opened(Meanwhile(time_cost=2, memory_cost=16, parallelism=1)).check("li.wei", GOOD)
    assert reason(lambda: site.users.check("li.wei", GOOD)) == "password"
    assert site.users.check("li.wei", GOOD + " and more")


def test_a_token_lets_its_user_in_until_it_is_revoked_or_he_is_disabled(site: Site) -> None:
    token = site.users.add_token("li.wei", "dispatch", by="os:root")
    other = site.users.add_token("li.wei", "other", by="os:root")
    assert site.users.by_token(token) == site.users.by_token(other) == LI
    assert site.users.by_token(token[:-1]) is None
    assert site.users.by_token(hashlib.sha256(token.encode()).hexdigest()) is None
    site.users.disable("li.wei", by="os:root")
    assert site.users.by_token(token) is None
    site.users.enable("li.wei", by="os:root")
    site.users.revoke_token("li.wei", "dispatch", by="os:root")
    assert (site.users.by_token(token), site.users.by_token(other)) == (None, LI)
    assert token not in site.path.read_text() + site.audit.read_text()
    assert len(token) - len("forewarn_") >= 43


def test_what_one_process_changes_the_other_knows_at_once(site: Site) -> None:
    service = site.opened()
    assert service.get("li.wei") is not None
    site.users.add(user("zhao", "auditor"), GOOD, by="os:root")
    assert service.get("zhao") is not None
    site.users.assign("li.wei", "sub-bureau", "sb-01", by="os:root")
    changed = service.get("li.wei")
    assert changed is not None
    assert (changed.user.role, changed.user.unit) == ("sub-bureau", "sb-01")


def test_changes_at_the_same_time_all_arrive(site: Site) -> None:
    def add(number: int) -> None:
        site.opened().add(user(f"user-{number}", "analyst"), GOOD, by="os:root")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.users.all()) == 13
    assert verify(lines(site.audit), KEYS).lines == 13


def test_every_change_is_noted_with_who_made_it(site: Site) -> None:
    users = site.users
    users.assign("li.wei", "officer", "ps-0102", by="wang")
    users.set_password("li.wei", GOOD + "s", by="wang")
    users.add_token("li.wei", "dispatch", by="wang")
    users.revoke_token("li.wei", "dispatch", by="wang")
    users.disable("li.wei", by="wang")
    users.enable("li.wei", by="wang")
    added, *others = site.noted()
    assert (added["did"], added["who"]) == ("user-added", "os:root")
    assert added["details"] == {"user": "li.wei", "role": "officer", "unit": "ps-0101"}
    assert {line["who"] for line in others} == {"wang"}
    assert [line["did"] for line in others] == [
        "user-changed",
        "password-changed",
        "token-added",
        "token-revoked",
        "user-disabled",
        "user-enabled",
    ]


def test_what_cannot_be_noted_is_not_changed(site: Site) -> None:
    before = site.path.read_bytes()
    site.audit.unlink()
    site.audit.mkdir()
    with pytest.raises(AuditError, match="FOREWARN_AUDIT_LOG"):
        site.users.disable("li.wei", by="os:root")
    assert site.path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda users: users.add(LI, GOOD, by="x"), "already a user li.wei"),
        (lambda users: users.disable("zhao", by="x"), "no user zhao"),
        (lambda users: users.set_password("zhao", GOOD, by="x"), "no user zhao"),
        (lambda users: users.revoke_token("li.wei", "none", by="x"), "no token none"),
        (lambda users: users.add_token("li.wei", "two words", by="x"), "label"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_neither_done_nor_noted(
    site: Site, change: Callable[[Users], object], says: str
) -> None:
    before = site.path.read_bytes()
    with pytest.raises(UsersError, match=says):
        change(site.users)
    assert site.path.read_bytes() == before
    assert len(site.noted()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"officer"', '"chief"'),
        ('"ps-0101"', '""'),
        ('"li.wei"', '"Li Wei"'),
        ('"$argon2id$', '"plain'),
        ('"users"', '"people"'),
        (
            "{",
            "[",
        ),
        ("li", "\udcff"),
    ],
)
def test_a_broken_file_lets_nobody_in_and_names_itself(site: Site, old: str, new: str) -> None:
    site.path.write_bytes(site.path.read_text().replace(old, new, 1).encode(errors="surrogateescape"))
    broken = site.path.read_bytes()
    for ask in (lambda: site.users.check("li.wei", GOOD), lambda: site.users.disable("li.wei", by="x")):
        with pytest.raises(UsersError, match="is broken") as caught:
            ask()
        assert str(site.path) in str(caught.value)
    assert site.path.read_bytes() == broken


def test_somebody_who_is_in_the_file_twice_is_a_mistake(site: Site) -> None:
    content = json.loads(site.path.read_text())
    site.path.write_text(json.dumps({"users": content["users"] * 2}))
    with pytest.raises(UsersError, match=r"li\.wei is in it twice"):
        site.users.get("li.wei")


def test_without_a_file_there_is_nobody(site: Site) -> None:
    site.users.all()
    site.path.unlink()
    assert site.users.all() == []
    assert reason(lambda: site.users.check("li.wei", GOOD)) == "unknown"
