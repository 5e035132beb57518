"""Recordings: one without texts decides what its topics decide, and no change to it goes unnoticed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from models.base.durations import HOUR, SECOND
from models.detection.alerts import Alert, encode
from models.detection.engine import Engine
from models.detection.recognition import sms_signals
from models.detection.risk import PointScore
from models.events.decoding import MessageReader
from models.events.numbering import CHINA
from models.indicators.indicator import Indicator, parse
from models.indicators.indicator import encode as encode_indicator
from models.indicators.matching import Indicators
from models.indicators.pseudonyms import Pseudonyms
from streams.files.records import RecordFiles
from streams.kafka.columns import Columns
from streams.kafka.history import HistoryError, Offsets
from streams.kafka.partitioning import partition_of
from streams.recording import manifest as manifests
from streams.recording.checking import faults_of
from streams.recording.keeping import keepers
from streams.recording.manifest import Manifest, RecordedTopic, RecordingError
from streams.recording.parts import Rows, columns_of
from streams.recording.pseudonymising import Pseudonymiser, Rename
from streams.recording.reading import Recording
from streams.recording.recorder import Recorder
from streams.replay.past import PastReplay, Span
from streams.replay.replay import Replay
from streams.sealing import Identities, Seal, new_keys
from tests.chaos.city import example_indicators
from tests.site import ROOT
from tests.strategies import CALLS, MESSAGES, POLICY, indicator, packed

PARTITIONS = 3
NOW = 1_773_590_400_000
"""The beginning of the example day. Each record arrives a second after its time."""
ALL = Span(0, 0, NOW + 48 * HOUR)
KEYS = new_keys()
REQUEST = Manifest(
    case="A-2026-118",
    made="",
    expires=date(2026, 12, 1),
    since=0,
    until=ALL.until,
    texts=False,
    pseudonyms="",
    sealed=True,
    policy="p",
    topics={},
)


class Topics:
    """A third of the example day as topics would have it; after ``fails_after`` reads, Kafka is away."""

    def __init__(self) -> None:
        self.partitions = PARTITIONS
        self.fails_after = 1000
        self.logs: dict[tuple[str, int], list[tuple[bytes, bytes]]] = {}
        for name in ("calls", "sms"):
            for line in (ROOT / "examples" / f"{name}.jsonl").read_bytes().splitlines():
                key = json.loads(line)["subscriber"].encode()
                if partition_of(key, 9) < PARTITIONS:
                    self.logs.setdefault((name, partition_of(key, 9)), []).append((key, line))
        self.logs["calls", 1].insert(0, (b"x", b'{"broken'))

    def recorded(self) -> dict[str, RecordedTopic]:
        """The topics as a manifest names them."""
        ranges = {
            name: {number: (0, len(self.logs.get((name, number), ()))) for number in range(PARTITIONS)}
            for name in ("calls", "sms", "signals")
        }
        return {
            name: RecordedTopic(name=name, topic=f"x.{name}", id="", version=1, partitions=each)
            for name, each in ranges.items()
        }

    def columns(self, name: str, partition: int, *where: int | Offsets) -> Iterator[Columns]:
        """The records of a partition, as a past and as a history give them."""
        self.fails_after -= 1
        if self.fails_after < 0:
            raise HistoryError("Kafka has stopped sending records")
        log = self.logs.get((name, partition), [])
        start, stop = where[0] if isinstance(where[0], Offsets) else (0, len(log))
        for first in range(start, stop, 1000):
            some = log[first : min(first + 1000, stop)]
            places = np.arange(first, first + len(some))
            times = np.array([json.loads(value)["at"] + SECOND if key != b"x" else NOW for key, value in some])
            records = packed([value for _, value in some], [key for key, _ in some])
            headers = np.zeros(len(some), np.int64)
            yield Columns(name, partition, places, times, times, records, headers, first, first + len(some))

    def check_same_topics(self) -> None:
        """They are."""


def engine(indicators: Iterable[Indicator] = ()) -> Engine:
    """An engine that knows these indicators, or else the examples'."""
    return Engine(Indicators(indicators or example_indicators()), POLICY, PointScore())


def record(
    topics: Topics, folder: Path, begun: Manifest, *, seal: Seal | None, rename: Mapping[str, Rename] | None = None
) -> Manifest:
    """Record what is not recorded yet."""
    folder.mkdir(exist_ok=True)
    return Recorder(topics, lambda name: [], keepers(CHINA, texts=begun.texts), begun, folder, seal, rename).run()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def topics() -> Topics:
    """The example day."""
    return Topics()


