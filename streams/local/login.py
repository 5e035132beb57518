"""Login: the passwords of a local stack's Kafka and Valkey; without them, every user of the machine could use both."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final, NamedTuple

USER: Final = "forewarn"
KAFKA, VALKEY, URL = "kafka.password", "valkey.password", "redis.url"
FILES: Final = (KAFKA, VALKEY, URL)
"""The files in the stack's folder; only its owner can read them."""


class Login(NamedTuple):
    """The passwords of `USER` at Kafka and of Valkey's default user."""

    kafka: str
    valkey: str

    def kafka_options(self) -> dict[str, Any]:
        """Keyword arguments for a client of kafka-python."""
        return {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "PLAIN",
            "sasl_plain_username": USER,
            "sasl_plain_password": self.kafka,
        }

    def jaas(self) -> str:
        """How the broker is told that this user may log in, and how it logs in to itself."""
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        return f'{module} required username="{USER}" password="{self.kafka}" user_{USER}="{self.kafka}";'


def login_of(folder: Path) -> Login:
    """The login of the stack in a folder; makes the passwords on the first call."""
    return Login(*(_kept(folder / name) for name in (KAFKA, VALKEY)))


def variables(folder: Path, redis: str) -> dict[str, str]:
    """The environment variables by which Forewarn's programs log in, where Valkey is at the URL ``redis``.

    They name files, so that no password is seen in an environment or in a list of processes.
    """
    with_password = redis.replace("redis://", f"redis://:{login_of(folder).valkey}@", 1)
    write_private(folder / URL, with_password)
    return {
        "FOREWARN_KAFKA_SASL_MECHANISM": "PLAIN",
        "FOREWARN_KAFKA_SASL_USERNAME": USER,
        "FOREWARN_KAFKA_SASL_PASSWORD": "",  # whatever the shell had must not go before the file
        "FOREWARN_KAFKA_SASL_PASSWORD_FILE": str(folder / KAFKA),
        "FOREWARN_REDIS": "",
        "FOREWARN_REDIS_FILE": str(folder / URL),
    }


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in place of a former one."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _kept(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_hex(32))
    return path.read_text(encoding="utf-8")
