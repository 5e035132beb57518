"""Scripts: how a scam of one type goes, step by step, as data that an analyst can write.

A script is one YAML file (`docs/city.md` explains each field; `streams.files.scam_scripts` reads it). It is checked
strictly: what is unknown, missing or cannot be is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.base.field_paths import field_path
from models.policy.stages import STAGES, Stage

Share = Annotated[float, Meta(ge=0, le=1)]
Word = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$")]
Hour = Annotated[int, Meta(ge=0, le=24)]

END: Final = "end"
"""Where a branch goes that leads to no further step: the person is left alone, or breaks off."""

MOST_STEPS: Final = 200
"""Steps that one person goes through at most, however a script turns back on itself."""

LONGEST_HOURS: Final = 24.0 * 365
"""The longest time that a script may name."""

Do = Literal[
    "call-in",
    "call-out",
    "missed",
    "sms-in",
    "sms-out",
    "code",
    "bank-notice",
    "bank-call",
    "check-call",
    "pay",
]
NEEDS_ACTOR: Final = frozenset({"call-in", "call-out", "missed", "sms-in", "sms-out"})
TALKS: Final = frozenset({"call-in", "call-out", "bank-call", "check-call"})


class ScriptError(ValueError):
    """A script cannot be used; the message says why, ``path`` where, as in ``.steps[2].do``."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.path = path


