"""The table of protected numbers: it is complete and well-formed."""

from __future__ import annotations

import re

import pytest

from models.indicators.hotlines import NAMES, PROTECTED


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("110", "police"),
        ("96110", "police"),
        ("12381", "police"),
        ("114", "directory"),
        ("95588", "bank"),
        ("95533", "bank"),
        ("12345", "authority"),
        ("10086", "carrier"),
    ],
)
def test_who_must_never_be_accused_is_in_the_table(number: str, kind: str) -> None:
    """The police and anti-fraud lines, the banks, the authorities, the carriers."""
    assert PROTECTED[number] == kind


def test_every_entry_is_a_short_code_with_a_name() -> None:
    """A mistyped entry would protect nobody."""
    assert set(NAMES) == set(PROTECTED)
    assert all(re.fullmatch(r"(?:1\d{2}|1\d{4}|9\d{2}|9[56]\d{3})", number) for number in PROTECTED)
    assert all(name.strip() for name in NAMES.values())


def test_the_table_cannot_be_changed_by_accident() -> None:
    """One place alone decides which numbers are protected."""
    with pytest.raises(TypeError):
        PROTECTED["110"] = "carrier"  # type: ignore[index]
