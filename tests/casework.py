"""Casework: made-up alerts and feedback for the dispatch tests, in the city of ``stations.yaml``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from models.casework.board import Board
from models.casework.cases import RULE, Case, Feedback, Outcome, Person, encode
from models.casework.deadlines import Office
from models.casework.routing import parse as parse_stations
from models.detection.alerts import Alert, Reason
from models.detection.alerts import Status as AlertStatus
from models.detection.ids import alert_id
from models.policy.policy import Severity
from models.policy.policy import parse as parse_policy

ROOT = Path(__file__).parent.parent
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "schemas" / "dispatch-v2.json").read_text(encoding="utf-8"))
)
OFFICE = Office(
    parse_policy((ROOT / "policy.yaml").read_bytes()).dispatch,
    parse_stations((ROOT / "stations.yaml").read_bytes()),
)

ANN = "8610000000001"
T0 = 1_760_000_000_000
HOME = "ps-0205"


def alert(
    severity: Severity = "urgent",
    status: AlertStatus = "raised",
    episode: str = "e1",
    subscriber: str = ANN,
    cell: str = "",
    at: int = T0,
    why: str = "talked for 12 minutes with a known fraud number",
) -> Alert:
    """An alert of an episode."""
    return Alert(
        id=alert_id(episode, severity),
        subscriber=subscriber,
        episode=episode,
        severity=severity,
        stage="deep",
        risk=0.9,
        scam_type="impersonated-authority",
        status=status,
        reasons=(Reason("fraud-number-talk", "与已知涉诈号码通话12分钟", why, ("event-c1",)),),
        indicators=("number:99900000001",),
        first_seen=at,
        at=at,
        policy="p",
        model="m@1",
        cell=cell,
    )


def feedback(kind: Any, at: int, id: str = "", unit: str = HOME, case: str = "e1", **more: Any) -> Feedback:
    """Feedback of the home station under the rule of now, with an id derived from its kind, time and unit.

    Who is said to be reached answered, and was known to be the person.
    """
    said = {"rule": RULE} | ({"answered": "person"} if more.get("reached") else {}) | more
    return Feedback(id=id or f"{kind}-{at}-{unit}", case=case, kind=kind, at=at, unit=unit, officer="000042", **said)


class Desk:
    """A board whose every snapshot is checked against the contract."""

    def __init__(self, office: Office = OFFICE) -> None:
        self.board = Board(office, lambda subscriber: (HOME, Person(age_band="60-69")))
        self.said: list[Case] = []

    def alert(self, told: Alert, at: int = T0) -> Case | None:
        """Give the board an alert."""
        return self._sound(self.board.alert(told, at))

    def feedback(self, told: Feedback, at: int | None = None) -> Case | None:
        """Give the board feedback, received at ``at``; by default at the moment of the action."""
        return self._sound(self.board.feedback(told, told.at if at is None else at))

    def talk(self, at: int, unit: str = HOME) -> Case | None:
        """Let an officer speak with the person on the phone."""
        return self.feedback(feedback("attempt", at, unit=unit, means="call", reached=True))

    def end(self, at: int, outcome: Outcome = "dissuaded", unit: str = HOME, **more: Any) -> Case | None:
        """Let an officer speak with the person and close the case."""
        self.talk(at, unit)
        return self.feedback(feedback("outcome", at, unit=unit, outcome=outcome, **more))

    def wait(self, until: int) -> list[Case | None]:
        """Let time pass."""
        return [self._sound(case) for _, case in self.board.due(until)]

    def case(self, name: str = "e1") -> Case:
        """A case as it is now."""
        return self.board.cases[name]

    def _sound(self, case: Case | None) -> Case | None:
        if case is not None:
            SCHEMA.validate(json.loads(encode(case)))
            self.said.append(case)
        return case


def steps(case: Case) -> list[str]:
    """The kinds of the entries in a case's history."""
    return [entry.kind for entry in case.history]
