"""The ledger's files: rows of real records, look-ups, merges, and files that are no segments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base.number_keys import key_of
from models.detection.kinds import CODE
from models.detection.signals import Signal
from models.events.batches import Messages
from models.events.decoding import CallReader, MessageReader
from models.indicators.path_hashes import PUBLIC
from models.lookback.contacts import Rows, own_key, rows_of_calls, rows_of_context
from models.lookback.hunting import Contact
from models.lookback.keys import Keys, keys_of, prefix_ranges
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.lookback.naming import Named
from streams.files.records import packed_lines
from streams.ledger import compaction
from streams.ledger.lookup import find
from streams.ledger.people import People, contacts_of
from streams.ledger.segments import Knowledge, table_of, written
from streams.ledger.storage import LedgerError, Segment, Storage, merge_mark, whole
from streams.settings import Settings
from tests.site import FRAUD, call
from tests.strategies import packed

ANN, BO = "8610000000001", "8610000000002"
TODAY = date(2026, 11, 25)
AT = 1_773_628_800_000


def sms(subscriber: str, at: int, text: str, id: str = "m1", peer: str = "99900000001") -> dict[str, Any]:
    """An incoming SMS."""
    return {"id": id, "subscriber": subscriber, "peer": peer, "direction": "in", "at": at, "text": text}


def rows(
    calls: Sequence[dict[str, Any]] = (), messages: Sequence[dict[str, Any]] = (), met: MetLinks | None = None
) -> list[Rows]:
    """The ledger's rows of these records."""
    found: list[Rows] = []
    if calls:
        text = "\n".join(map(json.dumps, calls)).encode()
        found.append(rows_of_calls([CallReader(keyed=False).read(packed_lines(text)).events]))
    if messages:
        text = "\n".join(map(json.dumps, messages)).encode()
        found += rows_of_messages(MessageReader(keyed=False).read(packed_lines(text)).events, met or MetLinks())
    return found


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """An empty ledger."""
    return Storage(Settings(ledger=str(tmp_path / "ledger")))


def put(storage: Storage, number: int, some: Sequence[Rows], *, width: int = 10, day: date = TODAY) -> Segment:
    """Store rows as the ``number``-th segment of partition 0; it covers ``width`` offsets."""
    segment = Segment(0, (number * width, (number + 1) * width), (0, 0), day)
    storage.enter(storage.put(segment, "test", written(table_of(some), Knowledge({0: number}))), segment)
    return segment


def contacts(storage: Storage, keys: Keys) -> list[Contact]:
    """The contacts found for these keys."""
    return [each for table in find(storage, storage.segments(), keys) for each in contacts_of(table)]


def test_a_number_finds_its_calls_and_nothing_else(storage: Storage) -> None:
    put(
        storage,
        0,
        rows(
            [
                call(ANN, AT),
                call(BO, AT + 1, peer="8613900000000"),
                call(ANN, AT + 60_000, phase="end", duration_s=59.5),
            ]
        ),
    )
    found = contacts(storage, keys_of([f"number:{FRAUD}"]))
    assert [(each.subscriber, each.at, each.event, each.duration_s) for each in found] == [
        (key_of(ANN), AT, "c1", -1.0),
        (key_of(ANN), AT + 60_000, "c1", 59.5),
    ]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.booleans())
@settings(deadline=None)
def test_rows_of_joined_batches_are_the_rows_of_one(sizes: list[int], broken: bool) -> None:
    number = iter(range(100))
    texts = ["see https://evil.top/a", "ok.see", "登录evil[.]top", "code 482913", 'a "quote" \n www.evil.top/b']
    ids = ['m"' if broken and at % 3 == 0 else f"m{at}" for at in range(100)]
    parts = [[sms(ANN, AT + at, texts[at % 5], id=ids[at]) for at in islice(number, size)] for size in sizes]
    read = MessageReader(keyed=False).read
    batches = [read(packed([json.dumps(each).encode() for each in part])) for part in parts]
    whole_batch = read(packed([json.dumps(each).encode() for part in parts for each in part]))

    def flat(some: Iterable[Rows]) -> list[Any]:
        rows = [each for each in some if len(each)]
        return sorted(map(str, table_of(rows).to_pylist())) if rows else []

    joined = Messages.joined([batch.events for batch in batches])
    assert flat(rows_of_messages(joined, MetLinks())) == flat(rows_of_messages(whole_batch.events, MetLinks()))


