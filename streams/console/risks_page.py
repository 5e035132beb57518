"""The pages of risky numbers and accounts: the list, and one risk with its evidence and the decisions on it.

Numbers are masked. Whoever may see the numbers of look-ups may have a whole one shown, for a case.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Literal

from fastapi import APIRouter, Request, Response

from models.access.rights import may
from models.risks.numbers import NumberEvidence
from models.risks.risk import NEXT, Decision, Risk, RiskError, State, urgency
from streams.console import authorisation
from streams.console.console import console_of
from streams.console.framing import page, scene_of, word
from streams.console.masking import masked
from streams.console.presenting import Scene
from streams.console.refusals import Refused
from streams.console.risk_desk import possible
from streams.console.words import WORDS

router = APIRouter(include_in_schema=False)

MOST: Final = 200
"""Numbers, and accounts, on one page."""
_DONE: Final[frozenset[State]] = frozenset({"dismissed", "acted-on"})
_RULE: Final = [authorisation.requires("decide-risks")]
_FIELDS: Final = ("case", "to", "note")

Decided = Literal["confirmed", "dismissed", "handed-over", "acted-on", "declined"]


@router.get("/risks", dependencies=_RULE)
async def risks(request: Request, show: Literal["todo", "done"] = "todo") -> Response:
    """The risks about which something is to be done, or those that are done with."""
    scene = scene_of(request)
    known = sorted((await console_of(request).risks.standing()).values(), key=urgency)
    shown = [each for each in known if (each.status in _DONE) is (show == "done")]
    numbers = [each for each in shown if each.type == "number"]
    accounts = [each for each in shown if each.type == "account"]
    return page(
        request,
        "risks",
        here="risks",
        back=f"/risks?show={show}",
        done=show == "done",
        counts=(sum(each.status not in _DONE for each in known), sum(each.status in _DONE for each in known)),
        numbers=[_row(each, scene) for each in numbers[:MOST]],
        accounts=[_row(each, scene) for each in accounts[:MOST]],
        most=MOST,
        cut=(len(numbers) > MOST, len(accounts) > MOST),
    )


@router.get("/risks/{name}", dependencies=_RULE)
async def risk_page(request: Request, name: str) -> Response:
    """One risk; the audit log records who looks at it."""
    risk = await console_of(request).risks.risk(name)
    await _note(request, "", risk, is_masked=True)
    return _one(request, risk)


@router.post("/risks/{name}/number", dependencies=[authorisation.requires("see-numbers-found")])
async def whole_number(request: Request, name: str) -> Response:
    """The risk with its whole number, for a case."""
    typed = await authorisation.form(request)
    risk, case = await console_of(request).risks.risk(name), typed.get("case", "").strip()[:200]
    if not case:
        return _one(request, risk, typed, "wrong", HTTPStatus.UNPROCESSABLE_ENTITY)
    await _note(request, case, risk, is_masked=False)
    return _one(request, risk, is_masked=False)


@router.post("/risks/{name}/{state}", dependencies=_RULE)
async def decide(request: Request, name: str, state: Decided) -> Response:
    """The risk after a decision; or as it is, with what is wrong."""
    console, typed = console_of(request), await authorisation.form(request)
    fields = {field: typed.get(field, "").strip() for field in _FIELDS}
    risk = await console.risks.risk(name)
    try:
        decision = Decision(state=state, at=console.now(), who=authorisation.user(request).name, **fields)
        possible(risk, decision)  # what is not possible is not noted
        await authorisation.note(
            request, "risk-decided", case=decision.case, about=(risk.about,), details={"state": state}
        )
        return _one(request, await console.risks.decide(name, decision), done=True)
    except RiskError:
        return _one(request, risk, typed, "wrong", HTTPStatus.UNPROCESSABLE_ENTITY)
    except Refused as refused:
        return _one(request, risk, typed, refused.error, refused.status)


async def _note(request: Request, case: str, risk: Risk, *, is_masked: bool) -> None:
    await authorisation.note(request, "risk-shown", case=case, about=(risk.about,), details={"masked": is_masked})


def _one(
    request: Request,
    risk: Risk,
    typed: Mapping[str, str] | None = None,
    wrong: str = "",
    status: HTTPStatus = HTTPStatus.OK,
    *,
    is_masked: bool = True,
    done: bool = False,
) -> Response:
    scene = scene_of(request)
    key = f"risks.{wrong}"
    return page(
        request,
        "risk",
        status,
        here="risks",
        address=f"/risks/{risk.id}",
        title=_title(risk, is_masked),
        kind=word(request, f"risks.{risk.type}"),
        status_word=word(request, f"risk.{risk.status}"),
        facts=_facts(risk, scene),
        decisions=_decisions(risk, scene),
        possible=NEXT[risk.status],
        sees_number=risk.type == "number" and is_masked and may(authorisation.user(request), "see-numbers-found"),
        typed=typed or {},
        wrong=word(request, key if key in WORDS else "risks.unavailable") if wrong else "",
        done=done,
    )


def _title(risk: Risk, is_masked: bool = True) -> str:
    evidence = risk.evidence
    if not isinstance(evidence, NumberEvidence):
        return evidence.account.masked
    return masked(evidence.number) if is_masked else evidence.number


def _row(risk: Risk, scene: Scene) -> tuple[str, list[str], bool]:
    """The address of a risk's page, the cells of its line, and whether it is a hub."""
    evidence, status = risk.evidence, scene.word(f"risk.{risk.status}")
    if isinstance(evidence, NumberEvidence):
        counts = [f"{count:,}" for count in (evidence.people, evidence.victims, evidence.active_days)]
        cells = [_title(risk), status, f"{evidence.probability:.2f}", *counts, scene.at(evidence.last_seen)]
        return f"/risks/{risk.id}", cells, False
    counts = [f"{count:,}" for count in (evidence.points, evidence.cases, evidence.victims)]
    money = _levels(evidence.levels, scene), f"{evidence.received_cny:,.0f}"
    return f"/risks/{risk.id}", [_title(risk), status, *counts, *money, scene.at(evidence.last_seen)], risk.is_hub


