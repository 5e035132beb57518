"""Outcomes of officers, live: reading them from the topic gives the same as reading a file of the same records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.training.outcomes import OutcomeError, of_file, of_topic
from tests.site import Site

AT = 1_773_700_000_000


def feedback(case: str, outcome: str, after: int = 0) -> dict[str, Any]:
    """A feedback record of the topic."""
    record = {"id": f"{case}-{after}", "case": case, "kind": "outcome", "at": AT + after, "unit": "ps-0101"}
    return record | {"outcome": outcome}


async def test_the_topic_says_what_a_file_says(site: Site, tmp_path: Path) -> None:
    assert (await of_topic(site.settings)).by_case == {}
    records = [feedback("a", "unreachable"), feedback("b", "dissuaded"), feedback("a", "refused", 1)]
    records += [feedback(f"c{number}", "already-aware") for number in range(20)]
    records.insert(1, {"id": "d", "case": "d", "kind": "acknowledged", "at": AT, "unit": "ps-0101"})
    tell(site, *records)
    path = tmp_path / "outcomes.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))

    outcomes = await of_topic(site.settings)

    assert outcomes.by_case == of_file(path).by_case
    assert outcomes.by_case["a"] == "refused"
    assert outcomes.places["b"].startswith(f"{site.settings.topic('dispatch-feedback')}, partition ")


async def test_a_wrong_record_of_the_topic_is_named_by_its_offset(site: Site) -> None:
    tell(site, feedback("a", "rescued"))
    with pytest.raises(OutcomeError, match=r"dispatch-feedback, partition \d+, offset 0: the outcome 'rescued'"):
        await of_topic(site.settings)


def tell(site: Site, *records: dict[str, Any]) -> None:
    """Send records, keyed by their case as the contract requires."""
    with site.producer() as producer:
        for record in records:
            topic = site.settings.topic("dispatch-feedback")
            producer.send(topic, key=record["case"].encode(), value=json.dumps(record).encode())
