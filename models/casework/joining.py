"""Joining: how alerts open and change cases.

A subscriber has at most one open case. Later alerts join it and can raise its severity. Any new alert that calls for
an order wakes a snoozed case and reopens a withdrawn one. A closed case is reopened only by an alert that is urgent or
more severe than the case. Withdrawing an alert recalls the order if no other alert is in force.

Workers that decide records once more may give the same fraud another episode and other ids, if Kafka no longer has the
first contact. A closed case therefore remembers of each alert its severity and its event time: `is_heard` tells such an
alert from a new one.

An alert about something long ago (``dispatch.oldest_days``) sends nobody. It becomes a closed case without an outcome,
which any alert that calls for an order reopens.
"""

from __future__ import annotations

from msgspec.structs import replace

from models.casework.cases import FORMAT, OVER, RULE, Case, Person, severer, standing
from models.casework.deadlines import Office, armed, at_rest, noted, relaxed
from models.detection.alerts import Alert
from models.policy.policy import SEVERITIES, Severity


def sends(office: Office, alert: Alert) -> bool:
    """Whether an alert calls for an order to a station."""
    return alert.status == "raised" and alert.severity in office.rules.deadlines


def is_heard(case: Case, alert: Alert) -> bool:
    """Whether a closed case has heard what an alert of another id says: no less, of the same time or later.

    What an officer has closed is not opened again by evidence from before it. An alert that is more severe than all
    that the case has heard since is news, however late it comes.
    """
    if case.status != "closed" or alert.status != "raised" or any(each.id == alert.id for each in case.alerts):
        return False
    return any(
        each.status == "raised" and each.at >= alert.at and not severer(alert.severity, each.severity)
        for each in case.alerts
    )


def is_too_old(office: Office, alert: Alert, received: int) -> bool:
    """Whether an alert is about something too long ago to send anybody; ``received``: when it reached Kafka."""
    return received - alert.at > office.rules.oldest_ms


def opened(office: Office, alert: Alert, received: int, home: str, person: Person) -> Case:
    """A new case for an alert whose subscriber has none; ``received``: when the alert reached Kafka (epoch ms).

    The case of an alert that is too old is closed at once.
    """
    unit = office.stations.route(alert.cell, home)
    case = Case(
        case=alert.episode,
        subscriber=alert.subscriber,
        status="open",
        severity=alert.severity,
        stage=alert.stage,
        risk=alert.risk,
        scam_type=alert.scam_type,
        tier=office.stations.units[unit].tier,
        unit=unit,
        person=person,
        cell=alert.cell,
        alerts=(standing(alert),),
        episodes=(alert.episode,),
        reasons=alert.reasons,
        opened=received,
        at=received,
        since=received,
        rule=RULE,
        format=FORMAT,
    )
    if is_too_old(office, alert, received):
        return noted(replace(case, status="closed"), received, "too-old", severity=alert.severity)
    return noted(armed(office, case, received), received, "opened", severity=alert.severity)


def joined(office: Office, case: Case, alert: Alert, received: int) -> Case:
    """The case after one more alert about its subscriber; the same object if the alert says nothing new."""
    words = {each.id: each for each in case.alerts}
    before = words.get(alert.id)
    stood = before is not None and before.status == "raised"
    words[alert.id] = standing(alert)
    after = replace(case, alerts=tuple(words.values()), episodes=tuple(dict.fromkeys((*case.episodes, alert.episode))))
    if alert.status == "withdrawn":
        return _without(office, after, alert.severity, received) if stood else case
    if not sends(office, alert):
        return case if stood else noted(after, received, "joined", severity=alert.severity)
    if stood:
        after = _about(after, alert) if alert.severity == case.severity else after
        return case if after == case else replace(after, at=max(received, case.at))
    return _raised(office, after, alert, received)


def _raised(office: Office, case: Case, alert: Alert, received: int) -> Case:
    """The case after an alert that calls for an order and was not in force before."""
    if is_too_old(office, alert, received):
        return noted(case, received, "too-old", severity=alert.severity)
    more = severer(alert.severity, case.severity)
    is_judged = case.status == "closed" and case.outcome is not None
    if is_judged and not more and alert.severity != "urgent":
        return noted(case, received, "joined", severity=alert.severity)
    if case.status in OVER:
        case = replace(_about(case, alert), status="open", severity=alert.severity, outcome=None, loss_cny=None)
        case = replace(case, above=(), tier=office.stations.tier(case.unit), follow_ups=(), rule=RULE)
        return noted(armed(office, case, received), received, "reopened", severity=alert.severity)
    if more or case.status == "snoozed":
        severity: Severity = alert.severity if more else case.severity
        case = _about(case, alert) if more else case
        case = replace(case, status="open", severity=severity, snoozed_until=None)
        return noted(armed(office, case, received), received, "raised", severity=alert.severity)
    return noted(case, received, "joined", severity=alert.severity)


def _without(office: Office, case: Case, withdrawn: Severity, received: int) -> Case:
    """The case without an alert that was in force; withdrawn when no remaining alert calls for an order."""
    if case.status in OVER:
        return replace(case, at=max(received, case.at))
    deadlines = office.rules.deadlines
    left = [each.severity for each in case.alerts if each.status == "raised" and each.severity in deadlines]
    if not left:
        return noted(at_rest(case, "withdrawn"), received, "withdrawn", severity=withdrawn)
    severity = max(left, key=SEVERITIES.index)
    if severity == case.severity:
        return replace(case, at=max(received, case.at))
    return noted(relaxed(office, replace(case, severity=severity)), received, "lowered", severity=severity)


def _about(case: Case, alert: Alert) -> Case:
    """The case with the stage, risk, scam type, reasons and cell of this alert."""
    return replace(
        case,
        stage=alert.stage,
        risk=alert.risk,
        scam_type=alert.scam_type,
        reasons=alert.reasons,
        cell=alert.cell or case.cell,
    )
