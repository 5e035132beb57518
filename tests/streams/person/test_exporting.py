"""An export has the person's own records, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec

from streams.person.exporting import Export, encode, records_of
from streams.person.topic_search import Held
from tests.casework import ANN
from tests.streams.person.test_proof import NOTHING

BO = "8610000000002"


def record(key: str, value: bytes | None) -> Any:
    """A record as aiokafka gives it."""
    return SimpleNamespace(key=key.encode(), value=value, timestamp=0)


def about(**fields: str) -> bytes:
    """The value of a record."""
    return msgspec.json.encode(fields)


TOPICS = {
    "alerts": Held([record(ANN, about(subscriber=ANN)), record(BO, about(subscriber=BO, peer=ANN))]),
    "dispatch-feedback": Held([record("e1", about(case="e1")), record("e9", about(case="e9", note=ANN))]),
    "dispatch": Held([record("e1", about(case="e1", subscriber=ANN)), record("e9", about(case="e9", subscriber=BO))]),
    "indicators": Held([record(f"number:{ANN}", b"no JSON")]),
    "subscribers": Held([record(ANN, None)]),
}


def test_only_what_is_about_the_person_is_exported() -> None:
    """A case of somebody else may name the number in a note."""
    found = records_of(replace(NOTHING, topics=TOPICS))

    assert {name: [each.key for each in records] for name, records in found.items()} == {
        "alerts": [ANN],
        "dispatch": ["e1"],
        "dispatch-feedback": ["e1"],
        "indicators": [f"number:{ANN}"],
        "subscribers": [ANN],
    }
    document = Export(
        number=ANN, case="A-1", at="", contacts=[], signals=[], alerts=[], reminders=[], records=found, not_included=[]
    )
    read = msgspec.json.decode(encode(document))
    assert [read["records"][name][0].get("value") for name in ("indicators", "subscribers")] == ["no JSON", None]
    assert BO not in encode(document).decode()
