"""Numbering: reads the block ``numbering`` of ``topics.yaml``: which sources there are, and how each writes numbers.

A source takes over every field of ``default`` that it does not name itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import phonenumbers

from models.events.numbering import CHINA, Numbering, Sources

Report = Callable[[str, str], object]
"""Takes the path of a field and what is wrong with it."""

FIELDS: Final = ("country_code", "international_prefixes", "trunk_prefix", "carrier_selection")
MOST_SOURCES: Final = 200
"""The code of a source is a byte in the columns of events (`models.events.batches`)."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGITS = re.compile(r"[0-9]{1,6}")


def sources_of(fields: dict[str, Any], mapping: Callable[..., dict[str, Any]], report: Report) -> Sources:
    """The sources that the block declares; what is wrong is reported, and the default takes its place.

    ``mapping`` checks a mapping's fields (`streams.kafka.contracts.reading`).
    """
    block = mapping(fields.get("numbering", {}), "numbering", ("default", "sources"))
    default = _numbering(block.get("default", {}), "numbering.default", CHINA.numbering(0), mapping, report)
    declared = mapping(block.get("sources", {}), "numbering.sources", None)
    if len(declared) > MOST_SOURCES:
        report("numbering.sources", f"has more than {MOST_SOURCES} sources")
        return Sources(default, {})
    found = {}
    for name, spec in declared.items():
        where = f"numbering.sources.{name}"
        if not _NAME.fullmatch(name):
            report(where, "is no name of a source; take up to 64 letters, digits, '.', '_' and '-'")
            continue
        found[name] = _numbering(spec or {}, where, default, mapping, report)
    return Sources(default, found)


def _numbering(
    spec: object, where: str, base: Numbering, mapping: Callable[..., dict[str, Any]], report: Report
) -> Numbering:
    fields = asdict(base) | mapping(spec, where, FIELDS)
    code, trunk = fields["country_code"], fields["trunk_prefix"]
    abroad, selection = fields["international_prefixes"], fields["carrier_selection"]
    if not (_is_digits(code) and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE):
        report(f"{where}.country_code", 'must be the digits of a country code in quotes, "86" for example')
    elif not (trunk == "" or _is_digits(trunk)):
        report(f"{where}.trunk_prefix", 'must be digits in quotes, or "" where there is none')
    elif not _are_digits(abroad):
        report(f"{where}.international_prefixes", 'must be a list of digits in quotes, ["00"] for example')
    elif not _are_digits(selection):
        report(f"{where}.carrier_selection", 'must be a list of digits in quotes, ["17951"] for example')
    elif wrong := [one for one in selection if len(one) < 5 or one.startswith(("0", code, "106"))]:
        report(
            f"{where}.carrier_selection",
            f"{wrong[0]} would be cut off real numbers; such a prefix has 5 or 6 digits and begins like no number",
        )
    else:
        return Numbering(code, tuple(abroad), trunk, tuple(selection))
    return base


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and _DIGITS.fullmatch(value) is not None


def _are_digits(values: object) -> bool:
    return isinstance(values, (list, tuple)) and all(map(_is_digits, values))
