"""Small city: generates the demonstration's city on the fly, and compares its alerts with the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from models.base.durations import MINUTE
from models.city.acting import Truth
from models.city.city import City
from models.detection.alerts import Alert
from models.policy.policy import FOR_OFFICERS
from streams.files.scam_scripts import OURS, read_scripts
from streams.simulation.city_writing import write

PEOPLE: Final = 4000
DAYS: Final = 2
SEED: Final = 15
"""The seed of a city in which somebody pays; most cities of this size have no victim in two days."""


class Compared(NamedTuple):
    """How many of a city's victims were warned, and how many people officers were sent to in vain."""

    paid: int
    knowable: int
    """Paying victims who had contact, before they paid, with a number or domain that was known by then."""
    warned: int
    lead_minutes: float
    """The median time from the first alert for officers to the payment; NaN if nobody was warned."""
    others: int
    """People with an alert for officers although no gang had drawn them in."""


def make(folder: Path) -> Sequence[Truth]:
    """Write the city's files into a folder; returns the truth about it."""
    folder.mkdir(parents=True)
    city = City(PEOPLE, DAYS, SEED, read_scripts(OURS), 0.4, 6)
    write(city, folder, lambda hours: None)
    return city.truths


def compared(truths: Sequence[Truth], alerts: Iterable[Alert]) -> Compared:
    """Compare alerts with the truth."""
    first: dict[str, int] = {}
    for alert in alerts:
        if alert.status == "raised" and alert.severity in FOR_OFFICERS:
            first[alert.subscriber] = min(alert.at, first.get(alert.subscriber, alert.at))
    drawn_in = {each.subscriber for each in truths if each.drew_in}
    paid = [(each, each.paid_at) for each in truths if each.paid_at is not None]
    knowable = [(each, at) for each, at in paid if each.knowable_before(at)]
    leads = [
        (at - first[each.subscriber]) / MINUTE
        for each, at in knowable
        if each.subscriber in first and first[each.subscriber] < at
    ]
    return Compared(
        len(paid),
        len(knowable),
        len(leads),
        median(leads) if leads else float("nan"),
        len(first.keys() - drawn_in),
    )
