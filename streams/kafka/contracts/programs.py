"""Programs: reads the block ``programs`` of ``topics.yaml``: who connects to Kafka, and under which names."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from streams.kafka.contracts.model import Program

Report = Callable[[str, str], object]
"""Takes the path of a field and what is wrong with it."""

FLAGS: Final = ("manages_topics", "reads_configs")
FIELDS: Final = ("description", "principals", "groups", "transactions", *FLAGS)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PRINCIPAL = re.compile(r"[A-Za-z]+:[^\x00-\x1f]+")
_PATTERN = re.compile(r"(\{group\})?[A-Za-z0-9._-]*\*?")


def programs_of(fields: dict[str, Any], mapping: Callable[..., dict[str, Any]], report: Report) -> dict[str, Program]:
    """The programs that the block declares; what is wrong is reported and left out.

    ``mapping`` checks a mapping's fields (`streams.kafka.contracts.reading`).
    """
    programs = {}
    for name, spec in mapping(fields.get("programs", {}), "programs", None).items():
        where = f"programs.{name}"
        if not _NAME.fullmatch(name):
            report(where, "is no name of a program; take up to 64 small letters, digits and '-'")
            continue
        given = mapping(spec, where, FIELDS)
        description, flags = given.get("description"), {flag: given.get(flag, False) for flag in FLAGS}
        if not (isinstance(description, str) and description.strip()):
            report(f"{where}.description", "must be a text that says what the program does")
        for flag, value in flags.items():
            if not isinstance(value, bool):
                report(f"{where}.{flag}", "must be true or false")
        programs[name] = Program(
            name=name,
            description=str(description).strip(),
            principals=_principals(given.get("principals", [f"User:forewarn-{name}"]), where, report),
            groups=_patterns(given.get("groups", []), f"{where}.groups", report),
            transactions=_patterns(given.get("transactions", []), f"{where}.transactions", report),
            manages_topics=flags["manages_topics"] is True,
            reads_configs=flags["reads_configs"] is True,
        )
    return programs


def _principals(values: object, where: str, report: Report) -> tuple[str, ...]:
    place = f"{where}.principals"
    principals = _texts(values, place, report)
    for each in principals:
        if not _PRINCIPAL.fullmatch(each):
            report(place, f"{each!r} is no principal of Kafka; User:forewarn-worker is one")
        elif each.endswith(":*"):
            report(place, f"{each} would give the rights of this program to everybody; name its own user")
    return principals


def _patterns(values: object, where: str, report: Report) -> tuple[str, ...]:
    patterns = _texts(values, where, report)
    for each in patterns:
        if not _PATTERN.fullmatch(each) or each in ("", "*"):
            report(where, f"{each!r} is no name here; take letters, digits, '.', '_', '-', first {{group}}, last *")
    return patterns


def _texts(values: object, where: str, report: Report) -> tuple[str, ...]:
    if isinstance(values, list) and all(isinstance(each, str) for each in values):
        return tuple(values)
    report(where, 'must be a list of texts, ["{group}"] for example')
    return ()
