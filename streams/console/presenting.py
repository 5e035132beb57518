"""Presenting: turns cases into the contents of pages, from the case, the clock and the language alone; pure.

Every value here is text that is ready to be shown, or says how to mark it. A person's number is masked unless a user
has asked to see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from models.base.durations import MINUTE
from models.casework.cases import OVER, Case, Entry, Kind, who_has
from models.casework.payments import StopPayment, fen, yuan
from models.casework.playbooks import Language, Playbook, Question, playbook_for
from models.casework.playbooks import Text as Both
from models.casework.proof import is_reached
from models.casework.reporting import EARLY
from models.casework.routing import Stations
from models.casework.tallies import ended_at
from models.detection.wording import scam_name
from streams.console.masking import masked
from streams.console.times import clock, iso, lateness, span
from streams.console.view import urgency
from streams.console.words import said, said_or

Level = Literal["calm", "soon", "late"]
Badge = tuple[Literal["escalated", "reopened"], str]
"""A mark of an order, and its text."""

PARTS: Final = ("opening", "questions", "never", "check", "at_the_door_nobody", "money_gone", "story")
"""The parts of a playbook in the order of a talk. The caller's story comes last: officers look it up, not say it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The scene in which cases are shown: the time, the language, the city's units, and the user's access."""

    now: int
    language: Language
    stations: Stations
    mine: Callable[[Case], bool] = lambda case: True
    """Whether the user may see a case."""

    def unit(self, name: str) -> str:
        """The name of a unit; the id of a unit that is no longer in the tree."""
        known = self.stations.units.get(name)
        return name if known is None else known.name.zh if self.language == "zh" else known.name.en

    def word(self, key: str, **about: object) -> str:
        """A word of the console's table."""
        return said(key, self.language, **about)

    def scam(self, scam_type: str) -> str:
        """The name of a scam type."""
        return scam_name(scam_type)[0 if self.language == "zh" else 1]

    def at(self, moment: int, seconds: bool = False) -> str:
        """A moment by the city's clock."""
        return clock(moment, self.now, self.language, seconds)


@dataclass(frozen=True, slots=True)
class DeadlineLeft:
    """A deadline and the time left until it."""

    what: str
    at: int
    soon: int
    """The time from which little time is left."""
    iso: str
    clock: str
    left: str
    level: Level


