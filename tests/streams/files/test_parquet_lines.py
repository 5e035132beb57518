"""Parquet: a table with a column for each field is read as the lines of JSON that have the same fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.files.records import RecordFiles, RefusedLine
from streams.files.text_lines import FileError
from tests.site import call
from tests.strategies import CALLS, MESSAGES, T0

ANN = "8610000000001"


def parquet(path: Path, columns: dict[str, Any]) -> Path:
    """A Parquet file of these columns."""
    pq.write_table(pa.table(columns), path)
    return path


def test_calls_of_a_table_are_those_of_lines(tmp_path: Path) -> None:
    told = [call(ANN, T0 + number, id=f"c{number}") for number in range(3)]
    told[1] |= {"phase": "end", "duration_s": 12.5, "cell": 'a "cell"\n'}
    lines, table, refused = tmp_path / "calls.jsonl", tmp_path / "calls", list[RefusedLine]()
    lines.write_text("".join(f"{json.dumps(each)}\n" for each in told), encoding="utf-8")
    columns = {name: [each.get(name) for each in told] for name in (*told[1], "source")}
    columns["at"] = [datetime.fromtimestamp(each["at"] / 1000, UTC) for each in told]
    columns["phase"] = pa.array(columns["phase"]).dictionary_encode()

    (of_table,) = RecordFiles([parquet(table, columns)], CALLS.read, refused.append).chunks()
    (of_lines,) = RecordFiles([lines], CALLS.read, refused.append).chunks()

    assert [*of_table] == [*of_lines]
    assert of_table.durations.tolist() == [-1.0, 12.5, -1.0]
    assert not refused


def test_sms_of_a_table_have_their_texts_and_domains(tmp_path: Path) -> None:
    texts = ["验证码 482913", None, 'say "hi"\\ \t😀']
    domains = [None, ["evil.example"], []]
    columns = {name: [value] * 3 for name, value in {"subscriber": ANN, "direction": "in", "at": T0}.items()}
    file = parquet(tmp_path / "sms", columns | {"id": ["a", "b", "c"], "text": texts, "domains": domains})

    (some,) = RecordFiles([file], MESSAGES.read, str).chunks()

    assert [each.text for each in some] == texts
    assert [each.domains for each in some] == domains


def test_a_wrong_row_is_refused_by_its_number(tmp_path: Path) -> None:
    told = call(ANN, T0)
    columns = {name: [value, value, value] for name, value in told.items()} | {"at": [T0, 17, T0]}
    refused = list[RefusedLine]()

    (some,) = RecordFiles([parquet(tmp_path / "calls", columns)], CALLS.read, refused.append).chunks()

    assert len(some) == 2
    assert [(line.line, line.reason) for line in refused] == [(2, "impossible-time")]


def test_a_damaged_file_and_a_file_of_a_recording_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"PAR1 and nothing else")
    recorded = parquet(tmp_path / "part", {"offset": [1], "key": [b"k"], "value": [b"{}"]})

    for file, said in ((damaged, "cannot be read as Parquet"), (recorded, "give its folder with --recording")):
        with pytest.raises(FileError, match=said):
            [*RecordFiles([file], CALLS.read, str).chunks()]