def test_an_id_with_escapes_is_kept_as_it_is_meant(storage: Storage) -> None:
    put(storage, 0, rows([call(ANN, AT, id='a"b\n号'), call(BO, AT, id="plain")]))
    found = contacts(storage, keys_of([f"number:{FRAUD}"]))
    assert {each.event for each in found} == {'a"b\n号', "plain"}


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("pay at https://a.evil.top/x now", "a.evil.top"),
        ("您的包裹 https://evil.top/p1查看", "evil.top"),
        ("登录evil[.]top 或 www.evil.top", None),
        ("two: https://other.com/1 and evil.top/2", None),
    ],
)
def test_a_domain_finds_the_sms_that_link_to_it_or_below(storage: Storage, text: str, links: str | None) -> None:
    put(storage, 0, rows(messages=[sms(ANN, AT, text), sms(BO, AT, "see https://other.com/a", id="m2")]))
    found = contacts(storage, keys_of(["domain:evil.top"]))
    assert {each.subscriber for each in found} == {key_of(ANN)}
    if links is not None:
        assert [each.links for each in found] == [links]


def test_a_prefix_covers_every_length(storage: Storage) -> None:
    peers = ["99912", "999123", "999120000000", "9992", "999119999", "99913", "10099912"]
    put(storage, 0, rows([call(ANN, AT + n, peer=peer, id=f"c{n}") for n, peer in enumerate(peers)]))
    found = contacts(storage, Keys.of(ranges=prefix_ranges("99912")))
    assert sorted(each.event for each in found) == ["c0", "c1", "c2"]


def test_what_happened_around_contacts_is_found_by_whose_it_is(storage: Storage) -> None:
    context = rows_of_context([(ANN, Signal(AT, CODE, "m9", "95588")), (BO, Signal(AT, CODE, "m8", "95588"))])
    assert context is not None
    put(storage, 0, [*rows([call(ANN, AT)]), context])
    found = contacts(storage, Keys.of([own_key(key_of(ANN))]))
    assert [(each.event, each.is_context) for each in found] == [("m9", True)]


def test_people_are_added_up(storage: Storage) -> None:
    put(
        storage,
        0,
        rows(
            [
                call(ANN, AT),
                call(ANN, AT + 60_000, phase="end", duration_s=50),
                call(ANN, AT + 90_000, id="c2", direction="out"),
                call(BO, AT + 5, id="c3"),
            ],
            [sms(BO, AT + 7, "hello", peer=FRAUD)],
        ),
    )
    people = People(Named([f"number:{FRAUD}"], PUBLIC))
    for each in contacts(storage, keys_of([f"number:{FRAUD}"])) * 2:  # a contact seen twice counts once
        people.add(each)
    first, second = people.lines()
    assert (first.subscriber, first.contacts, first.calls_in, first.calls_out, first.talk_s) == (ANN, 2, 1, 1, 50.0)
    assert (second.subscriber, second.contacts, second.calls_in, second.sms_in) == (BO, 2, 1, 1)
    assert (first.first_at, first.last_at) == (AT, AT + 90_000)


def test_a_call_with_an_id_that_was_used_before_is_added_up_as_another(storage: Storage) -> None:
    day = 86_400_000
    used = [call(ANN, AT), call(ANN, AT + 60_000, phase="end", duration_s=50)]
    again = [call(ANN, AT + day), call(ANN, AT + day + 60_000, phase="end", duration_s=40)]
    put(storage, 0, rows([*used, *again], [sms(ANN, AT + after, "hello", peer=FRAUD) for after in (7, day)]))
    people = People(Named([f"number:{FRAUD}"], PUBLIC))

    for each in contacts(storage, keys_of([f"number:{FRAUD}"])) * 2:
        people.add(each)

    (line,) = people.lines()
    assert (line.contacts, line.calls_in, line.sms_in, line.talk_s) == (4, 2, 2, 90.0)


def test_merged_segments_find_the_same_and_are_sorted(storage: Storage) -> None:
    everyone = [f"861000000{number:04}" for number in range(40)]
    for number in range(9):
        some = [
            call(who, AT + number, peer=f"999{(index * 7 + number) % 13:08}", id=f"c{number}-{index}")
            for index, who in enumerate(everyone)
        ]
        put(storage, number, rows(some))
    wanted = keys_of([f"number:999{number:08}" for number in (0, 5, 12)])
    before = sorted(contacts(storage, wanted))
    segments = storage.segments()
    (todo,) = compaction.due(segments, storage.listed(), TODAY)
    assert compaction.merge(storage, todo, "test") == 9 * 40
    (merged,) = storage.segments()
    assert (merged.calls, sorted(contacts(storage, wanted))) == ((0, 90), before)
    with storage.open(merged) as file:
        keys = pa.parquet.read_table(file).column("key").to_numpy()
    assert (np.diff(keys) >= 0).all()


