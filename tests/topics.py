"""Topics of tests: they are deleted when a test is over.

Every client that asks for all topics, as many do when they start, gets those of all earlier tests as well. With the
thousands of a whole run, kafka-python took seconds to read the answer, and a test that waits for something ran out of
time.
"""

from __future__ import annotations

from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.kafka.contracts import load

_CONTRACTS = load(Path(__file__).parents[1] / "topics.yaml")


def delete_topics(kafka: str, prefix: str) -> None:
    """Delete the topics of the contracts with this prefix; nothing is deleted when Kafka does not answer."""
    names = [prefix + name for name in _CONTRACTS.topics]
    try:
        with KafkaAdminClient(bootstrap_servers=kafka) as admin:
            admin.delete_topics(names, raise_errors=False)
    except KafkaError:
        pass
