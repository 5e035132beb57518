"""A guarded Kafka: programs log in over TLS with SCRAM, and whatever no access rule allows is refused.

A second listener without a login is for the tests' own super user; at a site there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import KafkaAdminClient, UserScramCredentialUpsertion

from streams.local import broker
from streams.local.jars import find_java, kafka_jars
from streams.local.ports import LOOPBACK, any_free_port
from streams.local.process import ProcessId, Server
from tests.certificates import certificate

PASSWORD = "a password that only tests know"
MECHANISM = "SCRAM-SHA-512"


def _guards(port: int, controller_port: int, secure_port: int) -> str:
    """What is added to the usual configuration; of two lines with one name the later one counts."""
    return f"""
listeners=CLIENTS://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port},SASL_SSL://{LOOPBACK}:{secure_port}
advertised.listeners=CLIENTS://{LOOPBACK}:{port},SASL_SSL://{LOOPBACK}:{secure_port}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
listener.name.sasl_ssl.sasl.enabled.mechanisms={MECHANISM}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=server.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
"""


@dataclass(frozen=True)
class GuardedKafka:
    """A running broker: two addresses, and the authority that its certificate needs."""

    super_user: str
    """Where nobody logs in and everything is allowed."""
    kafka: str
    ca: Path

    def add_users(self, *users: str) -> None:
        """Add users, all with the same password and without any right."""
        with KafkaAdminClient(bootstrap_servers=self.super_user) as admin:
            added = admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, MECHANISM, PASSWORD) for user in users]
            )
        assert not any(added.values()), added

    def login(self, user: str) -> dict[str, str]:
        """The variables with which a program logs in as this user."""
        return {
            "FOREWARN_KAFKA": self.kafka,
            "FOREWARN_KAFKA_TLS_CA": str(self.ca),
            "FOREWARN_KAFKA_SASL_MECHANISM": MECHANISM,
            "FOREWARN_KAFKA_SASL_USERNAME": user,
            "FOREWARN_KAFKA_SASL_PASSWORD": PASSWORD,
        }


@contextmanager
def guarded_kafka(folder: Path, watch: Callable[[ProcessId], None]) -> Iterator[GuardedKafka]:
    """Start the broker in a folder; it ends with the block."""
    port, controller_port, secure_port = any_free_port(), any_free_port(), any_free_port()
    java, jars = find_java(), kafka_jars()
    broker.write_configuration(folder, port, controller_port)
    with (folder / "server.properties").open("a", encoding="utf-8") as properties:
        properties.write(_guards(port, controller_port, secure_port))
    cert, key = certificate(folder)
    (folder / "server.pem").write_text(key.read_text() + cert.read_text())
    broker.format_storage(folder, java, jars)
    server = Server(broker.launch(folder, java, jars, port, broker.HEAP_MEGABYTES), watch)
    try:
        server.start()
        server.wait()
        yield GuardedKafka(f"{LOOPBACK}:{port}", f"{LOOPBACK}:{secure_port}", cert)
    finally:
        server.stop()
