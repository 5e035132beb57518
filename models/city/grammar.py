"""Grammar: draws scam scripts at random from what frauds by call and SMS can do.

A model that is trained on a few scripts learns them by heart. Drawn scripts differ in how they begin, who leads the
person on, by which channel, how fast, with which silences, and how the money leaves. `docs/city.md` gives the ranges
and the accounts behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal, get_args

from models.city.chance import random_of
from models.city.scripts import END, TALKS, Actor, Branch, Do, Script, Spread, Step
from models.city.texts import TEXTS
from models.policy.stages import Stage

Opening = Literal["rings", "misses", "writes", "links", "names", "found"]
"""How a fraud begins: the gang rings, leaves a missed call, writes and waits for a reply, sends a link, sends a number
to ring, or waits to be found, as a false hotline does."""
OPENINGS: Final[tuple[Opening, ...]] = get_args(Opening)

PAYERS: Final = 17.0
"""People who pay in a day, for each 100,000 people, by all drawn scripts together; as by Forewarn's own scripts."""

_LURES: Final = {
    "writes": ("boss", "greeting", "threat"),
    "links": ("parcel-lost", "insurance-expired", "loan-offer", "job-offer", "prize", "invest"),
    "names": ("parcel-lost", "prize"),
}
"""The texts with which a fraud begins; of each only those that have what the opening needs."""
_HOURS: Final = ((8, 20), (9, 18), (9, 22), (7, 23), (12, 24))
_AGES: Final[tuple[dict[str, float], ...]] = (
    {},
    {"60-69": 2.0, "70-79": 2.5, "80+": 2.5, "18-29": 0.3},
    {"18-29": 2.0, "30-39": 1.5, "60-69": 0.5, "70-79": 0.3},
)
_FAST: Final = ("impersonated-authority", "impersonated-service", "impersonated-boss", "loan", "fake-prize", "other")
_SLOW: Final = ("romance-investment", "virtual-currency", "task-rebate", "other")


def scripts(count: int, seed: int) -> list[tuple[str, Script]]:
    """So many scripts with their names, in turn of each opening; the same arguments draw the same scripts."""
    drawn = []
    for index in range(count):
        opening = OPENINGS[index % len(OPENINGS)]
        drawn.append(
            (f"drawn-{opening}-{index:03}", _script(opening, PAYERS / count, random_of(seed, "script", index)))
        )
    return drawn


def family(name: str) -> str:
    """The family of a script: for a drawn one all those with its opening, otherwise the script itself.

    >>> family("drawn-rings-012"), family("loan")
    ('drawn-rings', 'loan')
    """
    return name.rsplit("-", 1)[0] if name.startswith("drawn-") else name


def _between(low: float, high: float, rng: Random) -> float:
    """A value between two others, each of its orders of magnitude as likely as the others, to three digits."""
    return float(f"{math.exp(rng.uniform(math.log(low), math.log(high))):.3g}")


def _spread(low: float, high: float, rng: Random) -> Spread:
    return Spread(median=_between(low, high, rng), factor=round(rng.uniform(1.5, 3.5), 1))


