"""The fingerprint of the site secret in Redis, by which a program with another secret than the others is refused.

The first program of a site that starts records it. Without it, two workers with different secrets would give the alerts
of one episode two names, and nobody would notice.
"""

from __future__ import annotations

from models.access.site_secret import fingerprint
from streams.redis.answers import answered
from streams.redis.client import Redis
from streams.settings import Settings


class OtherSecretError(Exception):
    """The site's other programs have another secret; the message says what to do."""


def key(settings: Settings) -> str:
    """The Redis key of the fingerprint."""
    return f"forewarn:{settings.topic_prefix}{settings.group}:secret"


async def recorded(redis: Redis, settings: Settings) -> str:
    """The fingerprint in Redis; empty if there is none. Raises one of `FAILURES`."""
    found = await redis.get(key(settings))
    return found.decode() if isinstance(found, bytes) else ""


async def check_secret(redis: Redis, settings: Settings) -> None:
    """Record the fingerprint of this program's secret, unless there is one. Waits while Redis does not answer.

    Raises `OtherSecretError` when the one that is there belongs to another secret.
    """
    mine = fingerprint(settings.site_secret())
    await answered(lambda: redis.set(key(settings), mine, nx=True), settings)
    theirs = await answered(lambda: recorded(redis, settings), settings)
    if theirs != mine:
        raise OtherSecretError(difference(mine, theirs, settings))


def difference(mine: str, theirs: str, settings: Settings) -> str:
    """The sentence about two fingerprints that differ."""
    return (
        f"The site secret here has the fingerprint {mine}, and the site's programs have used {theirs}: give "
        "FOREWARN_SECRET_FILE the file that they use. If that secret is lost, stop all programs and delete "
        f"{key(settings)} in Redis: the alerts of open episodes are then withdrawn and raised again under other ids."
    )
