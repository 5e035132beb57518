"""Erasure: one person's rows go, their number leaves the rows of others, and all else stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.base.number_keys import NOBODY, key_of
from models.detection.kinds import CODE
from models.detection.signals import Signal
from models.lookback.contacts import rows_of_context
from models.lookback.keys import keys_of
from streams.ledger import compaction
from streams.ledger.erasure import Rows, Wanted, erase, own_rows, search
from streams.ledger.segments import SegmentFile
from streams.ledger.storage import Segment, Storage
from tests.site import FRAUD, call
from tests.streams.ledger.test_ledger import ANN, AT, BO, TODAY, contacts, put, rows, sms, storage

__all__ = ["storage"]

ALL = Wanted(ANN, AT + 1000)
TEXT = f"see https://evil.top/a or ring {ANN}"


def filled(storage: Storage) -> Segment:
    """A segment with contacts of two people, with each other and with others."""
    context = rows_of_context([(who, Signal(AT, CODE, "m1", peer="10690000")) for who in (ANN, BO)])
    assert context is not None
    calls = [call(ANN, AT), call(BO, AT), call(BO, AT, peer=ANN, id="c2"), call(BO, AT, peer="", id="c3")]
    texts = [sms(ANN, AT, TEXT), sms(BO, AT, TEXT, peer=ANN), sms(BO, AT + 5000, TEXT, id="m9", peer=ANN)]
    return put(storage, 0, [*rows(calls, texts), context])


def table_of(storage: Storage, segment: Segment) -> list[dict[str, Any]]:
    """The rows of a segment, in the order of the file."""
    with SegmentFile(storage.open(segment)) as file:
        found: list[dict[str, Any]] = file.read(range(file.row_groups)).to_pylist()
        return found


def test_a_persons_rows_go_and_their_number_leaves_the_rows_of_others(storage: Storage) -> None:
    segment = filled(storage)
    before = table_of(storage, segment)
    found = erase(storage, segment, ALL, "test")
    after = table_of(storage, segment)

    assert found.own == sum(row["subscriber"] == key_of(ANN) and row["at"] < ALL.before for row in before)
    assert search(storage, segment, ALL) == Rows()
    assert not [row for row in after if row["subscriber"] == key_of(ANN)]
    assert [row["key"] for row in after] == sorted(row["key"] for row in after)
    assert {row["event"] for row in after if row["key"] == NOBODY} == {"c2", "c3", "m1"}
    assert [row for row in before if row["at"] > AT] == [row for row in after if row["at"] > AT]


def test_everything_about_others_is_found_as_before(storage: Storage) -> None:
    segment = filled(storage)
    looked_for = keys_of([f"number:{FRAUD}", "domain:evil.top"])
    before = [each for each in contacts(storage, looked_for) if each.subscriber == key_of(BO)]
    erase(storage, segment, ALL, "test")
    after = contacts(storage, looked_for)

    assert len(before) == len(after) == 3
    assert {each.event for each in after} == {each.event for each in before}
    assert contacts(storage, keys_of([f"number:{ANN}"])) == [
        each for each in contacts(storage, keys_of([f"number:{ANN}"])) if each.at > AT
    ]


def test_a_segment_without_rows_keeps_its_name_and_what_was_known(storage: Storage) -> None:
    segment = put(storage, 3, rows([call(ANN, AT)]))
    erase(storage, segment, ALL, "test")

    assert storage.segments() == [segment]
    with SegmentFile(storage.open(segment)) as file:
        assert (len(file), file.known.indicators) == (0, {0: 3})


def test_only_what_happened_before_is_erased(storage: Storage) -> None:
    segment = put(storage, 0, rows([call(ANN, AT, id="old"), call(ANN, AT + 1000, id="new")]))

    assert erase(storage, segment, ALL, "test") == Rows(1, 0)
    assert [row["event"] for row in table_of(storage, segment)] == ["new"]


def test_who_is_not_in_a_segment_leaves_its_file_alone(storage: Storage) -> None:
    segment = put(storage, 0, rows([call(BO, AT)]))
    stamp = storage.stamp(segment)

    assert not erase(storage, segment, ALL, "test")
    assert storage.stamp(segment) == stamp


def test_a_merge_that_read_a_part_before_it_was_erased_is_given_up(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the merged segment would bring the person back."""
    parts = [put(storage, number, rows([call(ANN, AT), call(BO, AT)])) for number in range(2)]
    (todo,) = compaction.due(parts, storage.listed(), TODAY.replace(year=2027))
    write = compaction._write

    def slowly(*arguments: Any) -> int:
        count = write(*arguments)
        erase(storage, parts[0], ALL, "test")
        return count

    monkeypatch.setattr(compaction, "_write", slowly)
    assert compaction.merge(storage, todo, "merge-1-1") == 0
    monkeypatch.undo()
    assert storage.segments() == parts
    assert compaction.merge(storage, todo, "merge-1-1") == 3


def test_a_file_that_cannot_be_read_is_set_aside(storage: Storage, tmp_path: Path) -> None:
    segment = put(storage, 0, rows([call(ANN, AT)]))
    (path,) = tmp_path.rglob("day=*/*.parquet")
    path.write_bytes(path.read_bytes()[:-20])

    assert search(storage, segment, ALL) == Rows()
    assert storage.days_aside() == [TODAY]


def test_an_export_has_the_persons_own_rows(storage: Storage) -> None:
    segment = filled(storage)
    (table,) = own_rows(storage, segment, ALL)

    assert {row["subscriber"] for row in table.to_pylist()} == {key_of(ANN)}