@dataclass
class _Draft:
    """A script that is being written: its steps in order, each but the last with the share that goes on to the next."""

    rng: Random
    pace: float
    """Median minutes between two rounds."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    actors: dict[str, Actor] = field(default_factory=dict)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    asks: int = 0
    """The position of the step that most people do not react to."""

    def add(self, do: Do, share: float, **fields: Any) -> str:
        """Add a step, with a name of its own; returns the name."""
        name = f"{do}-{len(self.steps) + 1}"
        if do in TALKS and "talk_min" not in fields:
            fields["talk_min"] = _spread(2.0, 40.0, self.rng)
        self.steps.append({"name": name, "do": do, **fields})
        self.shares.append(share)
        return name

    def role(self) -> str:
        """A new member of the gang, who has a number that never changes, or one that lasts from hours to weeks."""
        name = f"role-{len(self.actors.keys() - {'site'}) + 1}"
        lasts = None if self.rng.random() < 0.15 else _spread(4.0, 240.0, self.rng)
        self.actors[name] = Actor(kind="number", changes_after_h=lasts)
        return name

    def site(self) -> str:
        """The gang's domain."""
        self.actors.setdefault("site", Actor(kind="domain", changes_after_h=_spread(6.0, 120.0, self.rng)))
        return "site"

    def lure(self, opening: str, blank: str, other: str) -> str:
        """The name of the texts about one subject that have ``blank`` and do not have ``other``."""
        about = TEXTS[self.rng.choice(_LURES[opening])]
        self.texts["lure"] = tuple(text for text in about if blank in text and (not other or other not in text))
        return "lure"

    @property
    def reaches_payment(self) -> float:
        """The share of the people tried who come to the first payment."""
        end = next(place for place, step in enumerate(self.steps) if step["do"] == "pay")
        return math.prod(self.shares[:end])

    def adjust(self, wanted: float) -> None:
        """Choose the share of people who react at all, so that ``wanted`` of those tried come to the first payment."""
        self.shares[self.asks] = 1.0
        self.shares[self.asks] = min(wanted / self.reaches_payment, 0.9)


def _script(opening: Opening, payers: float, rng: Random) -> Script:
    is_slow = rng.random() < 0.3
    draft = _Draft(rng, pace=_between(300.0, 3000.0, rng) if is_slow else _between(1.0, 240.0, rng))
    guide = _open(draft, opening)
    alone = opening == "links" and rng.random() < 0.5  # the page alone takes the card and the code
    last = draft.steps[-1]["name"] if alone else _lead(draft, guide)
    _take_money(draft, last, is_page=alone)
    tries = _spread(4.0, 20.0, rng) if opening == "found" else _spread(40.0, 600.0, rng)
    mean = tries.median * math.exp(math.log(tries.factor) ** 2 / 2.0)
    draft.adjust(_between(0.3, 4.0, rng) / mean)
    return Script(
        scam_type=rng.choice(_SLOW if is_slow else _FAST),
        zh=f"随机生成的诈骗剧本（{opening}）",
        en=f"A script drawn at random ({opening})",
        gangs=float(f"{payers / (mean * draft.reaches_payment):.3g}"),
        tries=tries,
        works_h=_spread(12.0, 240.0, rng),
        hours=rng.choice(_HOURS),
        ages=dict(rng.choice(_AGES)),
        actors=draft.actors,
        texts=draft.texts,
        steps=tuple(_linked(draft)),
    )


def _open(draft: _Draft, opening: Opening) -> str:
    """The first contact, and the person's answer to it; returns the role that they talk to."""
    rng, role = draft.rng, draft.role()
    soon = {"wait_min": _spread(3.0, 240.0, rng), "hours": (7, 23)}
    talk: dict[str, Any] = {"talk_min": _spread(0.4, 6.0, rng), "stage": "shallow"}
    match opening:
        case "rings":
            draft.add("call-in", 0.1, actor=role, **talk)
        case "misses":
            for _ in range(rng.randint(1, 3)):
                draft.add("missed", 0.9, actor=role, **({"wait_min": _spread(1.0, 60.0, rng)} if draft.steps else {}))
            draft.asks = len(draft.steps) - 1
            draft.add("call-out", rng.uniform(0.3, 0.8), actor=role, **soon, **talk)
        case "writes":
            draft.add("sms-in", 0.1, actor=role, text=draft.lure("writes", "", "{"))
            draft.add("sms-out", rng.uniform(0.4, 0.9), actor=role, text="reply", stage="shallow", **soon)
        case "links":
            draft.add("sms-in", 0.1, actor=role, link=draft.site(), names=role, text=draft.lure("links", "{link}", ""))
            role = draft.role()
        case "names":
            office = draft.role()
            draft.add("sms-in", 0.1, actor=role, names=office, text=draft.lure("names", "{number}", "{link}"))
            role = office
            draft.add("call-out", rng.uniform(0.3, 0.8), actor=role, **soon, **talk)
        case "found":
            draft.add("call-out", 0.5, actor=role, **talk)
    return role


