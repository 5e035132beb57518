"""The fingerprint of the site secret in Redis, on a real Valkey."""

from __future__ import annotations

import asyncio

import pytest

from models.access.site_secret import fingerprint
from streams.checkup import redis_servers
from streams.redis.client import Redis
from streams.redis.site_secret import OtherSecretError, check_secret, key, recorded
from streams.setting_fields import SettingsError
from streams.settings import Settings

SECRET, OTHER = "a secret that only the tests know", "a secret of quite another city here"


def site(valkey: str, topic_prefix: str, secret: str | None = SECRET) -> Settings:
    """A site of its own."""
    return Settings(redis=valkey, topic_prefix=topic_prefix, secret=secret)


async def check(settings: Settings) -> str:
    """Start a program, as far as its secret goes; returns the fingerprint that is recorded then."""
    redis = Redis(settings)
    try:
        await check_secret(redis, settings)
        return await recorded(redis, settings)
    finally:
        await redis.aclose()


@pytest.mark.live
async def test_the_first_program_records_its_secret_and_another_secret_is_refused(
    valkey: str, topic_prefix: str
) -> None:
    """Two workers with two secrets would give one person's alerts two names."""
    assert await check(site(valkey, topic_prefix)) == fingerprint(SECRET)
    assert await check(site(valkey, topic_prefix)) == fingerprint(SECRET)
    with pytest.raises(OtherSecretError) as caught:
        await check(site(valkey, topic_prefix, OTHER))

    assert fingerprint(SECRET) in str(caught.value)
    assert fingerprint(OTHER) in str(caught.value)
    assert SECRET not in str(caught.value)
    assert key(site(valkey, topic_prefix)) in str(caught.value)


@pytest.mark.live
async def test_a_program_without_a_secret_is_told_how_to_make_one(valkey: str, topic_prefix: str) -> None:
    with pytest.raises(SettingsError, match=r"openssl rand -hex 32 > FILE.*FOREWARN_SECRET_FILE"):
        await check(site(valkey, topic_prefix, None))


@pytest.mark.live
def test_doctor_compares_the_secret_with_that_of_the_other_programs(valkey: str, topic_prefix: str) -> None:
    """It never shows the secret itself."""

    def said(secret: str | None) -> tuple[str, str]:
        (found,) = redis_servers.secret(site(valkey, topic_prefix, secret))
        return found.state, found.says

    before = said(SECRET)
    asyncio.run(check(site(valkey, topic_prefix)))
    found = {secret: said(secret) for secret in (SECRET, OTHER, None)}

    assert before == ("good", f"has the fingerprint {fingerprint(SECRET)}, and no program has used one yet")
    assert {secret: state for secret, (state, _) in found.items()} == {SECRET: "good", OTHER: "bad", None: "bad"}
    assert not any(SECRET in says or OTHER in says for _, says in found.values())
