"""Formats: samples of everything that is stored are read, and what a newer version wrote is refused in one sentence."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.access import site_secret
from models.base.formats import NewerFormatError
from models.base.number_keys import key_of
from models.casework import cases
from models.casework.snapshots import decode
from models.indicators.path_hashes import PathHashes
from streams.hunter import memory
from streams.hunter.memory import Found
from streams.hunter.segment_index import Frontier
from streams.ledger import segments
from streams.ledger.progress import LedgerProgress
from streams.ledger.segments import Knowledge, SegmentFile
from streams.ledger.storage import LedgerError
from streams.sealing import Identities, Seal, new_keys
from streams.worker.checkpoint_format import FORMAT, decode_meta, decode_subjects, encode_meta
from streams.worker.snapshots import SavedState, Snapshot, SnapshotError, new_snapshot
from tests.site import SECRET

SAMPLES = Path(__file__).parents[2] / "formats"
AT = 1_773_628_800_000
ANN = "8610000000001"
OFFSETS = {"calls": 700, "sms": 310, "signals": 4}


def state(name: str) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The two hashes of a sample of a partition's state."""
    sample = json.loads((SAMPLES / name).read_text())
    meta, subjects = (
        {field.encode(): base64.b64decode(value) for field, value in sample[part].items()}
        for part in ("meta", "subjects")
    )
    return meta, subjects


@pytest.mark.parametrize(
    ("name", "logs", "counted"),
    [
        ("state-1.json", {}, None),
        ("state-2.json", {"calls": "id-of-calls", "sms": "", "signals": "id-of-signals"}, 1),
    ],
)
def test_state_of_every_format_is_read(name: str, logs: dict[str, str], counted: int | None) -> None:
    """An upgrade finds the open episodes, the offsets and the alerts that are due."""
    meta, subjects = state(name)
    stored, (call_clock, sms_clock) = decode_meta(meta)
    (subject,) = decode_subjects(subjects).values()

    assert (stored.version, stored.writer, stored.offsets) == (57, "aa:57", OFFSETS)
    assert (stored.logs, stored.subjects, stored.format) == (logs, counted, int(name[6]))
    assert [alert.id for alert in stored.outbox.alerts] == ["a1"]
    assert stored.progress.offsets == {"calls": 690, "sms": 300}
    assert (call_clock.at, sms_clock.at, sms_clock.pending) == (AT, AT - 1000, {"8610000000002": AT + 9})
    assert (subject.signals[0].event, subject.published["a1"].last.stage) == ("c1", "medium")


def test_state_is_written_in_the_newest_format_and_read_back() -> None:
    """What the commands write is what a worker loads."""
    stored, clocks = decode_meta(state(f"state-{FORMAT}.json")[0])
    written = {
        name.encode(): value if isinstance(value, bytes) else str(value).encode()
        for name, value in encode_meta(stored, clocks).items()
    }

    assert written == state(f"state-{FORMAT}.json")[0]


def test_state_of_a_newer_version_is_refused() -> None:
    """An older program says so instead of misreading it."""
    meta, _ = state(f"state-{FORMAT}.json")

    with pytest.raises(NewerFormatError, match=r"written by a newer version of Forewarn \(format 9"):
        decode_meta(meta | {b"format": b"9", b"clocks": b"of another kind"})


def test_ledger_progress_of_the_first_format_has_no_fork() -> None:
    """A ledger from before there were marks goes on under its names."""
    stored, _ = decode_meta(state("state-1.json")[0])

    assert stored.progress == LedgerProgress(
        {"calls": 690, "sms": 300},
        "day=2026-11-25/p003-c600-690-s250-300.parquet",
        "ab.p003-c600-690-s250-300.parquet",
    )


@pytest.mark.parametrize("name", ["hunter-1.msgpack", "hunter-2.msgpack"])
def test_the_memory_of_every_format_is_read(name: str) -> None:
    """The hunter goes on where an older one ended."""
    found = memory.decode((SAMPLES / name).read_bytes())

    assert found.frontier == Frontier({0: 12, 1: 7}, {"p003": (700, 310)})
    assert found.found == {key_of(ANN): Found(3, 4, [AT])}


def test_the_memory_is_written_in_the_newest_format() -> None:
    """The kept sample is what this version writes."""
    sample = (SAMPLES / f"hunter-{memory.FORMAT}.msgpack").read_bytes()

    assert memory.encode(memory.decode(sample)) == sample


def test_the_memory_of_a_newer_version_is_refused() -> None:
    """Whatever else a newer version has written."""
    with pytest.raises(
        NewerFormatError, match=r"hunter's memory was written by a newer version of Forewarn \(format 3"
    ):
        memory.decode(msgspec.msgpack.encode({"format": 3, "frontier": "of another kind"}))


def rows_of(name: str, hashes: PathHashes | None) -> list[dict[str, Any]]:
    """The rows of a sample of a segment."""
    with SegmentFile((SAMPLES / name).open("rb"), hashes) as file:
        assert file.known == Knowledge({0: 12}, 4)
        rows: list[dict[str, Any]] = file.read([0]).to_pylist()
    return rows


