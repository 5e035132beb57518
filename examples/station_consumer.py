"""A small example of a station's own software: it reads its orders from Kafka, shows them and acknowledges them.

It needs only kafka-python. It handles each snapshot of a case at least once: it commits the offset afterwards. A file
remembers the handled snapshots, so one that comes again is recognised.

    python examples/station_consumer.py --unit ps-0101 --acknowledge 000042
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, KafkaProducer

OVER = ("withdrawn", "closed")


def arguments() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(description="Take a station's orders from Kafka.")
    parser.add_argument("--kafka", default="127.0.0.1:9092", help="Kafka's bootstrap servers")
    parser.add_argument("--prefix", default="", help="the prefix of the site's topic names")
    parser.add_argument("--unit", required=True, help="the station, for example ps-0101")
    parser.add_argument("--acknowledge", metavar="OFFICER", help="acknowledge each order as this officer")
    parser.add_argument("--handled", default="handled.sqlite", help="the file that remembers the handled snapshots")
    parser.add_argument("--seconds", type=float, help="end after this many seconds without an order")
    return parser.parse_args()


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


def orders(consumer: KafkaConsumer, seconds: float | None) -> Iterator[Any]:
    """The records of the topic, for ever or until none has come for ``seconds``."""
    last = time.monotonic()
    while seconds is None or time.monotonic() - last < seconds:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                yield record
                last = time.monotonic()


def show(case: dict[str, Any], unit: str) -> str:
    """One line for an officer. The person's number is masked, because such lines end up in logs."""
    number = case["subscriber"]
    masked = "*****" + number[-2:]
    if case["unit"] != unit:
        return f"{case['case']}: gone to {case['unit']}"
    if case["status"] in OVER:
        return f"{case['case']}: {case['status']}"
    left = (case.get("acknowledge_by") or case.get("call_by") or case.get("visit_by") or 0) / 1000 - time.time()
    due = f"{left / 60:.0f} min left" if left > 0 else "no deadline ahead"
    why = "; ".join(reason["zh"] for reason in case["reasons"][:2])
    return f"{case['case']}: {case['severity']} {case['status']}, {masked}, {case['scam_type']}, {due}: {why}"


def acknowledgement(case: dict[str, Any], unit: str, officer: str) -> dict[str, Any]:
    """The feedback that acknowledges an order; the same order always gives the same id."""
    about = f"{case['case']} {case['since']} {unit} acknowledged"
    return {
        "id": hashlib.sha256(about.encode()).hexdigest()[:24],
        "case": case["case"],
        "kind": "acknowledged",
        "at": int(time.time() * 1000),
        "unit": unit,
        "officer": officer,
    }


def main() -> None:
    """Handle orders until Ctrl-C."""
    asked = arguments()
    handled = Handled(asked.handled)
    producer = KafkaProducer(bootstrap_servers=asked.kafka, acks="all")
    consumer = KafkaConsumer(
        f"{asked.prefix}dispatch",
        bootstrap_servers=asked.kafka,
        group_id=f"{asked.prefix}station-{asked.unit}",
        isolation_level="read_committed",  # the dispatcher writes in transactions
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    try:
        for record in orders(consumer, asked.seconds):
            if record.value is None:
                continue  # a case that ended long ago was deleted
            case = json.loads(record.value)
            mine = case["unit"] == asked.unit or asked.unit in case.get("had", ())
            if mine and not handled.has(case["case"], record.value):
                print(show(case, asked.unit), flush=True)
                if asked.acknowledge and case["status"] == "open" and case["unit"] == asked.unit:
                    said = acknowledgement(case, asked.unit, asked.acknowledge)
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
