"""Risk lines: risky numbers and accounts as ``forewarn risks`` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
import msgspec
from msgspec.structs import replace

from models.risks.numbers import NumberEvidence
from models.risks.risk import Risk, encode
from streams.cli.hunt import moment
from streams.console.masking import masked


def veiled(risk: Risk) -> Risk:
    """The risk with its number masked; accounts are kept masked."""
    evidence = risk.evidence
    if not isinstance(evidence, NumberEvidence):
        return risk
    return replace(risk, evidence=replace(evidence, number=masked(evidence.number)))


def write_json(some: Iterable[Risk]) -> None:
    """Write records as JSON Lines."""
    out = click.get_binary_stream("stdout")
    out.writelines(encode(each) + b"\n" for each in some)
    out.flush()


HEAD: Final = ("id", "type", "value", "status", "score", "people or cases", "victims", "first", "last")


def row(risk: Risk) -> tuple[str, ...]:
    """The cells of a line of the table under `HEAD`."""
    evidence = risk.evidence
    if isinstance(evidence, NumberEvidence):
        facts: Sequence[str] = evidence.number, risk.status, f"{evidence.probability:.2f}", f"{evidence.people:,}"
    else:
        facts = evidence.account.masked, risk.status, f"{evidence.points:,} points", f"{evidence.cases:,}"
    times = moment(evidence.first_seen), moment(evidence.last_seen)
    return (risk.id, risk.type, *facts, f"{evidence.victims:,}", *times)


def lines(risk: Risk) -> list[tuple[str, str]]:
    """The fields of a risk, each with its name; decisions in order."""
    fields = {**msgspec.to_builtins(risk.evidence), "id": risk.id, "status": risk.status, "found_at": risk.found_at}
    written = [(name, _said(name, value)) for name, value in fields.items()]
    for each in risk.decisions:
        words = " ".join(filter(None, (each.state, each.to, f"by {each.who}", f"case {each.case}", each.note)))
        written.append((moment(each.at), words))
    return written


def _said(name: str, value: Any) -> str:
    if name in ("first_seen", "last_seen", "found_at"):
        return moment(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value["masked"] if isinstance(value, dict) else str(value)
