"""A one-node Kafka: its configuration, its commands and the check whether it serves.

The broker runs in its own folder, and its configuration uses paths relative to that folder. So the folder can be moved,
and its name may contain any character.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from functools import partial
from pathlib import Path

from streams.local import LocalStackError
from streams.local.login import Login, write_private
from streams.local.ports import LOOPBACK, listens
from streams.local.process import Launch

USUAL_PORT = 9092
HEAP_MEGABYTES = 512
# Measured on two cores with 250-byte records and acks=all. Against the JVM's choice (G1, both compilers), the
# serial collector and the quick compiler start in 2.3 s instead of 4.2 s, and 2 million records cost 6.8 s of
# processor time instead of 15.8 s; against the serial collector alone, 10 million cost 18.6 s, not 34.1 s.
# The heap is small and the page cache does the work: neither G1 nor the optimizing compiler pays here.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Djava.io.tmpdir=tmp")

LOG4J = """\
status = warn
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = server.log
appender.file.filePattern = server.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %p %m (%c)%n%throwable
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""

LOGIN = """\
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.clients.plain.sasl.jaas.config={jaas}
listener.name.controller.plain.sasl.jaas.config={jaas}"""


def server_properties(port: int, controller_port: int, login: Login | None = None) -> str:
    """The broker's configuration: KRaft, broker and controller in one process, loopback only, one replica.

    With a ``login`` its clients, the broker itself among them, have to log in.
    """
    protocol = "PLAINTEXT" if login is None else "SASL_PLAINTEXT"
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{LOOPBACK}:{controller_port}
controller.listener.names=CONTROLLER
listeners=CLIENTS://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}
advertised.listeners=CLIENTS://{LOOPBACK}:{port}
inter.broker.listener.name=CLIENTS
listener.security.protocol.map=CLIENTS:{protocol},CONTROLLER:{protocol}
{"" if login is None else LOGIN.format(jaas=login.jaas())}
log.dirs=data
# Topics are contracts: they are applied from topics.yaml and never appear by a typing error.
auto.create.topics.enable=false
num.partitions=8
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# A broker that was killed may register again once its former session is over (else after 9 s).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A worker that joins alone need not wait for others.
group.initial.rebalance.delay.ms=0
message.max.bytes=2097152
replica.fetch.max.bytes=2097152
"""


def write_configuration(folder: Path, port: int, controller_port: int, login: Login | None = None) -> None:
    """Write the broker's and its logger's configuration into its folder."""
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    write_private(folder / "server.properties", server_properties(port, controller_port, login))
    (folder / "log4j2.properties").write_text(LOG4J, encoding="utf-8")


def java_command(java: Path, jars: Path, heap_megabytes: int, main_class: str, *arguments: str) -> tuple[str, ...]:
    """Build the command that runs one of Kafka's main classes in the broker's folder."""
    return (
        str(java),
        f"-Xmx{heap_megabytes}m",
        *JVM,
        "-Dlog4j2.configurationFile=log4j2.properties",
        "-cp",
        f"{jars}/*",
        main_class,
        *arguments,
    )


def launch(
    folder: Path,
    java: Path,
    jars: Path,
    port: int,
    heap_megabytes: int,
    keep_open: tuple[int, ...] = (),
    login: Login | None = None,
) -> Launch:
    """How the broker is started over the data and the configuration in its folder, which has the same ``login``."""
    return Launch(
        name="Kafka",
        command=java_command(java, jars, heap_megabytes, "kafka.Kafka", "server.properties"),
        folder=folder,
        log=folder / "console.log",
        answers=partial(answers, port, login),
        keep_open=keep_open,
    )


def format_storage(folder: Path, java: Path, jars: Path) -> None:
    """Format the broker's storage, which Kafka requires before its first start; formatted storage is left unchanged.

    Blocks for about a second. Raises LocalStackError when Kafka refuses.
    """
    if (folder / "data" / "meta.properties").exists():
        return
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "_")
    command = java_command(
        java, jars, 128, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties"
    )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[:1]
        raise LocalStackError(
            f"Kafka could not format its storage in {folder / 'data'}: {' '.join(said) or 'it said nothing'}"
        )


def answers(port: int, login: Login | None = None) -> bool:
    """Whether a broker on this loopback port describes itself to a client, which it does only when it serves."""
    if not listens(port):
        return False  # cheaper than a client that tries, and the log stays silent
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        with KafkaAdminClient(
            bootstrap_servers=f"{LOOPBACK}:{port}",
            request_timeout_ms=5_000,
            bootstrap_timeout_ms=5_000,
            **({} if login is None else login.kafka_options()),
        ) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except (KafkaError, OSError):
        return False