def test_a_merge_that_was_interrupted_before_the_parts_went_counts_nothing_twice(storage: Storage) -> None:
    parts = [put(storage, number, rows([call(ANN, AT + number, id=f"c{number}")])) for number in range(8)]
    copies = [(part, (Path(storage.shown) / part.path).read_bytes()) for part in parts]
    (todo,) = compaction.due(parts, storage.listed(), TODAY)
    compaction.merge(storage, todo, "test")
    for part, content in copies:
        storage.enter(storage.put(part, "test", content), part)
    assert len(storage.segments()) == 1
    assert len(contacts(storage, keys_of([f"number:{FRAUD}"]))) == 8
    assert sorted(storage.listed().keys() - set(storage.segments())) == parts


def eight_parts(storage: Storage) -> tuple[list[Segment], compaction.Merge]:
    """Eight small segments, and the merge that is due for them."""
    parts = [put(storage, number, rows([call(ANN, AT + number, id=f"c{number}")])) for number in range(8)]
    (todo,) = compaction.due(parts, storage.listed(), TODAY)
    return parts, todo


def test_a_worker_that_takes_a_partition_over_leaves_a_merge_under_way_alone(storage: Storage) -> None:
    parts, todo = eight_parts(storage)
    name = storage.put(todo.whole, merge_mark(1_764_000_000), b"a merge that goes on elsewhere")
    mine = storage.put(parts[0], "a1b2c3", b"of a worker that is gone")
    storage.clear_pending(0)
    assert storage.enter(name, todo.whole)
    assert not storage.enter(mine, parts[0]._replace(calls=(900, 910)))


def test_parts_stay_when_the_whole_that_was_made_of_them_is_gone(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, todo = eight_parts(storage)
    monkeypatch.setattr(Storage, "enter", lambda *arguments: False)
    assert compaction.merge(storage, todo, "merge-1-1") == 0
    assert storage.segments() == parts


def test_a_part_that_another_compactor_has_taken_is_no_damage(storage: Storage) -> None:
    parts, todo = eight_parts(storage)
    storage.remove(parts[3])
    assert compaction.merge(storage, todo, "merge-1-1") == 0
    assert len(storage.segments()) == 7
    assert not (Path(storage.shown) / "aside").exists()


def test_what_a_killed_merge_has_left_is_cleared_and_another_is_not(storage: Storage) -> None:
    _, todo = eight_parts(storage)
    old, new = (storage.put(todo.whole, merge_mark(began), b"") for began in (1000, 5000))
    storage.clear_merges(2000)
    assert [each.name for each in (Path(storage.shown) / "pending").iterdir()] == [new] != [old]


def test_a_day_that_is_over_is_merged_and_another_is_left(storage: Storage) -> None:
    yesterday = TODAY - timedelta(days=1)
    for number in range(2):
        put(storage, number, rows([call(ANN, AT)]), day=yesterday)
    put(storage, 2, rows([call(ANN, AT)]))
    put(storage, 3, rows([call(ANN, AT)]))
    segments = storage.segments()
    todo = [*compaction.due(segments, dict.fromkeys(segments, 1000), TODAY)]
    assert [(each.whole.day, each.whole.calls) for each in todo] == [(yesterday, (0, 20))]


def test_a_large_segment_is_not_written_again_for_a_few_small_ones(storage: Storage) -> None:
    segments = [Segment(0, (at, at + 1), (0, 0), TODAY) for at in range(9)]
    sizes = {segment: 1 << 30 if segment.calls[0] == 0 else 1000 for segment in segments}
    (todo,) = compaction.due(segments, sizes, TODAY)
    assert todo.whole.calls == (1, 9)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.data())
@settings(deadline=None)
def test_what_lies_within_another_is_left_out(widths: list[int], data: st.DataObject) -> None:
    ends = np.cumsum(widths).tolist()
    parts = [Segment(0, (end - width, end), (0, 0), TODAY) for width, end in zip(widths, ends, strict=True)]
    first = data.draw(st.integers(0, len(parts) - 1))
    last = data.draw(st.integers(first, len(parts) - 1))
    merged = Segment(0, (parts[first].calls[0], parts[last].calls[1]), (0, 0), TODAY)
    listed = data.draw(st.permutations([*parts, merged]))
    covered = [0] * int(ends[-1])
    for segment in whole(dict.fromkeys(listed)):
        for at in range(*segment.calls):
            covered[at] += 1
    assert set(covered) == {1}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", None])
