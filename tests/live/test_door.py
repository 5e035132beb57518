"""Signing in with a real Valkey: sessions and how they end, failed attempts, and the audit log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from models.access.audit_keys import audit_key
from models.access.rights import user
from streams.access.accounts import AccountsFile, UserAccount
from streams.access.attempts import Attempts, Limits, TooManyAttemptsError
from streams.access.authentication import Authenticator, SignInError
from streams.access.passwords import Passwords
from streams.access.sessions import LONGEST, Sessions, csrf_of, is_csrf_of
from streams.access.store import Store, UnavailableError
from streams.access.users import Users
from streams.audit import AuditError, AuditLog
from streams.settings import Settings

GOOD = "three plain words"
KEYS = [audit_key("a-key-for-tests-only")]
HERE, THERE = "10.1.2.3", "10.1.2.4"
LI = user("li.wei", "officer", "ps-0101")
IDLE = 30 * 60


class Site:
    """A site's authentication and everything behind it, with a clock that the test moves."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.now = 1_800_000_000.0
        self.audit, self.file = folder / "audit.jsonl", folder / "users.json"
        self.store = Store(settings)
        log = AuditLog(self.audit, KEYS)
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        self.users = Users(AccountsFile(self.file), log, Passwords(hasher))
        self.sessions = Sessions(self.store, settings, lambda: self.now)
        self.attempts = Attempts(self.store)
        self.door = Authenticator(self.users, self.sessions, self.attempts, log)
        self.users.add(LI, GOOD, by="os:root")

    @property
    def li(self) -> UserAccount:
        """The account of the officer."""
        (account,) = [each for each in self.users.all() if each.user.name == "li.wei"]
        return account

    async def in_redis(self) -> list[str]:
        """All keys of the site in Redis."""
        mine = f"forewarn:{self.settings.topic_prefix}{self.settings.group}:*"
        return [key.decode() async for key in self.store.redis.scan_iter(mine)]

    async def left(self, kind: str) -> int:
        """The seconds until the only key of a kind expires."""
        (key,) = [key for key in await self.in_redis() if f":{kind}:" in key]
        left: int = await self.store.redis.ttl(key)
        return left

    async def fail(self, name: str = "li.wei", address: str = HERE) -> None:
        """Try to sign in with a wrong password."""
        with pytest.raises(SignInError):
            await self.door.sign_in(name, "wrong", address)

    def noted(self) -> list[tuple[object, ...]]:
        """The entries of the audit log, without the first one about adding the user."""
        found = [json.loads(line) for line in self.audit.read_text().splitlines()][1:]
        return [(line["did"], line["who"], line["details"].get("reason")) for line in found]


