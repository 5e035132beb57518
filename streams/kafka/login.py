"""Login: the error that says that Kafka does not take a program's user or password, which no waiting mends."""

from __future__ import annotations


class LoginRefusedError(Exception):
    """Kafka refuses the login; one sentence says where, whose, and which settings to correct.

    It is no error of Kafka's clients on purpose: aiokafka would take it for a server that is away, and go on trying.
    """


def refusal(kafka: str, user: str | None, why: str) -> str:
    """The sentence about a refused login; ``why`` is what the client says."""
    return (
        f"Kafka at {kafka} refuses the login of {user or 'a client without a user'} ({why}): correct "
        "FOREWARN_KAFKA_SASL_USERNAME, FOREWARN_KAFKA_SASL_PASSWORD_FILE or FOREWARN_KAFKA_SASL_MECHANISM."
    )
