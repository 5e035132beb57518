"""A day in the city: made-up cases, played through the board, for page tests and for the pictures in the docs."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from models.base.durations import HOUR, MINUTE
from models.casework.board import Board
from models.casework.cases import OVER, RULE, Case, Feedback, FeedbackError, Person
from models.detection.alerts import Alert, Reason
from models.detection.ids import alert_id
from models.policy.policy import Severity
from models.policy.stages import Stage
from tests.casework import OFFICE

NOW: Final = 1_795_761_000_000
"""27 November 2026, 14:30 by the city's clock."""

NEW: Final = "00000007c0ffee"
"""The case of an urgent order at East station 1 that nobody has acknowledged yet."""
TALKING: Final = "00000008c0ffee"
"""The case of a person at the same station whom officers could not reach yet."""

_WHY: Final[dict[str, tuple[Reason, ...]]] = {
    "impersonated-authority": (
        Reason(
            "a",
            "正在与已知涉诈号码通话（冒充公检法及政府机关）",
            "is on the phone with a known fraud number (impersonated authority)",
            (),
        ),
        Reason("b", "在可疑联系前后收到验证码，共3条", "got 3 verification code(s) around the contact", ()),
        Reason("c", "随后致电110、96110、114等核实", "rang 110, 96110, 114 or an authority afterwards", ()),
    ),
    "impersonated-service": (
        Reason(
            "a",
            "与已知涉诈号码通话，共约14分钟（冒充电商物流客服）",
            "talked to a known fraud number, about 14 min (impersonated customer service)",
            (),
        ),
        Reason("b", "随后致电银行客服", "rang a bank's hotline afterwards", ()),
    ),
    "task-rebate": (
        Reason(
            "a",
            "收到含已知涉诈网址的短信，共2条（刷单返利）",
            "got 2 SMS with a known fraud link (task rebate)",
            (),
        ),
        Reason("b", "随后收到银行资金变动短信", "got a bank's notice of a payment afterwards", ()),
    ),
    "loan": (
        Reason("a", "主动回拨已知涉诈号码（虚假贷款）", "rang a known fraud number (fake loan)", ()),
        Reason("b", "在可疑联系前后收到验证码，共1条", "got 1 verification code(s) around the contact", ()),
    ),
    "romance-investment": (
        Reason(
            "a",
            "收到含已知涉诈网址的短信，共4条（虚假投资理财、婚恋交友）",
            "got 4 SMS with a known fraud link (romance or investment)",
            (),
        ),
    ),
}
_STAGES: Final[dict[Severity, Stage]] = {"urgent": "deep", "high": "deep", "medium": "medium", "low": "shallow"}


@dataclass
class Day:
    """A board and the events still to come, which happen in order of time."""

    board: Board
    chance: random.Random

    def __post_init__(self) -> None:
        self._coming: list[tuple[int, int, Callable[[int], Any]]] = []
        self._number = itertools.count()

    def at(self, moment: int, what: Callable[[int], Any]) -> None:
        """Schedule an action for a moment."""
        heapq.heappush(self._coming, (moment, next(self._number), what))

    def play(self, until: int) -> None:
        """Play the scheduled actions, and let deadlines pass, up to a moment."""
        while self._coming and self._coming[0][0] <= until:
            moment, _, what = heapq.heappop(self._coming)
            list(self.board.due(moment))
            what(moment)
        list(self.board.due(until))

    def alert(
        self, person: int, severity: Severity, scam: str, at: int, cell: str = "", risk: float = 0.0, home: str = ""
    ) -> str:
        """Schedule an alert about a person; returns the name of the case that it opens or joins."""
        subscriber, episode = f"86100{person:08d}", f"{person:08d}c0ffee"
        told = Alert(
            id=alert_id(episode, severity),
            subscriber=subscriber,
            episode=episode,
            severity=severity,
            stage=_STAGES[severity],
            risk=risk or {"urgent": 0.91, "high": 0.74}.get(severity, 0.34),
            scam_type=scam,
            status="raised",
            reasons=_WHY[scam][: 3 if severity == "urgent" else 1],
            indicators=(),
            first_seen=at,
            at=at,
            policy="p",
            model="m@1",
            cell=cell,
        )
        self.at(at, lambda moment: self.board.alert(told, moment))
        return episode

    def say(self, case: str, kind: Any, at: int, officer: str = "", unit: str = "", **more: Any) -> None:
        """Schedule feedback on a case from the unit that holds the case at that moment."""

        def said(moment: int) -> None:
            now = self.board.cases.get(case)
            if now is None or now.status in OVER:
                return
            name = unit or now.unit
            proof: dict[str, Any] = {"answered": "person"} if more.get("reached") else {}
            proof |= {"loss_checked": True} if kind == "outcome" else {}
            feedback = Feedback(
                id=f"{case}-{kind}-{moment}",
                case=case,
                kind=kind,
                at=moment,
                unit=name,
                officer=officer or f"{name.replace('-', '')}.{moment % 3}",
                rule=RULE,
                **proof,
                **more,
            )
            try:
                self.board.feedback(feedback, moment)
            except FeedbackError as error:
                if error.reason != "not-possible":
                    raise

        self.at(at, said)