@dataclass(frozen=True, slots=True)
class Order:
    """A case as one line of a list."""

    case: str
    severity: str
    severity_word: str
    status: str
    is_open: bool
    person: str
    officer: str
    """Who has it; empty if nobody does yet."""
    scam: str
    reason: str
    unit: str
    due: DeadlineLeft | None
    marks: tuple[Badge, ...]
    outcome: str
    closed: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a case's history; ``note`` is an officer's text."""

    iso: str
    at: str
    text: str
    by: str
    note: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a playbook; for a question also the meaning of its answer."""

    text: str
    means: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a playbook; the part that is needed first is open."""

    name: str
    title: str
    said: tuple[Said, ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    """All contents of the page of a case, except its forms."""

    order: Order
    next: Kind
    """The most likely next report."""
    cell: str
    age: str
    language: str
    flags: tuple[str, ...]
    above: tuple[str, ...]
    had: tuple[str, ...]
    opened: str
    reasons: tuple[str, ...]
    risk: str
    stage: str
    severity_means: str
    deadlines: tuple[DeadlineLeft, ...]
    history: tuple[Line, ...]
    alerts: tuple[tuple[str, str, str, str], ...]
    """ISO time, time, severity, and whether it is in force."""
    playbook: tuple[Part, ...]
    has_playbook: bool
    is_harmed: bool
    """Whether it ended with money lost; then payments are to be stopped."""


def orders(cases: Iterable[Case], scene: Scene) -> list[Order]:
    """Cases as lines, in the order of `urgency`."""
    return [order(case, scene) for case in sorted(cases, key=urgency)]


def follow_ups(cases: Iterable[Case], scene: Scene) -> list[Order]:
    """Closed cases with a follow-up call to make as lines, each with the time of that call."""
    return [replace(order(case, scene), due=next(_calls_back(case, scene), None)) for case in cases]


def order(case: Case, scene: Scene) -> Order:
    """A case as one line."""
    last = ended_at(case)
    age = case.person.age_band and scene.word("case.age.band", band=case.person.age_band)
    return Order(
        case=case.case,
        severity=case.severity,
        severity_word=scene.word(f"severity.{case.severity}"),
        status=scene.word(f"status.{case.status}"),
        is_open=case.status not in OVER,
        person=" · ".join(filter(None, (masked(case.subscriber), age, *_flags(case, scene)))),
        officer=who_has(case),
        scam=scene.scam(case.scam_type),
        reason=next(iter(_reasons(case, scene.language)), ""),
        unit=scene.unit(case.unit),
        due=next(iter(_dues(case, scene)), None),
        marks=tuple(_marks(case, scene)),
        outcome=scene.word(f"outcome.{case.outcome}") if case.outcome else "",
        closed=scene.at(last) if last is not None else "",
    )


def case_page(case: Case, scene: Scene, playbooks: Mapping[str, Playbook]) -> CasePage:
    """The page of a case."""
    person = case.person
    unknown = scene.word("case.unknown")
    return CasePage(
        order=order(case, scene),
        next=said_next(case),
        cell=case.cell or unknown,
        age=scene.word("case.age.band", band=person.age_band) if person.age_band else unknown,
        language=spoken(person.language, scene.language),
        flags=tuple(_flags(case, scene)),
        above=tuple(map(scene.unit, case.above)),
        had=tuple(map(scene.unit, case.had)),
        opened=scene.at(case.opened),
        reasons=_reasons(case, scene.language),
        risk=scene.word("case.risk", n=min(99, max(1, round(case.risk * 100)))),
        stage=scene.word(f"stage.{case.stage}"),
        severity_means=scene.word(f"severity.{case.severity}.means"),
        deadlines=(*_dues(case, scene), *_calls_back(case, scene)),
        history=tuple(line(entry, scene, case.payments) for entry in reversed(case.history)),
        alerts=tuple(
            (
                iso(each.at),
                scene.at(each.at),
                scene.word(f"severity.{each.severity}"),
                scene.word(f"case.alert.{each.status}"),
            )
            for each in sorted(case.alerts, key=lambda each: -each.at)
        ),
        playbook=tuple(_parts(case, playbook_for(playbooks, case.scam_type), scene.language)),
        has_playbook=case.scam_type in playbooks,
        is_harmed=case.outcome == "already-harmed",
    )


def spoken(tag: str, language: Language) -> str:
    """The name of the language of a BCP 47 tag; the tag itself if it has no name here.

    >>> spoken("zh-CN", "en"), spoken("eo", "en")
    ('Mandarin', 'eo')
    """
    return said_or(f"speak.{tag}", language, said_or(f"speak.{tag.partition('-')[0]}", language, tag))


def line(entry: Entry, scene: Scene, payments: Iterable[StopPayment] = ()) -> Line:
    """One entry of a case's history as a sentence; ``payments`` are the payments that it may be about."""
    key = f"step.{entry.kind}"
    asked = next((each.request for each in payments if each.request.id == entry.payment), None)
    if entry.kind == "attempt":
        key += f".{entry.means}." + ("yes" if entry.reached else entry.answered or "no")
    elif entry.kind == "escalated" and entry.outcome:
        key += f".{entry.outcome}"
    elif entry.kind == "outcome" and entry.loss_cny:
        key += ".loss"
    elif entry.kind == "payment-step":
        key += f".{entry.step}"
    text = scene.word(
        key,
        severity=scene.word(f"severity.{entry.severity}") if entry.severity else "",
        deadline=scene.word(f"deadline.{entry.deadline}") if entry.deadline else "",
        outcome=scene.word(f"outcome.{entry.outcome}") if entry.outcome else "",
        to=scene.unit(entry.to),
        until=scene.at(entry.until) if entry.until else "",
        loss=f"{entry.loss_cny or 0:,.0f}",
        payee=asked.payee.masked if asked is not None else "",
        amount=yuan(fen(asked.amount_cny)) if asked is not None else "",
    )
    by = " · ".join(filter(None, (scene.unit(entry.unit), entry.officer)))
    return Line(iso(entry.at), scene.at(entry.at, True), text, by, entry.note, entry.kind in ("escalated", "overdue"))