class Spread(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A quantity that differs: log-normal, with its median and the factor within which two thirds of all lie."""

    median: Annotated[float, Meta(gt=0)]
    factor: Annotated[float, Meta(ge=1, le=20)] = 2.0


class Actor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number or domain that a gang works with; after so many hours it takes a fresh one, else it never does."""

    kind: Literal["number", "domain"]
    changes_after_h: Spread | None = None


class Branch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way on: with this share of the people to the step of this name, or to ``end``."""

    to: Word
    share: Share


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens to a person."""

    name: Word
    do: Do
    actor: Word | None = None
    link: Word | None = None
    """The actor whose domain an SMS points to."""
    text: Word | None = None
    """Which text an SMS has (`models.city.texts`)."""
    wait_min: Spread | None = None
    """Minutes since the step before, from its end; at once without."""
    during: bool = False
    """It happens while the call of the step before it goes on."""
    hours: tuple[Hour, Hour] | None = None
    """Between which hours of the day it happens; it waits until then."""
    talk_min: Spread | None = None
    """Minutes of talk."""
    loss: Spread | None = None
    """Yuan that are paid."""
    stage: Stage | None = None
    """How far the person has gone with this step."""
    then: tuple[Branch, ...] | None = None
    """The ways on; what the shares lack of 1 leads to the end. Without: the next step of the list."""


class Script(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A scam type as it is played in the city."""

    scam_type: Word
    zh: str
    en: str
    gangs: Annotated[float, Meta(gt=0, le=1000)]
    """Gangs that begin per 100,000 people and day."""
    tries: Spread
    """People whom a gang tries."""
    works_h: Spread
    """Hours for which it takes up new people."""
    hours: tuple[Hour, Hour] = (8, 22)
    """Between which hours of the day it does."""
    ages: dict[str, Annotated[float, Meta(ge=0)]] = {}
    """How much likelier than others people of an age band are to be tried."""
    actors: dict[Word, Actor]
    steps: tuple[Step, ...]

    def step(self, name: str) -> int:
        """The place of the step of this name."""
        return next(place for place, step in enumerate(self.steps) if step.name == name)


AGE_BANDS: Final = ("18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")


def checked(plain: object) -> Script:
    """The script that plain values (mappings, lists, strings, numbers) say; raises `ScriptError`.

    >>> checked({"scam_type": "loan", "gangs": "many"})
    Traceback (most recent call last):
        ...
    models.city.scripts.ScriptError: Expected `float`, got `str` - at `$.gangs`
    """
    try:
        script = msgspec.convert(plain, Script)
    except msgspec.ValidationError as error:
        raise ScriptError(str(error), field_path(error)) from None
    for path, problem in _problems(script):
        raise ScriptError(problem, path)
    return script


def _problems(script: Script) -> Iterator[tuple[str, str]]:
    """What the types do not say, each with the path of the field that it is about."""
    names = [step.name for step in script.steps]
    if not names:
        yield ".steps", "steps is empty: a script needs at least one."
    yield from _bad_hours(".hours", script.hours)
    yield from _bad_spreads("", {"tries": script.tries, "works_h": script.works_h}, {"works_h"})
    for band in script.ages:
        if band not in AGE_BANDS:
            yield f".ages.{band}", f"{band!r} is no age band: take one of {', '.join(AGE_BANDS)}."
    if script.ages and not any(script.ages.get(band, 1.0) for band in AGE_BANDS):
        yield ".ages", "No age band is left: give at least one more than 0."
    for place, step in enumerate(script.steps):
        at = f".steps[{place}]"
        if step.name == END or step.name in names[:place]:
            yield f"{at}.name", f"There can be no second step {step.name!r}: give it another name."
        yield from _bad_actors(at, step, script)
        if step.hours is not None:
            yield from _bad_hours(f"{at}.hours", step.hours)
        if step.during and (step.wait_min is not None or step.do in TALKS or step.do == "pay"):
            yield f"{at}.during", f"{step.name}: only an SMS can come during a call, and it does not wait."
        yield from _bad_spreads(at, {"wait_min": step.wait_min, "talk_min": step.talk_min}, set())
        if (step.talk_min is None) == (step.do in TALKS):
            need = "needs" if step.do in TALKS else "cannot have"
            yield at, f"{step.name}: {step.do} {need} talk_min."
        if (step.loss is None) == (step.do == "pay"):
            yield at, f"{step.name}: {step.do} {'needs' if step.do == 'pay' else 'cannot have'} loss."
        for turn, branch in enumerate(step.then or ()):
            if branch.to != END and branch.to not in names:
                near = f"{at}.then[{turn}].to"
                yield near, f"There is no step {branch.to!r}: take one of {', '.join([*names, END])}."
        if sum(branch.share for branch in step.then or ()) > 1.0 + 1e-9:
            yield f"{at}.then", f"{step.name}: the shares of its branches come to more than 1."
    if not any(step.stage == "harmed" and step.do == "pay" for step in script.steps):
        yield ".steps", f"Nobody pays: one step needs do: pay and stage: {STAGES[-1]}."


def _bad_actors(at: str, step: Step, script: Script) -> Iterator[tuple[str, str]]:
    for field, wanted in (("actor", "number"), ("link", "domain")):
        name = getattr(step, field)
        if name is None:
            continue
        actor = script.actors.get(name)
        if actor is None:
            yield f"{at}.{field}", f"There is no actor {name!r}: take one of {', '.join(script.actors) or 'none'}."
        elif actor.kind != wanted:
            yield f"{at}.{field}", f"{field} takes a {wanted}; {name} is a {actor.kind}."
    if step.do in NEEDS_ACTOR and step.actor is None:
        yield at, f"{step.name}: {step.do} needs an actor."
    if step.do not in NEEDS_ACTOR and step.actor is not None:
        yield f"{at}.actor", f"{step.name}: {step.do} cannot have an actor."
    if (step.text is None) == (step.do in ("sms-in", "sms-out")):
        yield at, f"{step.name}: {step.do} {'needs' if step.text is None else 'cannot have'} text."
    if step.link is not None and step.do != "sms-in":
        yield f"{at}.link", f"{step.name}: only sms-in can have a link."


def _bad_hours(at: str, hours: tuple[int, int]) -> Iterator[tuple[str, str]]:
    if hours[0] >= hours[1]:
        yield at, f"{hours[0]} to {hours[1]} is no part of a day: the first hour must be before the second."


def _bad_spreads(at: str, some: Mapping[str, Spread | None], in_hours: set[str]) -> Iterator[tuple[str, str]]:
    for field, spread in some.items():
        longest = LONGEST_HOURS * (1 if field in in_hours else 60)
        if spread is not None and field != "tries" and spread.median > longest:
            yield f"{at}.{field}", f"{spread.median:g} is longer than a year."
