"""A site at work on a simulated city: what looking back finds, and how alerts are judged."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bench.quality.verdict import Verdict
from models.base.durations import HOUR, MINUTE
from models.city.acting import Touched, Truth
from models.city.chance import BEGIN
from models.city.city import City
from models.detection.alerts import Alert
from models.detection.risk import AnyContact, PointScore
from models.policy.policy import Policy
from streams.files import policy_file
from streams.settings import Settings
from streams.simulation.cities import Simulated
from streams.simulation.operation import Contender, Issued, Operation
from tests.models.city.test_city import busy


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_file.load(Settings().policy_file)


def standing(city: City, policy: Policy) -> tuple[dict[str, Any], list[Issued]]:
    """The alerts that are still raised at the end, and all alerts issued."""
    operation = Operation(Simulated(city), [Contender(PointScore(), policy)])
    operation.run(lambda hours: None)
    issued = operation.issued[0]
    last = {each.alert.id: each.alert for each in issued}
    return {alert.id: (alert.at, alert.risk) for alert in last.values() if alert.status == "raised"}, issued


class Early(City):
    """A city whose indicators are all known from its first midnight."""

    known: list[Any]

    def indicators(self) -> list[Any]:
        """All indicators of the city, valid from the beginning."""
        return [replace(each, valid_from=BEGIN) for each in self.known]


def test_whoever_is_known_late_has_the_alerts_of_one_known_from_the_beginning(policy: Policy) -> None:
    asked = 2000, 2, 3, busy(60, 30), 0.5, 4.0
    late, early = City(*asked), Early(*asked)
    found, issued = standing(late, policy)
    early.known = late.indicators()
    assert any(each.at > each.alert.at for each in issued)  # look-backs raised some alerts
    assert len(found) > 50
    assert found == standing(early, policy)[0]


def test_a_site_finds_out_whose_numbers_send_known_domains(policy: Policy) -> None:
    city = City(2000, 2, 3, busy(60, 30), 0.5, 4.0)
    operation = Operation(Simulated(city), [Contender(PointScore(), policy)])
    operation.run(lambda hours: None)
    assert operation.derived
    assert {each.type for each in operation.derived} == {"number"}
    gangs = {f"{each.type}:{each.value}" for truth in city.truths for each in truth.indicators}
    assert {each.key for each in operation.derived} <= gangs
    early = {each.alert.id for each in operation.issued[0]}
    alone = replace(policy, pivots=replace(policy.pivots, recipients=10_000))
    without = Operation(Simulated(City(2000, 2, 3, busy(60, 30), 0.5, 4.0)), [Contender(PointScore(), alone)])
    without.run(lambda hours: None)
    assert len({each.alert.id for each in without.issued[0]}) < len(early)


def alert(subscriber: str, at: int, **fields: Any) -> Issued:
    """An alert that was issued at this time."""
    common: dict[str, Any] = {
        "id": f"{subscriber}-{at}",
        "subscriber": subscriber,
        "episode": subscriber,
        "severity": "high",
    }
    common |= {"stage": "medium", "risk": 0.7, "scam_type": "loan", "status": "raised", "reasons": ()}
    common |= {"indicators": (), "first_seen": at, "at": at, "policy": "p", "model": "m"}
    return Issued(Alert(**(common | fields)), at)


def victim(subscriber: str, paid_at: int | None, known_at: int | None, **stages: int) -> Truth:
    """A person whom a gang tried at the first midnight."""
    touched = [Touched("number", "99900000001", BEGIN, BEGIN, known_at)]
    return Truth(subscriber, "loan", "loan", "loan-0-0", BEGIN, stages, paid_at, 1 if paid_at else 0, touched)  # type: ignore[arg-type]


def test_alerts_are_judged_by_the_truth() -> None:
    noon = BEGIN + 12 * HOUR
    truths = [
        victim("1", noon, BEGIN, medium=BEGIN, harmed=noon),
        victim("2", noon, BEGIN, medium=BEGIN, harmed=noon),
        victim("3", noon, noon, medium=BEGIN, harmed=noon),
        victim("4", None, BEGIN, shallow=BEGIN),
        victim("5", None, BEGIN, medium=BEGIN),
    ]
    issued = [
        alert("1", noon - 30 * MINUTE),
        alert("1", noon - 10 * MINUTE, severity="urgent"),
        alert("2", noon + 1),  # issued after the payment
        alert("2", BEGIN, severity="low"),  # sends no officer
        alert("2", BEGIN, status="withdrawn"),
        alert("4", BEGIN),  # this person hung up
        alert("5", BEGIN),
        alert("6", BEGIN, id="6"),  # no gang tried this person
        alert("6", BEGIN + MINUTE, id="6", status="withdrawn"),
    ]
    verdict = Verdict()
    verdict.add(truths, issued, 14)
    loan = verdict.by_script["loan"]
    assert (loan.victims, loan.knowable, loan.warned, loan.recall) == (3, 2, 1, 0.5)
    assert loan.leads == [30.0]
    assert (verdict.right, verdict.alerts, verdict.hung_up) == (3, 5, 1)
    assert (verdict.stood_right, verdict.stood) == (3, 4)


def test_the_plain_rule_alerts_about_every_contact(policy: Policy) -> None:
    city = City(400, 1, 3, busy(60, 30), 0.9, 0.1)
    operation = Operation(Simulated(city), [Contender(model, policy) for model in (PointScore(), AnyContact())])
    operation.run(lambda hours: None)
    by_points, by_any = ({each.alert.subscriber for each in some} for some in operation.issued)
    assert by_points <= by_any
    assert {each.alert.risk for each in operation.issued[1] if each.alert.status == "raised"} == {1.0}