def a_day(now: int = NOW, people: int = 190, seed: int = 7) -> dict[str, Case]:
    """The cases of a city at ``now``: two hundred since the morning, and some that matter at one station."""
    chance = random.Random(seed)
    persons = {
        "8610000000007": Person(age_band="70-79", flags=("lives-alone", "hard-of-hearing")),
        "8610000000008": Person(age_band="20-29", flags=("student",)),
        "8610000000011": Person(language="en", age_band="40-49"),
        "8610000000012": Person(age_band="60-69", flags=("lives-alone",)),
    }
    day = Day(Board(OFFICE, lambda subscriber: ("", persons.get(subscriber, Person(age_band="30-39")))), chance)
    for person in range(1000, 1000 + people):
        _ordinary(day, person, now - int(chance.random() * 7 * HOUR) - 20 * MINUTE)
    _of_one_station(day, now)
    day.play(now)
    return day.board.cases


def _ordinary(day: Day, person: int, at: int) -> None:
    """A person whose case takes the usual course."""
    chance = day.chance
    severity: Severity = chance.choices(("urgent", "high", "medium"), (2, 3, 5))[0]
    cell = f"001-01-{int(720 * chance.random() ** 1.5)}-0"
    case = day.alert(person, severity, chance.choice(list(_WHY)), at, cell)
    slow = 1.0 if chance.random() < 0.93 else 3.0
    soon, then = {"urgent": (0.9, 1.2), "high": (6, 12), "medium": (50, 60)}[severity]
    first = at + int(slow * chance.lognormvariate(0, 0.35) * soon * MINUTE)
    tried = first + int(chance.lognormvariate(0.3, 0.5) * then * MINUTE)
    day.say(case, "acknowledged", first)
    day.say(case, "attempt", tried, means="call", reached=chance.random() < 0.7)
    day.say(case, "attempt", tried + 9 * MINUTE, means="visit", reached=True)
    outcome, loss = chance.choices(
        (("dissuaded", None), ("already-aware", None), ("false-positive", None), ("already-harmed", 12_800.0)),
        (60, 18, 9, 6),
    )[0]
    if chance.random() < 0.93:
        day.say(case, "outcome", tried + (10 + chance.randrange(25)) * MINUTE, outcome=outcome, loss_cny=loss)


def _of_one_station(day: Day, now: int) -> None:
    """The cases that East station 1 has at ``now``."""
    cell, second = "001-01-3-0", 1000
    day.alert(7, "urgent", "impersonated-authority", now - 38 * second, cell, 0.93)
    talking = day.alert(8, "urgent", "task-rebate", now - 16 * MINUTE, cell, 0.88)
    day.say(talking, "acknowledged", now - 15 * MINUTE, "li.wei")
    day.say(talking, "attempt", now - 13 * MINUTE, "li.wei", means="call", reached=False, note="占线，两次。")
    day.say(talking, "attempt", now - 9 * MINUTE, "li.wei", means="sms", reached=False)
    day.alert(9, "high", "impersonated-service", now - 12 * MINUTE - 20 * second, cell)
    held = day.alert(11, "high", "romance-investment", now - 95 * MINUTE, cell, 0.81)
    day.say(held, "acknowledged", now - 91 * MINUTE, "wang.fang")
    day.say(held, "attempt", now - 70 * MINUTE, "wang.fang", means="call", reached=True, note="答应下午到所里来。")
    day.alert(12, "medium", "loan", now - 3 * HOUR - 11 * MINUTE, cell)
    day.alert(13, "urgent", "loan", now - 3 * MINUTE, cell)
    done = day.alert(14, "high", "impersonated-service", now - 2 * HOUR, cell)
    day.say(done, "acknowledged", now - 115 * MINUTE, "li.wei")
    day.say(done, "attempt", now - 110 * MINUTE, "li.wei", means="call", reached=True)
    day.say(done, "outcome", now - 100 * MINUTE, "li.wei", outcome="dissuaded", note="已关闭屏幕共享，未转账。")