def due(what: str, at: int, since: int, scene: Scene) -> DeadlineLeft:
    """A deadline that runs from ``since``; little time is left in its last quarter."""
    soon = at - max(MINUTE, (at - since) // 4)
    level: Level = "late" if at <= scene.now else "soon" if soon <= scene.now else "calm"
    if level == "late":
        left = lateness(scene.now - at, scene.language)
    else:
        left = scene.word("time.left", time=span(at - scene.now, scene.language))
    return DeadlineLeft(scene.word(f"deadline.{what}"), at, soon, iso(at), scene.at(at), left, level)


def _flags(case: Case, scene: Scene) -> Iterator[str]:
    for flag in case.person.flags:
        yield said_or(f"flag.{flag}", scene.language, flag.replace("-", " "))


def _dues(case: Case, scene: Scene) -> tuple[DeadlineLeft, ...]:
    """The deadlines: those that were missed and are still unmet, then those that run, the earliest first."""
    running: dict[str, int | None] = {
        "acknowledge": case.acknowledge_by,
        "call": case.call_by,
        "visit": case.visit_by,
        "snoozed": case.snoozed_until,
    }
    # A deadline that the unit above has got anew is overdue all the same.
    running |= {each.deadline: each.at for each in case.missed}
    found = [due(what, at, case.since, scene) for what, at in running.items() if at is not None]
    return tuple(sorted(found, key=lambda each: each.at))


def _calls_back(case: Case, scene: Scene) -> Iterator[DeadlineLeft]:
    """The next follow-up call to somebody who was dissuaded, if there is one."""
    for at in case.follow_ups[:1]:
        yield due("follow-up", at, at - EARLY, scene)


def _marks(case: Case, scene: Scene) -> Iterator[Badge]:
    """The marks that must stand out, with their texts."""
    if case.status in OVER:
        return
    if case.above and (case.missed or case.status == "open"):
        yield "escalated", scene.word("mark.escalated", unit=scene.unit(case.above[-1]))
    if any(entry.kind == "reopened" for entry in case.history):
        yield "reopened", scene.word("mark.reopened")


def _reasons(case: Case, language: Language) -> tuple[str, ...]:
    return tuple(each.zh if language == "zh" else each.en for each in case.reasons)


def needed_first(case: Case) -> str:
    """The part of a playbook that an officer needs first, given how far the fraud and the talk with the victim are."""
    if case.stage == "harmed" or case.outcome == "already-harmed":
        return "money_gone"
    attempts = [entry for entry in case.history if entry.kind == "attempt"]
    if not attempts:
        return "opening"
    return "questions" if attempts[-1].reached else "at_the_door_nobody"


def said_next(case: Case) -> Kind:
    """The most likely next report about a case; its button stands out."""
    if case.status in ("open", "snoozed"):
        return "acknowledged"
    if case.status in OVER:
        return "attempt" if case.follow_ups else "outcome"
    return "outcome" if is_reached(case) else "attempt"


def _parts(case: Case, playbook: Playbook, language: Language) -> Iterator[Part]:
    first = needed_first(case)
    for name in PARTS:
        yield Part(name, said(f"part.{name}", language), tuple(_said(getattr(playbook, name), language)), name == first)


def _said(part: tuple[Both | Question, ...], language: Language) -> Iterator[Said]:
    for each in part:
        if isinstance(each, Question):
            yield Said(each.ask.said(language), each.means.said(language))
        else:
            yield Said(each.said(language))
