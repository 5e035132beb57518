"""Scripts: how one type of scam proceeds, step by step, as data that an analyst can write.

A script is one YAML file (`docs/city.md` explains each field; `streams.files.scam_scripts` reads it). The check is
strict: it reports unknown fields, missing fields and impossible values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.base.field_paths import field_path
from models.policy.stages import STAGES, Stage

Share = Annotated[float, Meta(ge=0, le=1)]
Word = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$")]
Hour = Annotated[int, Meta(ge=0, le=24)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]

END: Final = "end"
"""The target of a branch without a further step: the gang leaves the person alone, or the person breaks off."""

MOST_STEPS: Final = 200
"""The most steps that one person goes through, even if a script loops."""

LONGEST_HOURS: Final = 24.0 * 365
"""The longest duration that a script may contain, in hours."""

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
    """A script cannot be used; the message says why, and ``path`` says where, as in ``.steps[2].do``."""

    def __init__(self, problem: str, path: str = "") -> None:
        super().__init__(problem)
        self.path = path


class Spread(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A log-normal quantity: its median, and the factor around it within which two thirds of all values lie."""

    median: Annotated[float, Meta(gt=0)]
    factor: Annotated[float, Meta(ge=1, le=20)] = 2.0


class Actor(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number or domain that a gang uses.

    After ``changes_after_h`` hours the gang takes a fresh one; without that field it never does.
    """

    kind: Literal["number", "domain"]
    changes_after_h: Spread | None = None


class Branch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One possible continuation: this share of the people goes to the step with this name, or to ``end``."""

    to: Word
    share: Share


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens to a person."""

    name: Word
    do: Do
    actor: Word | None = None
    link: Word | None = None
    """The actor whose domain an SMS links to."""
    names: Word | None = None
    """The actor whose number an SMS tells people to ring."""
    text: Word | None = None
    """The name of an SMS's text: one of the script's own ``texts``, or else of `models.city.texts`."""
    wait_min: Spread | None = None
    """Minutes from the end of the previous step; without it the step happens at once."""
    during: bool = False
    """Whether the step happens while the previous step's call is still running."""
    hours: tuple[Hour, Hour] | None = None
    """The hours of the day between which the step happens; outside them it waits."""
    talk_min: Spread | None = None
    """Minutes of talk."""
    loss: Spread | None = None
    """Yuan that the person pays."""
    stage: Stage | None = None
    """The stage that the person reaches with this step."""
    then: tuple[Branch, ...] | None = None
    """The branches; if their shares add up to less than 1, the rest ends. Without: the next step of the list."""


class Script(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scam type as gangs in the city carry it out."""

    scam_type: Word
    zh: str
    en: str
    gangs: Annotated[float, Meta(gt=0, le=1000)]
    """Gangs that start per 100,000 people and day."""
    tries: Spread
    """The number of people that a gang tries."""
    works_h: Spread
    """Hours during which a gang contacts new people."""
    hours: tuple[Hour, Hour] = (8, 22)
    """The hours of the day between which a gang contacts new people."""
    ages: dict[str, Annotated[float, Meta(ge=0)]] = {}
    """The relative likelihood that people of an age band are tried; 1 for bands that are not listed."""
    actors: dict[Word, Actor]
    texts: dict[Word, Annotated[tuple[Text, ...], Meta(min_length=1)]] = {}
    """Texts that only this script uses, by name; each SMS takes one of them at random."""
    steps: tuple[Step, ...]

    def step(self, name: str) -> int:
        """The position of the step with this name."""
        return next(place for place, step in enumerate(self.steps) if step.name == name)


AGE_BANDS: Final = ("18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")


def checked(plain: object) -> Script:
    """Build a script from plain values (mappings, lists, strings, numbers); raises `ScriptError`.

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
    """The problems that the types do not exclude, each with the path of its field."""
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
    yield from _bad_texts(script)
    harms = {place for place, step in enumerate(script.steps) if step.do == "pay" and step.stage == STAGES[-1]}
    if not harms:
        yield ".steps", f"Nobody pays: one step needs do: pay and stage: {STAGES[-1]}."
    elif not harms & _reached(script):
        yield f".steps[{min(harms)}]", f"Nobody pays: no branch leads to {script.steps[min(harms)].name!r}."


def _reached(script: Script) -> set[int]:
    """The positions of the steps that a person can come to."""
    reached: set[int] = set()
    ahead = {0}
    while ahead:
        place = ahead.pop()
        reached.add(place)
        then = script.steps[place].then
        following = (
            {place + 1} & set(range(len(script.steps)))
            if then is None
            else {script.step(branch.to) for branch in then if branch.to != END and branch.share > 0}
        )
        ahead |= following - reached
    return reached


def _bad_texts(script: Script) -> Iterator[tuple[str, str]]:
    for name, texts in script.texts.items():
        for turn, text in enumerate(texts):
            for blank in re.findall(r"{[^}]*}?", text):
                if re.fullmatch(r"{(n[1-8]|link|number)}", blank) is None:
                    near, known = f".texts.{name}[{turn}]", "{link}, {number}, or {n1} to {n8} for digits"
                    yield near, f"{blank} stands for nothing: take {known}."
    for place, step in enumerate(script.steps):
        for text in script.texts.get(step.text or "", ()):
            for field, blank in (("link", "{link}"), ("names", "{number}")):
                if blank in text and getattr(step, field) is None:
                    yield f".steps[{place}].text", f"{step.name}: the text has {blank}, so the step needs {field}."


def _bad_actors(at: str, step: Step, script: Script) -> Iterator[tuple[str, str]]:
    for field, wanted in (("actor", "number"), ("link", "domain"), ("names", "number")):
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
    for field in ("link", "names"):
        if getattr(step, field) is not None and step.do != "sms-in":
            yield f"{at}.{field}", f"{step.name}: only sms-in can have {field}."


def _bad_hours(at: str, hours: tuple[int, int]) -> Iterator[tuple[str, str]]:
    if hours[0] >= hours[1]:
        yield at, f"{hours[0]} to {hours[1]} is no part of a day: the first hour must be before the second."


def _bad_spreads(at: str, some: Mapping[str, Spread | None], in_hours: set[str]) -> Iterator[tuple[str, str]]:
    for field, spread in some.items():
        longest = LONGEST_HOURS * (1 if field in in_hours else 60)
        if spread is not None and field != "tries" and spread.median > longest:
            yield f"{at}.{field}", f"{spread.median:g} is longer than a year."
