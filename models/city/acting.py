"""Acting: gangs that follow scripts, the calls and SMS that they cause, and the truth about each person they tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal, NamedTuple, assert_never

from msgspec import Struct

from models.base.durations import DAY, HOUR, MINUTE
from models.city import numbers
from models.city.accounts import Accounts
from models.city.chance import BEGIN, drawn, random_of, within
from models.city.scripts import END, MOST_STEPS, Actor, Script, Step
from models.city.texts import TEXTS
from models.events.event import LONGEST_TALK
from models.policy.stages import STAGES, Stage, further

RING_MS = 7_000
"""Milliseconds for which a phone rings before it is answered; an unanswered phone rings three times as long."""

KNOWN_FACTOR = 4.0
"""Two thirds of the numbers that become known do so within this factor of the median delay."""

_SYLLABLES = (
    "bai",
    "chen",
    "dao",
    "fu",
    "gang",
    "hui",
    "jin",
    "kang",
    "lian",
    "min",
    "pu",
    "shun",
    "tong",
    "xin",
    "yun",
)


class Happening(NamedTuple):
    """One call or SMS of a person that is still to be written to the records."""

    at: int
    person: int
    """Index of the person."""
    peer: int
    is_out: bool
    talk_s: int
    """Seconds of talk of a call; 0 if it was not answered, -1 for an SMS."""
    text: str


class Used(Struct, omit_defaults=True):
    """A number or domain of a gang, with the times when it was first used and when, if ever, it becomes known."""

    type: Literal["number", "domain"]
    value: str
    scam_type: str
    first_used: int
    known_at: int | None = None


class Touched(Struct, omit_defaults=True):
    """A number or domain that has touched a person, the time of the first contact, and the truth about it."""

    type: Literal["number", "domain"]
    value: str
    at: int
    first_used: int
    known_at: int | None = None


class Truth(Struct, omit_defaults=True):
    """The truth about one person that a gang tried. Times are epoch milliseconds."""

    subscriber: str
    scam_type: str
    script: str
    gang: str
    first_contact: int
    stages: dict[Stage, int] = {}
    """When the person reached each stage."""
    paid_at: int | None = None
    """When the person first paid."""
    loss: int = 0
    """Yuan of all payments together."""
    indicators: list[Touched] = []
    """The numbers and domains that touched the person, in order."""
    accounts: list[str] = []
    """The accounts through which the money went, the one that the person paid to first (`models.city.accounts`)."""

    @property
    def drew_in(self) -> bool:
        """Whether the person at least kept talking, or paid."""
        return bool(self.stages.keys() & {"medium", "deep", "harmed"}) or self.paid_at is not None

    def knowable_before(self, at: int) -> bool:
        """Whether a number or domain that was known before a time had also touched the person before it."""
        return any(each.known_at is not None and max(each.known_at, each.at) < at for each in self.indicators)


@dataclass(slots=True)
class _Identity:
    """The number or domain that an actor uses for a while."""

    until: float
    used: Used
    number: int


@dataclass(slots=True)
class Lines:
    """Hands out unused numbers and domains, and decides which of them become known, and when."""

    seed: int
    next_index: int
    """The first index with a free number."""
    known_share: float
    known_after_h: float
    """The median delay from first use to becoming known, in hours."""
    used: list[Used] = field(default_factory=list)

    def fresh(self, actor: Actor, scam_type: str, at: int, rng: Random) -> tuple[Used, int]:
        """A fresh number or domain that is first used at ``at``, and the number itself (0 for a domain)."""
        index, self.next_index = self.next_index, self.next_index + 1
        number = 0
        if actor.kind == "number":
            number = numbers.here(index, self.seed)
            value = str(number)
        else:
            value = f"{''.join(rng.choices(_SYLLABLES, k=3))}{index % 1000}.example"
        known_at = None
        if rng.random() < self.known_share:
            known_at = at + int(self.known_after_h * KNOWN_FACTOR ** rng.gauss(0.0, 1.0) * HOUR)
        used = Used(actor.kind, value, scam_type, at, known_at)
        self.used.append(used)
        return used, number


class Gang:
    """One gang: its actors' numbers and domains over time, and the people it tries."""

    def __init__(self, name: str, script: Script, lines: Lines, rng: Random) -> None:
        self.name = name
        self._script = script
        self._lines = lines
        self._rng = rng
        self._accounts = Accounts(lines.seed, name)
        self._identities: dict[str, list[_Identity]] = {actor: [] for actor in script.actors}

    def _identity(self, name: str, at: int) -> _Identity:
        """The number or domain that an actor uses at a time; a fresh one if it has none for that time."""
        actor, known = self._script.actors[name], self._identities[name]
        for identity in reversed(known):
            if identity.used.first_used <= at < identity.until:
                return identity
        lasts = float("inf") if actor.changes_after_h is None else drawn(actor.changes_after_h, self._rng) * HOUR
        identity = _Identity(at + lasts, *self._lines.fresh(actor, self._script.scam_type, at, self._rng))
        known.append(identity)
        return identity

    def tries(self, person: int, subscriber: str, at: int, upto: int) -> tuple[list[Happening], Truth]:
        """Try one person from a time on: what happens to them before ``upto``, and the truth about them."""
        script, rng = self._script, self._rng
        truth = Truth(subscriber, script.scam_type, "", self.name, at)
        happened: list[Happening] = []
        place, call = 0, (at, at)
        stage: Stage = STAGES[0]
        for _ in range(MOST_STEPS):
            step = script.steps[place]
            if step.during:
                at = call[0] + int((0.2 + 0.75 * rng.random()) * (call[1] - call[0]))
            else:
                at = max(at, call[1]) + int(drawn(step.wait_min, rng) * MINUTE if step.wait_min else 0)
                at = within(at, step.hours, rng) if step.hours is not None else at
            if at >= upto:
                break
            ends = self._do(step, person, at, truth, happened)
            if ends > at:
                call = at, ends
            if step.stage is not None:
                stage = further(stage, step.stage)
                if stage == step.stage:
                    truth.stages.setdefault(stage, at)
            following = self._next(step, place)
            if following is None:
                break
            place = following
        if truth.paid_at is not None:
            truth.accounts = self._accounts.way()
        return happened, truth

    def _do(self, step: Step, person: int, at: int, truth: Truth, happened: list[Happening]) -> int:
        """Carry out a step; returns the time when it is over."""
        rng = self._rng
        if step.do == "pay":
            truth.paid_at = truth.paid_at if truth.paid_at is not None else at
            truth.loss += int(drawn(step.loss, rng)) if step.loss is not None else 0
            return at
        peer = self._touch(step.actor, at, truth).number if step.actor is not None else 0
        text, is_out = "", False
        match step.do:
            case "call-in" | "missed" | "sms-in":
                pass
            case "call-out" | "sms-out":
                is_out = True
            case "code":
                peer, text = rng.choice((*numbers.BANKS, *numbers.SENDERS)), rng.choice(TEXTS["code"])
            case "bank-notice":
                peer, text = rng.choice(numbers.BANKS), rng.choice(TEXTS["bank-notice"])
            case "bank-call":
                peer, is_out = rng.choice(numbers.BANKS), True
            case "check-call":
                peer, is_out = rng.choice(numbers.CHECKS), True
            case _:
                assert_never(step.do)
        if step.text is not None:
            text = rng.choice(self._script.texts.get(step.text) or TEXTS[step.text])
        if "{link}" in text:
            link = self._touch(step.link, at, truth).used.value if step.link is not None else "parcel.example"
            text = text.replace("{link}", f"https://{link}/{rng.randrange(36**4):x}")
        if "{number}" in text:
            named = self._touch(step.names, at, truth).number if step.names is not None else numbers.BANKS[0]
            text = text.replace("{number}", str(named))
        talk = min(max(int(drawn(step.talk_min, rng) * 60), 1), LONGEST_TALK) if step.talk_min is not None else 0
        is_call = not text
        happened.append(Happening(at, person, peer, is_out, talk if is_call else -1, text))
        return at + RING_MS + talk * 1000 if is_call else at

    def _touch(self, actor: str, at: int, truth: Truth) -> _Identity:
        identity = self._identity(actor, at)
        used = identity.used
        if all(touched.value != used.value for touched in truth.indicators):
            truth.indicators.append(Touched(used.type, used.value, at, used.first_used, used.known_at))
        return identity

    def _next(self, step: Step, place: int) -> int | None:
        if step.then is None:
            return place + 1 if place + 1 < len(self._script.steps) else None
        left = self._rng.random()
        for branch in step.then:
            left -= branch.share
            if left < 0:
                return None if branch.to == END else self._script.step(branch.to)
        return None


