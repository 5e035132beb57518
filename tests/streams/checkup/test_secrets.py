"""Secrets: those that are guessed, borrowed from a local stack, or sent in the clear are told by their variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.checkup.secrets import examined, local_secrets
from streams.local import samples
from streams.settings import Settings

GOOD = "5f2ab8e91c07d3644ab1e8f6c2d97305"
REMOTE = {"kafka": "kafka.example:9093", "redis": f"rediss://:{GOOD}@redis.example:6379/0"}
LOGIN = {
    "kafka_tls_ca": "system",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_sasl_username": "worker",
    "kafka_sasl_password": GOOD,
}


NO_STACK: dict[str, str] = {}


def said(local: dict[str, str], **fields: Any) -> list[str]:
    """What is found wrong with these settings; ``local`` has the secrets of local stacks."""
    return [each.says for each in examined(Settings(**fields), local) if each.state != "good"]


def test_a_site_with_secrets_of_its_own_is_well() -> None:
    assert said(NO_STACK, **REMOTE, **LOGIN, secret=GOOD) == []


def test_a_local_stack_may_have_its_own_secrets_and_no_login() -> None:
    """Nobody else reaches it."""
    assert said({GOOD: ".forewarn/site.secret"}, secret=GOOD) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("secret", "0" * 32), ("secret", "changeme" * 4), ("pseudonym_key", "abababababababab")],
)
def test_a_secret_that_is_easy_to_guess_is_named_by_its_variable(field: str, value: str) -> None:
    """And never shown."""
    (says,) = said(NO_STACK, **{field: value})

    assert says.startswith(f"FOREWARN_{field.upper()} ")
    assert value not in says


@pytest.mark.parametrize("password", ["kafka", "Password", "worker"])
def test_a_usual_password_and_the_name_of_the_user_are_guessed(password: str) -> None:
    (says,) = said(NO_STACK, **REMOTE, **LOGIN | {"kafka_sasl_password": password})

    assert says.startswith("FOREWARN_KAFKA_SASL_PASSWORD ")


def test_a_secret_of_a_local_stack_does_not_serve_a_site(tmp_path: Path) -> None:
    """`forewarn up` has made it here, and its folder is easily copied or deleted."""
    samples.kept(tmp_path)
    local = local_secrets([tmp_path, tmp_path / "none"])
    (secret,) = local
    (says,) = said(local, **REMOTE, **LOGIN, secret=secret)

    assert f"({tmp_path / 'site.secret'})" in says
    assert secret not in says


def test_servers_without_a_login_or_without_tls_are_told() -> None:
    """Each with the variable that mends it."""
    without = said(NO_STACK, kafka="kafka.example:9092", redis="redis://redis.example:6379/0")
    clear = said(
        NO_STACK,
        kafka="kafka.example:9092",
        redis=f"redis://:{GOOD}@redis.example:6379/0",
        **LOGIN | {"kafka_tls_ca": None, "kafka_sasl_mechanism": "PLAIN"},
    )

    assert ["without a login" in without[0], "without a password" in without[1]] == [True, True]
    assert ["FOREWARN_KAFKA_TLS_CA" in clear[0], "rediss://" in clear[1]] == [True, True]
    assert GOOD not in "".join(clear)