def test_a_file_that_is_no_segment_is_set_aside_and_the_rest_is_found(storage: Storage, content: bytes | None) -> None:
    good = put(storage, 0, rows([call(ANN, AT)]))
    bad = put(storage, 1, rows([call(BO, AT)]))
    file = Path(storage.shown) / bad.path
    file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    assert [each.subscriber for each in contacts(storage, keys_of([f"number:{FRAUD}"]))] == [key_of(ANN)]
    assert storage.segments() == [good]
    assert [each.name for each in (Path(storage.shown) / "aside").rglob("*.parquet")] == [bad.name]


def test_what_was_set_aside_is_deleted_with_its_day(storage: Storage) -> None:
    """A segment that cannot be read has the contacts of people too, and is kept no longer than the others."""
    bad = put(storage, 0, rows([call(ANN, AT)]))
    (Path(storage.shown) / bad.path).write_bytes(b"")
    contacts(storage, keys_of([f"number:{FRAUD}"]))

    before = storage.days_aside()
    storage.remove_day(bad.day)

    assert before == [bad.day]
    assert storage.days_aside() == []
    assert not [*Path(storage.shown).rglob("*.parquet")]


def test_damage_within_a_file_sets_it_aside(storage: Storage) -> None:
    bad = put(storage, 0, rows([call(ANN, AT + n, id=f"c{n}") for n in range(500)]))
    file = Path(storage.shown) / bad.path
    content = bytearray(file.read_bytes())
    content[4:400] = b"\xff" * 396
    file.write_bytes(content)
    assert contacts(storage, keys_of([f"number:{FRAUD}"])) == []
    assert storage.segments() == []


def test_a_foreign_parquet_file_is_set_aside(storage: Storage) -> None:
    put(storage, 0, rows([call(ANN, AT)]))
    foreign = Path(storage.shown) / Segment(0, (10, 20), (0, 0), TODAY).path
    pa.parquet.write_table(pa.table({"x": [1]}), foreign)
    assert len(contacts(storage, keys_of([f"number:{FRAUD}"]))) == 1
    assert not foreign.exists()


def test_other_files_in_the_folder_are_let_be(storage: Storage) -> None:
    segment = put(storage, 0, rows([call(ANN, AT)]))
    folder = Path(storage.shown)
    (folder / "day=2026-11-25" / "notes.txt").write_text("x")
    (folder / "day=soon").mkdir()
    (folder / "day=2026-99-99").mkdir()
    (folder / "day=2026-11-25" / "p000-c1-2.parquet").write_text("x")
    assert storage.segments() == [segment]


def test_days_expire_whole(storage: Storage) -> None:
    days = [TODAY - timedelta(days=ago) for ago in (0, 29, 30, 31, 400)]
    assert compaction.expired(days, 30, TODAY) == days[3:]
    put(storage, 0, rows([call(ANN, AT)]), day=days[4])
    put(storage, 1, rows([call(ANN, AT)]))
    storage.remove_day(days[4])
    assert [*storage.days()] == [TODAY]


def test_an_object_store_holds_a_ledger_too() -> None:
    storage = Storage(Settings(ledger="memory://forewarn-test"))
    segment = put(storage, 0, rows([call(ANN, AT)]))
    assert storage.segments() == [segment]
    assert len(contacts(storage, keys_of([f"number:{FRAUD}"]))) == 1
    storage.remove_day(TODAY)
    assert storage.segments() == []


def test_a_folder_says_how_much_room_its_disk_has_and_an_object_store_does_not(storage: Storage) -> None:
    """Operators are told before the disk is full; a folder that is not there yet says nothing either."""
    before = storage.room
    put(storage, 0, rows([call(ANN, AT)]))
    free, disk = storage.room

    assert before == (0, 0)
    assert 0 < free <= disk
    assert Storage(Settings(ledger="memory://forewarn-test")).room == (0, 0)


def test_an_unknown_scheme_is_one_clear_sentence() -> None:
    with pytest.raises(LedgerError, match="FOREWARN_LEDGER"):
        Storage(Settings(ledger="nonsense://bucket/x"))


def test_only_what_is_not_older_is_found(storage: Storage) -> None:
    put(storage, 0, rows([call(ANN, AT), call(BO, AT + 1000)]))
    keys = keys_of([f"number:{FRAUD}"])
    found = [each for table in find(storage, storage.segments(), keys, since=AT + 1) for each in contacts_of(table)]
    assert [each.subscriber for each in found] == [key_of(BO)]
