"""Stories: records given to one partition one by one, with every resulting alert checked against the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import jsonschema

from models.base.durations import SECOND
from models.detection.alerts import Alert, encode
from models.detection.partition import Partition
from models.detection.signals import SignalRecord
from models.events.event import Call, Sms
from tests.strategies import T0, ToldEngine, clock, engine

SCHEMA = json.loads((Path(__file__).parent.parent / "schemas" / "alerts-v1.json").read_text(encoding="utf-8"))


class Story:
    """One partition. Each record is a step, and every resulting alert is checked against the contract."""

    def __init__(self, deciding: ToldEngine | None = None) -> None:
        self.engine = deciding or engine()
        self.partition = Partition(0)
        self.engine.step(self.partition, calls=clock(-1))

    def tell(self, *records: Call | Sms | SignalRecord) -> list[Alert]:
        """The alerts that follow from these records, given one by one."""
        alerts: list[Alert] = []
        for record in records:
            if isinstance(record, Call):
                alerts += self.engine.step(self.partition, calls=[record]).alerts
            elif isinstance(record, Sms):
                alerts += self.engine.step(self.partition, sms=[record]).alerts
            else:
                alerts += self.engine.step(self.partition, signals=[record]).alerts
        return sound(alerts)

    def wait(self, until: int) -> list[Alert]:
        """The alerts that are due after strangers' calls have moved the clock on."""
        return sound(self.engine.step(self.partition, calls=clock(until)).alerts)


def sound(alerts: list[Alert]) -> list[Alert]:
    """The alerts, each checked: it follows the contract, and its words contain no number."""
    for alert in alerts:
        jsonschema.validate(json.loads(encode(alert)), SCHEMA)
        for reason in alert.reasons:
            assert not re.search(r"\d{7}", reason.zh + reason.en)
            assert "{" not in reason.zh + reason.en
    return alerts


def said(alerts: Sequence[Alert]) -> list[str]:
    """The severity, status and stage of each alert, and its time in seconds."""
    return [f"{each.severity} {each.status} {each.stage} {(each.at - T0) // SECOND}" for each in alerts]


def why(alert: Alert) -> list[str]:
    """The codes of the alert's reasons."""
    return [reason.code for reason in alert.reasons]
