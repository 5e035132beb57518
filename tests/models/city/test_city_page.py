"""The page about the city: its example script can be played."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from models.city.scripts import NEEDS_ACTOR, TALKS, Do
from streams.files.scam_scripts import parse

PAGE = (Path(__file__).parents[3] / "docs" / "city.md").read_text(encoding="utf-8")


def test_the_pages_script_is_good_and_its_table_complete() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    script = parse(found.group(1).encode(), "docs/city.md")
    assert {step.do for step in script.steps} == {"sms-in", "call-out", "pay", "bank-notice"}
    rows = [
        line.split("|")
        for line in PAGE.splitlines()
        if line.startswith("| `") and "jsonl" not in line and "| needs |" not in line
    ]
    told = {do: row[2] for row in rows for do in re.findall(r"`([a-z-]+)`", row[1])}
    assert told.keys() == set(get_args(Do))
    for do, needs in told.items():
        assert ("`actor`" in needs) == (do in NEEDS_ACTOR)
        assert ("`talk_min`" in needs) == (do in TALKS)
