"""The dispatcher on the real Kafka: from an alert to an outcome, killed midway, replaced, and given invalid records."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from models.casework.bulletin import Bulletin
from models.detection.alerts import encode
from models.policy.policy import Severity
from streams.cli import cli
from streams.local.worker import metric
from streams.settings import Settings
from tests.casework import alert, feedback
from tests.live.conftest import Servers
from tests.site import ROOT, Record, Site, until

NOW = int(time.time() * 1000)
"""The event time of every alert: what is long ago sends nobody."""
FAST = "    urgent: {acknowledge: 0.05, call: 0.1, visit: 0.15}"


@pytest.fixture
def desk(stack: Servers, topic_prefix: str, tmp_path: Path) -> Iterator[Site]:
    """A site with its topics, for one test, without a worker."""
    site = Site(Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix), tmp_path)
    site.apply_topics()
    yield site
    site.tell()
    site.stop()


def told(number: int, severity: Severity = "urgent", **more: Any) -> Record:
    """The record of an alert about the person and the episode with this number."""
    subscriber = f"86100000{number:05d}"
    record: Record = json.loads(
        encode(alert(severity, episode=f"e{number}", subscriber=subscriber, **{"at": NOW} | more))
    )
    return record


def said(kind: str, number: int, id: str, **more: Any) -> Record:
    """A feedback record of an action that happens now."""
    record: Record = msgspec.to_builtins(feedback(kind, int(time.time() * 1000), id=id, case=f"e{number}", **more))
    return {name: value for name, value in record.items() if value not in (None, "")}


def cases(site: Site) -> dict[str, Record]:
    """The newest snapshot of each case."""
    return {record.key.decode(): json.loads(record.value) for record in site.read("dispatch") if record.value}


def status(site: Site, number: int) -> str | None:
    """The status in the newest snapshot of a case."""
    case = cases(site).get(f"e{number}")
    return None if case is None else str(case["status"])


def test_from_an_alert_to_an_outcome_and_into_the_bulletin(desk: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week later, the bulletin counts the person with the order, and seven whom an alert had reminded."""
    for number in range(2, 9):
        desk.send("alerts", told(number, "low", cell="001-01-3-0") | {"stage": "shallow"})
    desk.send("subscribers", {"subscriber": "8610000000001", "station": "ps-0205", "flags": ["lives-alone"]})
    _, http = desk.start_dispatcher()
    desk.send("alerts", told(1))
    case = until(lambda: cases(desk).get("e1", {}))
    assert (case["unit"], case["person"]) == ("ps-0205", {"flags": ["lives-alone"]})

    desk.send("dispatch-feedback", said("acknowledged", 1, "f1"))
    desk.send("dispatch-feedback", said("attempt", 1, "f2", means="call", reached=True))
    desk.send("dispatch-feedback", said("outcome", 1, "f3", outcome="dissuaded"))
    until(lambda: status(desk, 1) == "closed")

    assert metric(http, "forewarn_outcomes_total", outcome="dissuaded") == 1
    assert metric(http, "forewarn_open_cases") == 0
    assert metric(http, "forewarn_reach_seconds_count") == 1
    monkeypatch.setattr("streams.cli.bulletin._now", lambda: int(time.time() * 1000) + 7 * 86_400_000)
    result = CliRunner().invoke(cli, ["bulletin", "--unit", "ps-0101", "--json"], env=desk.environ)
    assert result.exit_code == 0, result.stderr
    found = msgspec.json.decode(result.stdout, type=Bulletin)
    assert (found.unit, found.period, found.now.people, found.now.reminded) == ("centre", "week", 10, None)


def test_deadlines_go_on_while_the_dispatcher_is_away(desk: Site) -> None:
    policy = desk.folder / "policy.yaml"
    lines = (ROOT / "policy.yaml").read_text(encoding="utf-8").splitlines()
    policy.write_text("\n".join(FAST if "urgent: {ack" in line else line for line in lines), encoding="utf-8")
    first, _ = desk.start_dispatcher(FOREWARN_POLICY_FILE=str(policy))
    desk.send("alerts", told(1))
    case = until(lambda: cases(desk).get("e1", {}))
    first.kill()
    time.sleep(max(0.0, case["acknowledge_by"] / 1000 - time.time()))
    desk.start_dispatcher(FOREWARN_POLICY_FILE=str(policy))
    case = until(lambda: next((each for each in cases(desk).values() if each["tier"] == "city"), {}))

    assert (case["unit"], case["above"]) == ("sb-01", ["centre"])
    assert case["missed"][0] == {"deadline": "acknowledge", "at": case["opened"] + 3000}
    assert [entry["kind"] for entry in case["history"][:2]] == ["opened", "escalated"]
    assert case["history"][1]["at"] == case["opened"] + 3000


def test_a_second_dispatcher_takes_over_and_the_first_one_ends(desk: Site) -> None:
    first, _ = desk.start_dispatcher()
    desk.send("alerts", told(1))
    until(lambda: status(desk, 1))
    desk.start_dispatcher()
    desk.send("alerts", told(2))
    until(lambda: status(desk, 2))
    until(lambda: not first.runs)

    assert "Another dispatcher has taken over" in first.launch.log.read_text(encoding="utf-8")
    assert len([record for record in desk.read("dispatch") if record.value]) == 2


def test_what_cannot_be_said_is_put_aside_with_its_reason_and_disturbs_nobody(desk: Site) -> None:
    desk.start_dispatcher()
    desk.send("alerts", told(1))
    until(lambda: status(desk, 1))
    desk.send(
        "dispatch-feedback",
        said("acknowledged", 9, "f1"),
        said("acknowledged", 1, "f2", unit="ps-0401"),
        said("outcome", 1, "f3", unit="sb-01", outcome="already-harmed"),
        said("note", 1, "f4", note="x") | {"note": "x" * 1_000_000},
        {"case": "e1", "kind": "dance"},
        said("outcome", 1, "f7", unit="sb-01", outcome="dissuaded"),
        said("attempt", 1, "f8", unit="sb-01", means="call", reached=True, answered=None, rule=1),
    )
    with desk.producer() as producer:
        name = desk.settings.topic("dispatch-feedback")
        producer.send(name, key=b"e1", value=b"{\xff")
        producer.send(name, key=b"e1", value=None)
        producer.send(name, key=b"e2", value=json.dumps(said("acknowledged", 1, "f5")).encode())
        producer.send(desk.settings.topic("alerts"), key=b"8610000000001", value=b"[]")
    desk.send("dispatch-feedback", said("acknowledged", 1, "f6", unit="sb-01"))
    until(lambda: status(desk, 1) == "acknowledged")
    letters = until(lambda: found if len(found := desk.letters()) == 11 else [])

    reasons = [letter.said["reason"] for letter in letters]
    parsed = ["not-an-object", "not-utf8", "tombstone", "wrong-field", "wrong-field", "wrong-key"]
    assert sorted(reasons) == sorted(
        ["another-units-case", "incomplete", "not-reached", "old-rule", "unknown-case", *parsed]
    )
    assert "dance" not in "".join(letter.said["detail"] for letter in letters)