def day_of_gangs(
    scripts: Sequence[tuple[str, Script]],
    day: int,
    seed: int,
    lines: Lines,
    people: float,
    pick: Callable[[str, Random], int],
    number: Callable[[int], str],
    upto: int,
) -> Iterator[tuple[list[Happening], Truth]]:
    """What the gangs that start on one day of the city do, person by person.

    ``people`` is the number of people that decides how many gangs begin: the city's, or fewer where gangs are rarer.
    ``pick`` chooses a person for the script with a given name, and ``number`` returns a person's number. Nothing
    happens at ``upto`` or later.
    """
    for name, script in scripts:
        rng = random_of(seed, "gangs", name, day)
        expected = script.gangs * people / 100_000
        count = int(expected) + (rng.random() < expected % 1)
        for index in range(count):
            begin = within(BEGIN + day * DAY + int(rng.random() * DAY), script.hours, rng)
            gang = Gang(f"{name}-{day}-{index}", script, lines, rng)
            works = drawn(script.works_h, rng) * HOUR
            tried = max(int(drawn(script.tries, rng)), 1)
            times = sorted(within(begin + int(rng.random() * works), script.hours, rng) for _ in range(tried))
            for at in times:
                if at >= upto:
                    break
                person = pick(name, rng)
                happened, truth = gang.tries(person, number(person), at, upto)
                if happened:
                    truth.script = name
                    yield happened, truth