def _lead(draft: _Draft, role: str) -> str:
    """Some rounds in which the person is led on; returns the name of the last one's first step."""
    rng, name = draft.rng, ""
    rounds = min(1 + int(rng.expovariate(0.6)), 6)
    for turn in range(rounds):
        if rng.random() < 0.25:
            role = draft.role()
        stage: Stage = "deep" if turn == rounds - 1 else "medium"
        share = rng.uniform(0.4, 0.95)
        wait = Spread(median=draft.pace, factor=round(rng.uniform(1.5, 4.0), 1))
        fields: dict[str, Any] = {"actor": role, "wait_min": wait, "hours": (7, 24)}
        match rng.choices(("rings", "is-rung", "writes", "holds"), (5, 2, 3, 1))[0]:
            case "rings":
                name = draft.add("call-in", share, stage=stage, **fields)
            case "is-rung":
                name = draft.add("call-out", share, stage=stage, **fields)
            case "holds":
                name = draft.add("call-in", share, stage=stage, talk_min=_spread(45.0, 240.0, rng), **fields)
            case _:
                if rng.random() < 0.3:
                    name = draft.add("sms-in", 0.9, text="case-number", link=draft.site(), **fields)
                else:
                    name = draft.add("sms-in", 0.9, text="boss", **fields)
                answer = _spread(1.0, 60.0, rng)
                draft.add("sms-out", share, actor=role, text="reply", wait_min=answer, stage=stage)
    return name


def _take_money(draft: _Draft, last: str, *, is_page: bool) -> None:
    """Codes, the payment and what follows; ``last`` is where the gang begins again when it wants more."""
    rng = draft.rng
    codes = 1 if is_page else rng.choices((0, 1, 2, 3), (5, 3, 2, 1))[0]
    on_call = draft.steps[-1]["do"] in ("call-in", "call-out") and rng.random() < 0.6
    for turn in range(codes):
        came: dict[str, Any] = {"during": True} if on_call else {"wait_min": _spread(2.0, 30.0 if turn else 8.0, rng)}
        draft.add("code", rng.uniform(0.8, 1.0), stage="deep", **came)
    wait = _spread(1.0, 10.0, rng) if codes else _spread(5.0, 240.0, rng)
    pays = draft.add("pay", 1.0, wait_min=wait, loss=_spread(800.0, 100_000.0, rng), stage="harmed")
    if is_page or rng.random() < 0.75:  # cash and prepaid cards leave no notice
        draft.add("bank-notice", 1.0, wait_min=_spread(0.5, 2.0, rng))
    draft.shares[-1] = 0.0
    then = []
    if rng.random() < 0.5:
        then.append(Branch(to=pays if is_page else last, share=round(rng.uniform(0.1, 0.5), 2)))
    if rng.random() < 0.5:
        doubts = draft.steps[-1]
        asks = draft.add(rng.choice(("bank-call", "check-call")), 0.0, wait_min=_spread(5.0, 240.0, rng))
        doubts["then"] = (*then, Branch(to=asks, share=round(rng.uniform(0.2, 0.5), 2)))
    elif then:
        draft.steps[-1]["then"] = tuple(then)


def _linked(draft: _Draft) -> list[Step]:
    """The steps, each with the share that goes on to the next."""
    steps = []
    for place, (fields, share) in enumerate(zip(draft.steps, draft.shares, strict=True)):
        then = fields.pop("then", None)
        if then is None:
            following = draft.steps[place + 1]["name"] if place + 1 < len(draft.steps) and share > 0 else END
            then = (Branch(to=following, share=round(share, 4) if following != END else 1.0),)
        steps.append(Step(**fields, then=then))
    return steps
