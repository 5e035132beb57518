"""The registry: what is kept of a subscriber comes into each of their cases, so a record cannot make it too large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.casework.cases import Person
from streams.dispatch.registry import Registry

ANN = "8610000000001"


def about(**fields: Any) -> tuple[str, Person]:
    """What the registry says about a person after one record."""
    registry = Registry()
    registry.take(ANN.encode(), json.dumps({"subscriber": ANN, **fields}).encode())
    return registry.about(ANN)


def test_a_record_says_where_a_person_is_at_home_and_what_an_officer_should_know() -> None:
    known = about(station="ps-0101", language="yue", age_band="60-69", flags=["lives-alone"])

    assert known == ("ps-0101", Person("yue", "60-69", ("lives-alone",)))


@pytest.mark.parametrize("name", ["station", "language", "age_band"])
def test_a_text_that_no_case_could_hold_is_not_taken(name: str) -> None:
    """Such a record made the case of its person larger than a record of Kafka, and the dispatcher ended."""
    assert about(**{name: "x" * 101}) == ("", Person())


@pytest.mark.parametrize("flags", [["x" * 51], [f"flag-{number}" for number in range(51)]])
def test_flags_that_no_case_could_hold_are_not_taken(flags: list[str]) -> None:
    assert about(flags=flags) == ("", Person())