def test_a_segment_of_the_first_format_is_read() -> None:
    """Files from before formats had numbers have none."""
    with SegmentFile((SAMPLES / "segment-1.parquet").open("rb")) as file:
        assert (len(file), file.known, file.format) == (1, Knowledge({0: 12}, 4), 1)


def test_the_links_of_the_first_format_come_out_as_hosts_and_hashes() -> None:
    """Both samples were written from the same records, one by the version before links were hashed."""
    hashes = PathHashes(site_secret.key_of(SECRET, "links"))
    first, second = rows_of("segment-1-links.parquet", hashes), rows_of("segment-2.parquet", hashes)

    assert [each | {"paths": each["paths"] or None} for each in first] == second
    assert {each["links"] for each in first} == {None, "a.evil.top", "evil.top b.top", "tel:99900770077"}
    assert segments.FORMAT == 2


def test_without_the_site_secret_whole_links_are_not_read() -> None:
    """All else in the file is: the worker and the index need no links."""
    with SegmentFile((SAMPLES / "segment-1-links.parquet").open("rb")) as file:
        assert len(file.read([0], ["key", "at"])) == len(file)
        with pytest.raises(LedgerError, match="FOREWARN_SECRET_FILE"):
            file.read([0])


def test_a_segment_of_a_newer_version_is_refused_and_left_where_it_is(tmp_path: Path) -> None:
    """Setting it aside, as if it were damaged, would hide it from the newer version."""
    path = tmp_path / "new.parquet"
    schema = pa.schema([pa.field("other", pa.int64())]).with_metadata({"forewarn.format": "3"})
    pq.write_table(pa.table({"other": [1]}, schema=schema), path)

    with pytest.raises(LedgerError, match="segment of the ledger was written by a newer version"):
        SegmentFile(path.open("rb"))


def test_a_case_of_the_first_format_is_read_and_written_in_the_format_of_now() -> None:
    """What has changed in it, and what has not, is in the tests of snapshots."""
    case = decode((SAMPLES / "case-1.json").read_bytes())

    assert (case.subscriber, case.format) == (ANN, cases.FORMAT)
    assert decode(cases.encode(case)) == case


@pytest.mark.parametrize("change", [{"format": 3}, {"format": 3, "status": "of another kind"}])
def test_a_case_of_a_newer_version_is_refused(change: dict[str, object]) -> None:
    """Continuing it would lose what this version does not know of it."""
    sample = json.loads((SAMPLES / "case-1.json").read_bytes())

    with pytest.raises(NewerFormatError, match="The case was written by a newer version"):
        decode(json.dumps(sample | change).encode())


def test_a_snapshot_of_the_first_format_is_read() -> None:
    """A snapshot that was saved years ago can be restored."""
    with Snapshot(SAMPLES / "snapshot-1.zip") as snapshot:
        state_in_it = snapshot.state(3)

        assert (snapshot.header.group, snapshot.header.partitions) == ("forewarn", (3,))
        assert decode_meta(state_in_it.meta)[0].offsets == OFFSETS


def test_a_sealed_snapshot_is_opened_by_the_key_of_the_centre_alone(tmp_path: Path) -> None:
    """Nothing of a person is in the file, also while it is written; what it is of shows without the key."""
    key, path = new_keys(), tmp_path / "kept.zip"
    saved = SavedState({b"writer": b"aa:57"}, {ANN.encode(): ANN.encode() * 50})
    with new_snapshot(path, "forewarn", Seal(key.recipient)) as writer:
        writer.add(3, saved)
        (beside,) = tmp_path.iterdir()
        assert ANN.encode() not in beside.read_bytes()

    with Snapshot(path, Identities([key.identity])) as opened:
        assert opened.state(3) == saved
    for keys, said in ((None, "is sealed: give"), (Identities([new_keys().identity]), "sealed to another key")):
        with Snapshot(path, keys) as closed, pytest.raises(SnapshotError, match=said):
            closed.state(3)
        assert (closed.header.group, closed.header.partitions) == ("forewarn", (3,))
    assert [each.name for each in tmp_path.iterdir()] == ["kept.zip"]


def test_a_snapshot_that_is_sealed_is_read_in_years() -> None:
    """Its key is beside the sample, which is of nobody."""
    keys = Identities([(SAMPLES / "snapshot-2.key").read_text()])
    with Snapshot(SAMPLES / "snapshot-2.zip", keys) as snapshot:
        assert snapshot.state(3) == Snapshot(SAMPLES / "snapshot-1.zip").state(3)


def test_a_file_that_is_no_snapshot_is_refused() -> None:
    """In one sentence that names the file."""
    with pytest.raises(SnapshotError, match=r"case-1\.json is not a snapshot"):
        Snapshot(SAMPLES / "case-1.json")


def test_who_was_purged_is_stored_and_a_state_without_them_is_as_before() -> None:
    """By names that are no numbers; an older program reads past them."""
    before, clocks = decode_meta(state(f"state-{FORMAT}.json")[0])
    purged = msgspec.structs.replace(before, handover=msgspec.structs.replace(before.handover, purged={"0123": 5}))
    meta = encode_meta(purged, clocks)
    read = {name.encode(): value if isinstance(value, bytes) else str(value).encode() for name, value in meta.items()}

    assert decode_meta(read)[0].handover == purged.handover
    assert b"purged" not in encode_meta(before, clocks)["handover"]
