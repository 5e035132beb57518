"""Weeks in the city: made-up people whom scams reached, for the tests of bulletins and for their pictures."""

from __future__ import annotations

import random
from typing import Final
from zoneinfo import ZoneInfo

from models.base.durations import DAY
from models.casework.reached import Reached
from streams.dispatch.weeks import Week, edges
from tests.casework import OFFICE

ZONE: Final = ZoneInfo("Asia/Shanghai")
WEEK: Final = Week(2026, 47)
"""The last whole week at `tests.city_day.NOW`."""

_OFTEN: Final[dict[str, tuple[float, float, float]]] = {
    "impersonated-service": (30, 31, 28),
    "task-rebate": (22, 12, 12),
    "insurance-sms": (19, 0, 0),
    "impersonated-authority": (16, 17, 19),
    "loan": (11, 14, 13),
    "romance-investment": (9, 9, 8),
    "suspected": (6, 7, 6),
    "fake-prize": (2, 2, 2),
    "sextortion": (1, 1, 2),
}
"""People of one station by scam type: in the last week, the week before, and each week before that."""
_AGES: Final = ("20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
_SPOKEN: Final = ("zh", "zh", "zh", "zh", "wuu", "yue", "en")


def six_weeks(seed: int = 7) -> list[Reached]:
    """The people of six weeks up to `WEEK`, at all stations; fewer at the later stations of a sub-bureau."""
    chance = random.Random(seed)
    begins = edges(WEEK, ZONE)
    stations = [unit.id for unit in OFFICE.stations.units.values() if unit.tier == "station"]
    found: list[Reached] = []
    for back in range(6):
        for station in stations:
            for scam, often in _OFTEN.items():
                mean = often[min(back, 2)] * (1.15 - 0.15 * int(station[-1]))
                for _ in range(max(0, round(chance.gauss(mean, mean**0.5)))):
                    at = begins[-2 - back] + int(chance.random() * 7 * DAY)
                    found.append(_one(f"86100{len(found):08d}", at, station, scam, chance))
    return found


def _one(person: str, at: int, station: str, scam: str, chance: random.Random) -> Reached:
    if scam == "insurance-sms" or chance.random() < 0.45:
        return Reached(person, at, station, scam)
    return Reached(
        person=person,
        at=at,
        unit=station,
        scam_type=scam,
        ordered=True,
        talked=chance.random() < 0.8,
        harmed=chance.random() < 0.12,
        age_band=chance.choice(_AGES),
        language=chance.choice(_SPOKEN),
    )
