"""Playing: an old file as if it were of today."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from streams.demo.playing import PlayError, records, shifted, span

SMS = {"id": "m", "subscriber": "8610000000001", "peer": "99900000001", "direction": "in"}


def file(folder: Path, *lines: str) -> Path:
    """A packed file of these lines."""
    path = folder / "sms.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_only_the_time_of_a_record_is_moved(tmp_path: Path) -> None:
    """Not a time that somebody writes about in a text, and nothing in a line that is no record."""
    text = 'look: "at": 12'
    path = file(tmp_path, json.dumps(SMS | {"text": text, "at": 1000}), '{"at": 5', json.dumps(SMS | {"at": 2000}))

    moved = list(shifted(records([], [path]), 500))

    assert [record.at for record in moved] == [1500, 1000, 2500]
    assert json.loads(moved[0].value) == SMS | {"text": text, "at": 1500}
    assert moved[1].value == b'{"at": 5'


def test_the_span_is_from_the_first_to_the_last_record(tmp_path: Path) -> None:
    assert span([], [file(tmp_path, "rubbish", *(json.dumps(SMS | {"at": at}) for at in (1000, 3000, 2000)))]) == (
        1000,
        3000,
    )


def test_files_without_a_record_cannot_be_moved(tmp_path: Path) -> None:
    with pytest.raises(PlayError, match="no records whose times"):
        span([], [file(tmp_path, "rubbish")])
