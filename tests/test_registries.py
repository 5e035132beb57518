"""The registries: anything a kind of signal or a scam type lacks outside of its entry is reported with its file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from models.detection.evidence import Evidence
from models.detection.features import CONTACT_FEATURES, CONTEXT_FEATURES
from models.detection.kinds import (
    CONTACTS,
    CONTEXTS,
    KINDS,
    LEDGER_KINDS,
    ContactFeature,
    ContactKind,
    Context,
    ContextFeature,
    ContextKind,
    Kind,
    KindName,
    by_name,
)
from models.detection.signals import Signal
from models.indicators.scam_types import ENTRIES, ScamType
from models.lookback.contacts import CONTEXT_KINDS
from streams.files.scam_scripts import OURS as SCRIPTS
from streams.files.scam_scripts import read_scripts
from streams.signals_page import page
from tests.strategies import POLICY, T0

ROOT = Path(__file__).parents[1]
ALL_KINDS = tuple(KINDS.values())
LAST = KINDS["bank-notice"]
assert isinstance(LAST, Context)
NEW_KIND = replace(LAST, name="new-kind", ledger=len(CONTEXTS))
NEW_TYPE = ScamType(name="new-type", zh="新型诈骗", en="new fraud", advice=None)


@dataclass(frozen=True)
class Lack:
    """A file that lacks something for a registry's entry, and what to add."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def lacks_of_kinds(kinds: Sequence[Kind]) -> Iterator[Lack]:
    """What is missing for kinds of signal outside of their entries."""
    file = "schemas/signals-v1.json"
    listed = json.loads((ROOT / file).read_text(encoding="utf-8"))["properties"]["code"]["enum"]
    codes = [kind.name for kind in kinds]
    for code in codes:
        if code not in listed:
            yield Lack(
                file,
                f"add {code!r} to the enum of `code`, then python -m streams.kafka.contracts.page > docs/topics.md",
            )
    for code in listed:
        if code not in codes:
            yield Lack("models/detection/kinds.py", f"add an entry for {code!r}, which {file} lists")
    for kind in kinds:
        for name, words, han in (("zh", kind.zh, True), ("en", kind.en, False)):
            if bool(re.search("[\u4e00-\u9fff]", words)) is not han:
                yield Lack("models/detection/kinds.py", f"write the words of {kind.name!r} in `{name}`")
    if (ROOT / "docs/signals.md").read_text(encoding="utf-8") != page(kinds):
        yield Lack(
            "docs/signals.md",
            "the page is not what the registries say; python -m streams.signals_page > docs/signals.md",
        )


def lacks_of_scam_types(scam_types: Sequence[ScamType]) -> Iterator[Lack]:
    """What is missing for scam types outside of their entries."""
    played = {script.scam_type for _, script in read_scripts(SCRIPTS)}
    for each in scam_types:
        book = f"models/casework/playbooks/{each.name}.yaml"
        if not (ROOT / book).exists():
            yield Lack(book, f"write the playbook of {each.name!r} (docs/playbooks.md)")
        if each.name not in played:
            yield Lack(f"models/city/scripts/{each.name}.yaml", f"write a script of {each.name!r} (docs/city.md)")
    if (ROOT / "docs/signals.md").read_text(encoding="utf-8") != page(scam_types=scam_types):
        yield Lack(
            "docs/signals.md",
            "the page is not what the registries say; python -m streams.signals_page > docs/signals.md",
        )


def said(lacks: Iterator[Lack]) -> str:
    """The lacks, one a line; empty if there are none."""
    return "\n".join(map(str, lacks))


def test_nothing_is_lacking_for_any_kind_of_signal() -> None:
    """Each line of the message names a file and what to add to it."""
    assert said(lacks_of_kinds(ALL_KINDS)) == ""


def test_nothing_is_lacking_for_any_scam_type() -> None:
    """Each line of the message names a file and what to add to it."""
    assert said(lacks_of_scam_types(ENTRIES)) == ""


def test_what_a_new_kind_lacks_would_be_said() -> None:
    """A schema entry, words in one language, and a row of the page."""
    found = said(lacks_of_kinds((*ALL_KINDS, replace(NEW_KIND, zh="rang"))))

    assert "schemas/signals-v1.json: add 'new-kind' to the enum" in found
    assert "models/detection/kinds.py: write the words of 'new-kind' in `zh`" in found
    assert "docs/signals.md: the page is not what the registries say" in found


def test_a_code_of_the_schema_without_an_entry_would_be_said() -> None:
    """Otherwise a record could be accepted whose code is unknown."""
    found = said(lacks_of_kinds([kind for kind in ALL_KINDS if kind is not LAST]))

    assert "models/detection/kinds.py: add an entry for 'bank-notice', which schemas/signals-v1.json lists" in found


def test_what_a_new_scam_type_lacks_would_be_said() -> None:
    """A playbook, a script, and a row of the page."""
    found = said(lacks_of_scam_types((*ENTRIES, NEW_TYPE)))

    assert "models/casework/playbooks/new-type.yaml: write the playbook of 'new-type'" in found
    assert "models/city/scripts/new-type.yaml: write a script of 'new-type'" in found
    assert "docs/signals.md: the page is not what the registries say" in found


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (ALL_KINDS[1:], "'fraud-number-call' has no entry"),
        ((*ALL_KINDS, ALL_KINDS[0]), "'fraud-number-call' has two entries"),
        ((*ALL_KINDS, replace(NEW_KIND, ledger=0)), "the next free number in the ledger"),
        ((*ALL_KINDS, replace(NEW_KIND, ledger=9)), "the next free number in the ledger"),
        ((*ALL_KINDS, replace(NEW_KIND, rule="code")), "'new-kind' needs the rule and the feature 'code', or neither"),
    ],
)
def test_a_registry_that_cannot_be_is_refused_at_import(entries: Sequence[Kind], words: str) -> None:
    """Before any number is written to the ledger."""
    with pytest.raises(ValueError, match=rf"^models/detection/kinds\.py: .*{words}"):
        by_name(entries)


def test_a_code_is_a_contact_or_a_context_and_in_the_registry() -> None:
    """The types, the sets and the entries agree."""
    assert set(get_args(ContactKind)) == CONTACTS
    assert set(get_args(ContextKind)) == CONTEXTS
    assert set(get_args(KindName)) == KINDS.keys()


def test_every_kind_counts_in_a_feature_that_has_points() -> None:
    """`ContactPoints` and `ContextPoints` are the first fields of `Features`."""
    assert set(get_args(ContactFeature)) <= set(CONTACT_FEATURES)
    assert set(get_args(ContextFeature)) <= set(CONTEXT_FEATURES)


def test_numbers_in_the_ledger_are_those_that_have_been_written() -> None:
    """A changed number would turn stored codes into bank calls. New kinds are added at the end."""
    assert LEDGER_KINDS[:5] == ("verification-code", "bank-notice", "bank-call", "check-call", "long-call")
    assert CONTEXT_KINDS == LEDGER_KINDS


def test_a_signal_of_a_newer_version_counts_for_nothing() -> None:
    """A checkpoint of a newer version may hold such a signal, and must still be readable after a downgrade."""
    evidence = Evidence(POLICY.windows, 0)
    evidence.take(Signal(T0, "fraud-number-callback", "c", "999", "number:999", "loan", 90))
    before = evidence.at(T0 + 1)

    assert not evidence.take(Signal(T0 + 1, "not-known-yet", "d"))
    assert evidence.at(T0 + 1) == before
    assert evidence.context == []
