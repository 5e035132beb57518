"""A small example of a city's dispatch platform: it reads all cases from Kafka, shows them and acknowledges orders.

Kafka shows its readers the cases of the whole city, so this is for the centre's own systems. A station's software uses
the API: `station_client.py`. It needs only kafka-python. Its login has the rights of `dispatch-platform`, which
`forewarn topics acl` grants. It handles each snapshot of a case at least once: it commits the offset afterwards. A file
remembers the handled snapshots, so one that comes again is recognised.

    KAFKA_PASSWORD=... python examples/centre_consumer.py --kafka kafka.example:9093 --ca ca.pem --acknowledge 000042
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import ssl
import time
from typing import Any

from kafka import KafkaConsumer, KafkaProducer

OVER = ("withdrawn", "closed")


def arguments() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(description="Take a city's orders from Kafka.")
    parser.add_argument("--kafka", required=True, help="Kafka's bootstrap servers")
    parser.add_argument("--ca", help="PEM file of the authorities to trust (default: the system's)")
    parser.add_argument("--user", default="forewarn-dispatch-platform", help="the user name for Kafka")
    parser.add_argument("--prefix", default="", help="the prefix of the site's topic names")
    parser.add_argument("--acknowledge", metavar="OFFICER", help="acknowledge each order as this officer of its unit")
    parser.add_argument("--handled", default="handled.sqlite", help="the file that remembers the handled snapshots")
    return parser.parse_args()


def connection(asked: argparse.Namespace) -> dict[str, Any]:
    """The options of every client: TLS with a checked host name, and a SCRAM login whose password is never sent."""
    return {
        "bootstrap_servers": asked.kafka,
        "security_protocol": "SASL_SSL",
        "ssl_context": ssl.create_default_context(cafile=asked.ca),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": asked.user,
        "sasl_plain_password": os.environ["KAFKA_PASSWORD"],  # arguments can be seen by other users of the machine
    }


class Handled:
    """The handled snapshots: for each case a digest of the newest one, on disk."""

    def __init__(self, path: str) -> None:
        self._file = sqlite3.connect(path)
        self._file.execute("CREATE TABLE IF NOT EXISTS handled (name TEXT PRIMARY KEY, digest TEXT NOT NULL)")

    def has(self, case: str, value: bytes) -> bool:
        """Whether this snapshot is the last one that was handled for its case."""
        row = self._file.execute("SELECT digest FROM handled WHERE name = ?", (case,)).fetchone()
        return row is not None and row[0] == hashlib.sha256(value).hexdigest()

    def note(self, case: str, value: bytes) -> None:
        """Remember that this snapshot was handled."""
        digest = hashlib.sha256(value).hexdigest()
        with self._file:
            self._file.execute("INSERT OR REPLACE INTO handled VALUES (?, ?)", (case, digest))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def show(case: dict[str, Any]) -> str:
    """One line for the unit's officers. The person's number is masked, because such lines end up in logs."""
    masked = "*****" + case["subscriber"][-2:]
    if case["status"] in OVER:
        return f"{case['case']} at {case['unit']}: {case['status']}"
    left = (case.get("acknowledge_by") or case.get("call_by") or case.get("visit_by") or 0) / 1000 - time.time()
    due = f"{left / 60:.0f} min left" if left > 0 else "no deadline ahead"
    if missed := [each["at"] for each in case.get("missed", ())]:
        due = f"overdue {(time.time() - min(missed) / 1000) / 60:.0f} min"
    why = "; ".join(reason["zh"] for reason in case["reasons"][:2])
    what = f"{case['severity']} {case['status']}, {masked}, {case['scam_type']}, {due}: {why}"
    return f"{case['case']} at {case['unit']}: {what}"


def acknowledgement(case: dict[str, Any], officer: str) -> dict[str, Any]:
    """The feedback by which the case's unit acknowledges an order; the same order always gives the same id."""
    # An escalation asks again: the units above that got the case tell its orders apart.
    about = f"{case['case']} {case['since']} {case['unit']} {' '.join(case.get('above', ()))} acknowledged"
    return {
        "id": hashlib.sha256(about.encode()).hexdigest()[:24],
        "case": case["case"],
        "kind": "acknowledged",
        "at": int(time.time() * 1000),
        "unit": case["unit"],
        "officer": officer,
    }


def main() -> None:
    """Handle orders until Ctrl-C."""
    asked = arguments()
    handled = Handled(asked.handled)
    producer = KafkaProducer(**connection(asked), acks="all")
    consumer = KafkaConsumer(
        f"{asked.prefix}dispatch",
        **connection(asked),
        group_id=f"{asked.prefix}dispatch-platform.orders",  # its login may use groups that begin so
        isolation_level="read_committed",  # the dispatcher writes in transactions
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        for record in consumer:
            if record.value is None:
                continue  # a case that ended long ago was deleted
            case = json.loads(record.value)
            if not handled.has(case["case"], record.value):
                print(show(case), flush=True)
                if asked.acknowledge and case["status"] == "open":
                    said = acknowledgement(case, asked.acknowledge)
                    topic, key = f"{asked.prefix}dispatch-feedback", case["case"].encode()
                    producer.send(topic, key=key, value=json.dumps(said).encode()).get(timeout=30)
                handled.note(case["case"], record.value)
            consumer.commit()
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()
        producer.close()
        handled.close()


if __name__ == "__main__":
    main()