@pytest_asyncio.fixture
async def site(valkey: str, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A site with one officer."""
    site = Site(Settings(redis=valkey, topic_prefix=topic_prefix), tmp_path)
    yield site
    await site.store.close()


async def test_who_signs_in_is_known_until_he_signs_out(site: Site) -> None:
    token = await site.door.sign_in(" Li.Wei ", GOOD, HERE)
    assert await site.door.user_of_session(token) == LI
    await site.door.sign_out(token)
    assert await site.door.user_of_session(token) is None
    await site.door.sign_out(token)
    assert site.noted() == [("sign-in", "li.wei", None), ("sign-out", "li.wei", None)]


async def test_no_token_is_in_redis(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    keys = await site.in_redis()
    values = [(await site.store.redis.dump(key) or b"").decode(errors="replace") for key in keys]
    assert len(keys) == 2
    assert len(token) >= 43
    assert not any(token in text or csrf_of(token) in text for text in (*keys, *values))
    assert await site.sessions.find("") is None
    assert await site.sessions.find(keys[0].rpartition(":")[2]) is None


async def test_a_session_ends_when_nothing_is_asked_for_a_while(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    (key,) = [key for key in await site.in_redis() if ":session:" in key]
    await site.store.redis.expire(key, 10)
    assert await site.sessions.find(token) is not None
    assert IDLE - 5 <= await site.left("session") <= IDLE
    await site.store.redis.expire(key, 0)
    assert await site.sessions.find(token) is None


async def test_a_session_ends_after_twelve_hours_however_busy_it_is(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    site.now += LONGEST - 1
    assert await site.sessions.find(token) is not None
    site.now += 1
    assert await site.sessions.find(token) is None
    assert not [key for key in await site.in_redis() if ":session:" in key]


async def test_all_sessions_of_a_user_end_together_and_nobody_elses(site: Site) -> None:
    site.users.add(user("zhao", "auditor"), GOOD, by="os:root")
    mine = [await site.door.sign_in("li.wei", GOOD, HERE) for _ in range(3)]
    other = await site.door.sign_in("zhao", GOOD, HERE)
    assert await site.sessions.end_all("li.wei") == 3
    assert await site.sessions.end_all("li.wei") == 0
    assert [await site.door.user_of_session(token) for token in mine] == [None] * 3
    assert await site.door.user_of_session(other) is not None


async def test_a_change_ends_sessions_even_if_redis_was_never_told(site: Site) -> None:
    changes: list[Callable[[], None]] = [
        lambda: site.users.disable("li.wei", by="x"),
        lambda: site.users.set_password("li.wei", GOOD, by="x"),
    ]
    for change in changes:
        token = await site.sessions.begin(site.li)
        assert await site.door.user_of_session(token) == LI
        change()
        assert await site.door.user_of_session(token) is None
        site.users.enable("li.wei", by="x")
        assert await site.door.user_of_session(token) is None


async def test_whoever_is_disabled_by_hand_in_the_file_is_refused_too(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    site.file.write_text(site.file.read_text().replace('"disabled": false', '"disabled": true'))
    assert site.li.user.disabled
    assert await site.door.user_of_session(token) is None


async def test_another_role_holds_from_the_next_request_on(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    site.users.assign("li.wei", "sub-bureau", "sb-01", by="os:root")
    who = await site.door.user_of_session(token)
    assert who is not None
    assert (who.role, who.unit) == ("sub-bureau", "sb-01")


async def test_what_a_form_carries_belongs_to_one_session(site: Site) -> None:
    one, other = await site.sessions.begin(site.li), await site.sessions.begin(site.li)
    assert is_csrf_of(one, csrf_of(one))
    assert not is_csrf_of(one, csrf_of(other))
    assert not is_csrf_of(one, "")
    assert not is_csrf_of(one, "é")


async def test_the_ended_sessions_of_somebody_who_comes_daily_do_not_pile_up(site: Site) -> None:
    for _ in range(10):
        await site.sessions.end(await site.sessions.begin(site.li))
        site.now += LONGEST / 2 + 1
    (key,) = [key for key in await site.in_redis() if ":sessions-of:" in key]
    assert await site.store.redis.zcard(key) <= 2
    assert await site.left("sessions-of") <= LONGEST


async def test_after_five_failures_the_right_password_is_refused_too_and_the_error_says_how_long(site: Site) -> None:
    for _ in range(5):
        await site.fail()
    for _ in range(3):
        with pytest.raises(TooManyAttemptsError, match=r"wait 15 minutes\."):
            await site.door.sign_in("li.wei", GOOD, THERE)
    refused = ("sign-in-refused", "li.wei")
    assert site.noted() == [(*refused, "password")] * 5 + [(*refused, "too-many-attempts")]
    (key,) = [key for key in await site.in_redis() if ":attempts-of-name:" in key]
    await site.store.redis.delete(key)
    assert await site.door.sign_in("li.wei", GOOD, THERE)


async def test_failures_are_forgotten_by_themselves_and_by_success(site: Site) -> None:
    await site.fail()
    assert 295 <= await site.left("attempts-of-name") <= 300
    for _ in range(3):
        for _ in range(3):
            await site.fail()
        await site.door.sign_in("li.wei", GOOD, HERE)


async def test_success_does_not_wash_an_address_clean(site: Site) -> None:
    """Somebody with their own account tries the accounts of others in between."""
    site.attempts = Attempts(site.store, Limits(of_address=4))
    site.door = Authenticator(site.users, site.sessions, site.attempts, AuditLog(site.audit, KEYS))
    for number in range(4):
        await site.fail(f"user-{number}")
        if number < 3:
            await site.door.sign_in("li.wei", GOOD, HERE)
    with pytest.raises(TooManyAttemptsError):
        await site.door.sign_in("li.wei", GOOD, HERE)
    assert await site.door.sign_in("li.wei", GOOD, THERE)


async def test_a_hundred_attempts_at_once_are_five(site: Site) -> None:
    tried = await asyncio.gather(*(site.attempts.take("li.wei", HERE) for _ in range(100)), return_exceptions=True)
    assert tried.count(None) == 5
    refused = [each for each in tried if isinstance(each, TooManyAttemptsError)]
    assert len(refused) == 95
    assert sum(each.first for each in refused) == 1


async def test_an_unknown_name_is_refused_like_any_other_and_noted_as_a_pseudonym(site: Site) -> None:
    with pytest.raises(SignInError) as unknown:
        await site.door.sign_in("my-password-in-the-wrong-field", "x", HERE)
    with pytest.raises(SignInError) as wrong:
        await site.door.sign_in("li.wei", "x", HERE)
    assert str(unknown.value) == str(wrong.value)
    assert site.noted()[0] == ("sign-in-refused", "unknown", "unknown")
    assert "my-password" not in site.audit.read_text()
    assert not any("my-password" in key for key in await site.in_redis())


@pytest.mark.parametrize("odd", ["\ud800", "\0", "x" * 100_000, ""])
async def test_whatever_is_sent_is_refused_in_order(site: Site, odd: str) -> None:
    await site.fail(odd)
    with pytest.raises(SignInError):
        await site.door.sign_in("li.wei", odd, HERE)
    with pytest.raises(SignInError):
        await site.door.sign_in(odd, odd, HERE)


async def test_a_session_that_another_version_has_written_has_ended(site: Site) -> None:
    token = await site.sessions.begin(site.li)
    (key,) = [key for key in await site.in_redis() if ":session:" in key]
    await site.store.redis.set(key, b'{"user": 1}')
    assert await site.door.user_of_session(token) is None


async def test_a_system_comes_in_with_its_token(site: Site) -> None:
    token = site.users.add_token("li.wei", "dispatch", by="os:root")
    assert site.door.user_of_token(token) == LI
    assert site.door.user_of_token("forewarn_") is None
    assert await site.door.user_of_session(token) is None


async def test_what_cannot_be_noted_lets_nobody_in(site: Site) -> None:
    site.audit.unlink()
    site.audit.mkdir()
    with pytest.raises(AuditError):
        await site.door.sign_in("li.wei", GOOD, HERE)
    assert not [key for key in await site.in_redis() if ":session:" in key]


async def test_without_redis_nobody_comes_in_and_the_sentence_says_so(tmp_path: Path) -> None:
    site = Site(Settings(redis="redis://user:hush@127.0.0.1:1/0"), tmp_path)
    for asked in (site.door.sign_in("li.wei", GOOD, HERE), site.door.user_of_session("x")):
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1/0 does not answer") as caught:
            await asked
        assert "hush" not in str(caught.value)
    await site.store.close()