def _levels(levels: tuple[int, ...], scene: Scene) -> str:
    keys = (f"risks.level.{each}" for each in levels)
    words = (
        scene.word(key) if key in WORDS else scene.word("risks.level", n=each)
        for key, each in zip(keys, levels, strict=True)
    )
    return ("、" if scene.language == "zh" else ", ").join(words)


def _facts(risk: Risk, scene: Scene) -> list[tuple[str, str]]:
    """The evidence, line by line: what it is, and how much."""
    evidence = risk.evidence
    if isinstance(evidence, NumberEvidence):
        facts = [
            ("probability", f"{evidence.probability:.2f}"),
            ("people", f"{evidence.people:,}"),
            ("begun", f"{evidence.begun:,}"),
            ("calls", f"{evidence.calls:,}"),
            ("guided", f"{evidence.guided:,}"),
            ("about-codes", f"{evidence.about_codes:,}"),
            ("again", f"{evidence.again:,}"),
            ("victims", f"{evidence.victims:,}"),
            ("active-days", f"{evidence.active_days:,}"),
            ("is-subscriber", scene.word("risks.yes" if evidence.is_subscriber else "risks.unknown")),
        ]
    else:
        fastest = "–" if evidence.fastest_min is None else f"{evidence.fastest_min:,.1f}"
        facts = [
            ("points", f"{evidence.points:,}"),
            ("cases", f"{evidence.cases:,}"),
            ("named-cases", ", ".join(evidence.named_cases)),
            ("victims", f"{evidence.victims:,}"),
            ("banks", ", ".join(evidence.banks)),
            ("levels", _levels(evidence.levels, scene)),
            ("payments", f"{evidence.payments:,}"),
            ("received", f"{evidence.received_cny:,.2f}"),
            ("frozen", f"{evidence.frozen_cny:,.2f}"),
            ("passed-on", f"{evidence.passed_on:,}"),
            ("fastest", fastest),
        ]
    facts += [("first", scene.at(evidence.first_seen)), ("last", scene.at(evidence.last_seen))]
    return [(scene.word(f"risks.{name}"), value) for name, value in facts]


def _decisions(risk: Risk, scene: Scene) -> list[tuple[str, str, str, str]]:
    """When, what, by whom for which case, and what was said, the newest first."""
    return [
        (
            scene.at(each.at),
            " ".join(filter(None, (scene.word(f"risk.{each.state}"), each.to))),
            scene.word("risks.who", who=each.who, case=each.case),
            each.note,
        )
        for each in reversed(risk.decisions)
    ]