@pytest.fixture(scope="module")
def sealed(topics: Topics, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed recording of it without texts."""
    folder = tmp_path_factory.mktemp("recordings") / "sealed"
    record(topics, folder, replace(REQUEST, topics=topics.recorded()), seal=Seal(KEYS.recipient))
    return folder


def alerts_of(past: Topics | Recording) -> tuple[list[bytes], Counter[str]]:
    """The alerts of a replay of a past, and the records that it left out."""
    alerts: list[bytes] = []
    replay = PastReplay(engine(), CHINA, lambda alert: alerts.append(encode(alert)))
    replay.run(past, ALL)
    return alerts, replay.refusals


def by_subscriber(alerts: list[bytes]) -> dict[str, list[bytes]]:
    """Each subscriber's alerts in order."""
    found: dict[str, list[bytes]] = {}
    for alert in alerts:
        found.setdefault(json.loads(alert)["subscriber"], []).append(alert)
    return found


def test_topics_a_recording_without_texts_and_files_give_the_same_alerts(
    topics: Topics, sealed: Path, tmp_path: Path
) -> None:
    recording = Recording(sealed, Identities([KEYS.identity]))
    of_files: list[bytes] = []
    files = {name: tmp_path / name for name in ("calls", "sms")}
    for name, file in files.items():
        logs = [topics.logs[name, number] for number in range(PARTITIONS)]
        file.write_bytes(b"".join(line + b"\n" for log in logs for key, line in log if key != b"x"))

    of_topics, refused = alerts_of(topics)
    of_recording, refused_again = alerts_of(recording)
    Replay(engine(), 1, lambda alert: of_files.append(encode(alert))).run(
        RecordFiles([files["calls"]], CALLS.read, str).chunks(),
        RecordFiles([files["sms"]], MESSAGES.read, str).chunks(),
    )

    assert len(of_topics) > 5
    assert of_recording == of_topics
    assert by_subscriber(of_files) == by_subscriber(of_topics)
    assert (refused, refused_again, recording.manifest.refused) == ({"not-json": 1}, {}, {"not-json": 1})


def test_a_recording_with_pseudonyms_raises_the_same_alerts_for_the_pseudonyms(topics: Topics, tmp_path: Path) -> None:
    names = Pseudonyms(b"a key that only this test knows")
    rename = Pseudonymiser(names, CHINA).of
    record(topics, tmp_path, replace(REQUEST, sealed=False, topics=topics.recorded()), seal=None, rename=rename)
    recording, found = Recording(tmp_path, None), list[Alert]()
    known = [parse(rename["indicators"](b"", encode_indicator(each))[1]) for each in example_indicators()]

    PastReplay(engine(known), CHINA, found.append).run(recording, ALL)

    wanted = [msgspec.json.decode(alert, type=Alert) for alert in alerts_of(topics)[0]]
    assert [(each.subscriber, each.first_seen, each.at, each.severity, each.status) for each in found] == [
        (names.number(each.subscriber), each.first_seen, each.at, each.severity, each.status) for each in wanted
    ]
    people = {key for log in topics.logs.values() for key, _ in log} - {b"x"}
    for part in recording.manifest.parts:
        for columns in recording.read(part):
            keys = {columns.records.key(row) for row in range(len(columns))}
            assert len(keys & people) < len(keys) / 10  # a pseudonym may be somebody else's number


def test_a_warm_up_is_decided_and_not_published(topics: Topics, sealed: Path) -> None:
    """A call goes on over the beginning of the span; whoever had an alert before it gets no second one in it."""
    recording = Recording(sealed, Identities([KEYS.identity]))
    middle = NOW + 12 * HOUR
    whole, _ = alerts_of(recording)
    warm, cold = list[bytes](), list[bytes]()

    PastReplay(engine(), CHINA, lambda alert: warm.append(encode(alert))).run(recording, Span(0, middle, ALL.until))
    PastReplay(engine(), CHINA, lambda alert: cold.append(encode(alert))).run(
        recording, Span(middle, middle, ALL.until)
    )

    assert 0 < len(warm) < len(whole)
    assert set(warm) <= set(whole)
    assert not set(cold) <= set(whole)


def test_every_indicator_finds_in_an_sms_without_its_text_what_it_finds_in_the_text(topics: Topics) -> None:
    known = Indicators([*example_indicators(), indicator("number-prefix", "9"), indicator("domain", "example")])
    read = MessageReader().read
    for number in range(PARTITIONS):
        for columns in topics.columns("sms", number, Offsets(0, len(topics.logs["sms", number]))):
            kept = [value for _, value in keepers(CHINA, texts=False)["sms"].kept(columns)]

            found = [
                *sms_signals(read(packed(kept, [columns.records.key(row) for row in range(len(kept))])).events, known)
            ]

            assert found == [*sms_signals(read(columns.records).events, known)]


def test_a_recording_has_no_word_of_a_text_unless_texts_are_asked_for(topics: Topics, tmp_path: Path) -> None:
    for texts in (False, True):
        folder = tmp_path / str(texts)
        begun = replace(REQUEST, texts=texts, sealed=False, topics=topics.recorded())
        record(topics, folder, begun, seal=None)
        read = b"".join(
            columns.records.buffer.tobytes()
            for part in manifests.load(folder).parts
            for columns in Recording(folder, None).read(part)
        )
        assert ("请".encode() in read, "快递".encode() in read) == (
            (True, True) if texts else ("请拨打".encode() in read, False)
        )


def test_an_interrupted_recording_goes_on_where_it_was(topics: Topics, sealed: Path, tmp_path: Path) -> None:
    begun = replace(REQUEST, sealed=False, topics=topics.recorded())
    topics.fails_after = 4
    with pytest.raises(HistoryError):
        record(topics, tmp_path, begun, seal=None)
    topics.fails_after = 1000
    part = manifests.load(tmp_path)
    (tmp_path / "sms-p001-0.parquet").write_bytes(b"written, and not named when the power went")

    record(topics, tmp_path, part, seal=None)

    assert not part.complete
    assert 0 < len(part.parts) < len(manifests.load(tmp_path).parts)
    assert [*faults_of(Recording(tmp_path, None))] == []
    assert manifests.load(tmp_path).refused == {"not-json": 1}
    assert alerts_of(Recording(tmp_path, None)) == alerts_of(Recording(sealed, Identities([KEYS.identity])))


def test_every_change_to_a_recording_is_noticed(topics: Topics, tmp_path: Path) -> None:
    begun = replace(REQUEST, sealed=False, topics=topics.recorded())
    done = record(topics, tmp_path, begun, seal=None)
    changed, missing, *_ = (tmp_path / part.file for part in done.parts)
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    missing.unlink()
    (tmp_path / "calls-p009-0.parquet").write_bytes(b"")
    manifests.store(replace(done, parts=done.parts[:-1]), tmp_path)

    faults = "\n".join(faults_of(Recording(tmp_path, None)))

    assert f"{changed} was changed or damaged" in faults
    assert f"{missing} cannot be read" in faults
    assert "calls-p009-0.parquet is no part of it" in faults
    assert "sms partition 2 has no file from offset 0" in faults
    with pytest.raises(RecordingError, match="its hash is not the manifest's"):
        alerts_of(Recording(tmp_path, None))


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is no recording"), (b"{}", "is not the manifest of a recording"), (b'{"format": 9}', "manifest")],
)
def test_what_is_no_recording_is_said(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(RecordingError, match=said):
        Recording(tmp_path, None)


def test_a_sealed_recording_needs_its_key(sealed: Path) -> None:
    with pytest.raises(RecordingError, match="give the private key with --identity"):
        Recording(sealed, None).check_replayable()
    with pytest.raises(RecordingError, match="sealed to another key"):
        alerts_of(Recording(sealed, Identities([new_keys().identity])))


def test_a_part_gives_its_records_back(tmp_path: Path) -> None:
    rows = Rows()
    rows.add(5, NOW, NOW, b"k", b"v")
    rows.add(9, NOW + 1, -1, None, b"")
    rows.add(11, NOW + 2, NOW + 2, b"", None)

    (columns,) = columns_of(rows.parquet(), "calls", 3)

    assert (columns.start, columns.upto, columns.appended.tolist()) == (5, 12, [NOW, -1, NOW + 2])
    assert [columns.records.value(row) for row in range(3)] == [b"v", b"", None]
    assert [columns.records.key(row) for row in range(3)] == [b"k", None, b""]
    assert [*columns_of(Rows().parquet(), "calls", 3)] == []


def test_indicators_of_a_recording_are_those_of_the_topic(tmp_path: Path) -> None:
    known = Indicator(type="domain", value="evil.example", confidence=90, source="t", scam_type="loan", valid_from=0)
    rows = Rows()
    rows.add(0, NOW, NOW, b"domain:evil.example", msgspec.json.encode(known))
    columns = [*columns_of(rows.parquet(), "x.indicators", 0)]

    kept = [*keepers(CHINA, texts=False)["indicators"].kept(columns[0])]

    assert [row for row, _ in kept] == [0]
    assert msgspec.json.decode(kept[0][1])["value"] == "evil.example"
