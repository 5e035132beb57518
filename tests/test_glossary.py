"""The glossary: it has every word of the records and metrics once, with its Chinese."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prometheus_client
import pytest

from streams import metrics

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| word |")
]
WRITTEN = {word for row in ROWS for word in re.findall(r"`([^`]+)`", row[3])}
SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))


def words_of(schema: Any) -> Iterator[str]:
    """The names of fields and the listed values of a JSON Schema, at any depth."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from map(str, schema.get("enum", ()))
        if isinstance(schema.get("const"), str):
            yield schema["const"]
        for value in schema.values():
            yield from words_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from words_of(value)


def metric_words() -> set[str]:
    """The parts of the names of all metrics that Forewarn declares."""
    declared = [
        each for each in vars(metrics).values() if isinstance(each, prometheus_client.metrics.MetricWrapperBase)
    ]
    names = [family.name for metric in declared for family in metric.describe()]
    return {part for name in names for part in name.removeprefix("forewarn_").split("_")}


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.stem)
def test_the_words_of_a_schema_are_in_the_glossary(schema: Path) -> None:
    missing = set(words_of(json.loads(schema.read_text(encoding="utf-8")))) - WRITTEN

    assert missing == set(), f"docs/glossary.md lacks words of {schema.name}"


def test_the_words_of_the_metrics_are_in_the_glossary() -> None:
    missing = metric_words() - WRITTEN

    assert missing == set(), "docs/glossary.md lacks words of metric names"


def test_every_word_is_there_once_with_its_chinese_and_its_meaning() -> None:
    words = Counter(row[0] for row in ROWS)

    assert [word for word, count in words.items() if count > 1] == []
    assert [row[0] for row in ROWS if not re.search(r"[\u4e00-\u9fff]", row[1])] == []
    assert [row[0] for row in ROWS if len(row) != 4 or not row[2].endswith(".")] == []
