"""The example day: its scripts reproduce it, it is sound and harmless, and its victims are told apart from others."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from examples.day import MIDNIGHT, clock
from examples.generate import FOLDER, write
from examples.listed import LURES, PUBLISHED, PUBLISHER
from examples.people import Label
from models.detection.alerts import Alert
from models.detection.episodes import episodes, unfold
from models.detection.partition import Partition
from models.events.decoding import CallReader, MessageReader
from models.events.event import Call, Sms
from models.indicators.hotlines import PROTECTED
from models.indicators.indicator import SCAM_TYPES, check, parse
from models.indicators.matching import Indicators
from models.policy.policy import SEVERITIES
from models.policy.policy import parse as parse_policy
from models.texts.extraction import read
from streams.files import model_file
from tests.strategies import ToldEngine, packed

ROOT = FOLDER.parent
WRITTEN = ("calls", "sms", "subscribers", "indicators", "labels", "earlier-calls", "earlier-sms", "report")
LARGEST = 2_000_000
STEP = 10_000
"""The event time given to the engine at once, in milliseconds."""


def lines(name: str) -> list[bytes]:
    return (FOLDER / f"{name}.jsonl").read_bytes().splitlines()


def objects(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(name)]


def keys(name: str) -> list[bytes]:
    return [str(record["subscriber"]).encode() for record in objects(name)]


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    decoded = CallReader().read(packed(lines("calls"), keys("calls")))
    assert not decoded.refusals
    return list(decoded.events)


@pytest.fixture(scope="module")
def messages() -> list[Sms]:
    decoded = MessageReader().read(packed(lines("sms"), keys("sms")))
    assert not decoded.refusals
    return list(decoded.events)


@pytest.fixture(scope="module")
def events(calls: list[Call], messages: list[Sms]) -> list[Call | Sms]:
    return [*calls, *messages]


@pytest.fixture(scope="module")
def labels() -> list[Label]:
    return [msgspec.json.decode(line, type=Label) for line in lines("labels")]


@pytest.fixture(scope="module")
def victims(labels: list[Label]) -> list[Label]:
    return [label for label in labels if label.role == "victim"]


class Played:
    """The records up to an event time, played through the engine in small steps of event time."""

    def __init__(self, events: Iterable[Call | Sms]) -> None:
        flagged = [record for record in objects("subscribers") if "flags" in record]
        vulnerable = {record["subscriber"]: len(record["flags"]) for record in flagged}
        indicators = Indicators(parse(line) for line in lines("indicators"))
        self.policy = parse_policy((ROOT / "policy.yaml").read_bytes())
        engine = ToldEngine(indicators, self.policy, model_file.load("").model, vulnerable)
        self.partition = Partition(0)
        self.alerts: list[Alert] = []
        self.signals: Counter[str] = Counter()
        for _, step in groupby(sorted(events, key=lambda event: event.at), key=lambda event: event.at // STEP):
            together = list(step)
            outcome = engine.step(
                self.partition,
                [event for event in together if isinstance(event, Call)],
                [event for event in together if isinstance(event, Sms)],
            )
            self.alerts += outcome.alerts
            self.signals += outcome.signals

    def standing(self, subscriber: str) -> list[Alert]:
        """The subscriber's alerts that have not been withdrawn, the most urgent last."""
        last = {alert.id: alert for alert in self.alerts if alert.subscriber == subscriber}
        raised = [alert for alert in last.values() if alert.status == "raised"]
        return sorted(raised, key=lambda alert: SEVERITIES.index(alert.severity))

    def stage(self, subscriber: str) -> str:
        """The subscriber's stage at the end of the played records."""
        signals = self.partition.subjects[subscriber].signals
        (episode,) = episodes(signals, self.policy.windows)
        return unfold(episode, self.policy.windows, self.partition.call_clock.at, 0, {})[-1].stage


@pytest.fixture(scope="module")
def day(events: list[Call | Sms]) -> Played:
    return Played(events)


def hosts_of(text: str) -> Iterator[str]:
    yield from read(text).domains


def test_the_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) <= LARGEST


def test_the_scripts_write_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    write(tmp_path)

    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == sorted(f"{name}.jsonl" for name in WRITTEN)
    assert [name for name, content in written.items() if content != (FOLDER / name).read_bytes()] == []


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        *((name, name) for name in ("calls", "sms", "subscribers", "indicators")),
        *(("earlier-calls", "calls"), ("earlier-sms", "sms"), ("report", "indicators")),
    ],
)
def test_every_record_fits_the_schema_of_its_topic(name: str, topic: str) -> None:
    validator = Draft202012Validator(json.loads((ROOT / "schemas" / f"{topic}-v1.json").read_bytes()))

    assert [number for number, record in enumerate(objects(name), start=1) if not validator.is_valid(record)] == []


def test_the_records_are_in_event_time_and_every_call_starts_and_ends_within_the_day(
    calls: list[Call], messages: list[Sms]
) -> None:
    for times in ([call.at for call in calls], [message.at for message in messages]):
        assert times == sorted(times)
        assert times[0] >= MIDNIGHT
        assert times[-1] < MIDNIGHT + clock("24:00")
    starts = {call.id: call for call in calls if call.phase == "start"}
    ends = {call.id: call for call in calls if call.phase == "end"}
    assert len(starts) + len(ends) == len(calls)
    assert starts.keys() == ends.keys()
    assert all(0 <= end.duration_s * 1000 <= end.at - starts[call].at for call, end in ends.items())
    assert len({message.id for message in messages}) == len(messages)


def test_nobody_has_two_calls_at_once_but_one_that_knocks_unanswered(calls: list[Call]) -> None:
    """During a call, the subscriber's phone may ring again, but they cannot answer."""
    talking: Counter[str] = Counter()
    ends = {call.id: call for call in calls if call.phase == "end"}
    for call in calls:
        if ends[call.id].duration_s > 0:
            talking[call.subscriber] += 1 if call.phase == "start" else -1
            assert talking[call.subscriber] in (0, 1)


def test_only_hotlines_are_numbers_that_somebody_can_have(events: list[Call | Sms]) -> None:
    home, away = re.compile(r"8610000\d{6}"), re.compile(r"99900\d{7}")

    assert all(home.fullmatch(event.subscriber) for event in events)
    peers = {event.peer for event in events}
    assert [peer for peer in peers if not (home.fullmatch(peer) or away.fullmatch(peer) or peer in PROTECTED)] == []
    listed = [record["value"] for record in objects("indicators") if record["type"].startswith("number")]
    assert all(value.startswith("99900") for value in listed)


def test_the_subscribers_are_those_of_the_records(events: list[Call | Sms], labels: list[Label]) -> None:
    known = [record["subscriber"] for record in objects("subscribers")]

    assert len(set(known)) == len(known)
    assert {event.subscriber for event in events} <= set(known)
    assert {label.subscriber for label in labels} <= set(known)


def test_every_indicator_is_sound_and_in_its_one_form() -> None:
    indicators = [parse(line) for line in lines("indicators")]

    assert len({indicator.key for indicator in indicators}) == len(indicators)
    assert all(check(indicator) == indicator for indicator in indicators)
    assert {indicator.type for indicator in indicators} == {"number", "number-prefix", "domain", "url"}


def test_the_real_domains_are_those_of_the_notice_and_say_where_they_come_from() -> None:
    published = [row.split("\t")[1] for row in PUBLISHED.read_text(encoding="utf-8").splitlines()[1:]]
    listed = [record["value"] for record in objects("indicators") if record["source"] == PUBLISHER]
    others = [record for record in objects("indicators") if record["source"] != PUBLISHER]

    assert listed == published
    assert len(published) >= 200
    assert all(record["value"].endswith(".example") for record in others if record["type"] == "domain")
    notice = (FOLDER / "indicators.NOTICE.md").read_text(encoding="utf-8")
    assert "MIT License" in notice
    assert f"{len(published)} published" in notice
    assert f"{len(others) - 4} numbers, a prefix, a link and two domains" in notice


def test_real_domains_are_sent_to_victims_only(messages: list[Sms], victims: list[Label]) -> None:
    real = {record["value"] for record in objects("indicators") if record["source"] == PUBLISHER}
    reached = {message.subscriber for message in messages if real.intersection(hosts_of(message.text or ""))}
    written = {message.subscriber for message in messages if any(host in (message.text or "") for host in real)}

    assert len(reached) >= 8
    assert reached | written <= {victim.subscriber for victim in victims}


def test_harmless_links_lead_nowhere(messages: list[Sms], victims: list[Label]) -> None:
    targets = {victim.subscriber for victim in victims}
    harmless = [message.text or "" for message in messages if message.subscriber not in targets]
    hosts = {host for text in harmless for host in hosts_of(text)}

    assert [host for host in hosts if not host.endswith(".example") and host != "bit.ly"] == []
    assert len(hosts) >= 4


def test_at_least_eight_scam_types_and_as_many_look_alikes(labels: list[Label], victims: list[Label]) -> None:
    look_alikes = [label for label in labels if label.role == "look-alike"]

    assert len({victim.scam_type for victim in victims}) >= 8
    assert {victim.scam_type for victim in victims} <= set(SCAM_TYPES)
    assert {victim.severity for victim in victims} == set(SEVERITIES)
    assert {victim.stage for victim in victims} == {"shallow", "medium", "deep", "harmed"}
    assert len(look_alikes) >= len(victims) >= 8
    assert all(label.zh and label.en for label in labels)


def test_every_victim_is_found_as_severe_as_labelled(day: Played, victims: list[Label]) -> None:
    for victim in victims:
        standing = day.standing(victim.subscriber)
        assert standing, victim.story
        assert victim.severity is not None
        assert SEVERITIES.index(standing[-1].severity) >= SEVERITIES.index(victim.severity), victim.story
        named = {victim.scam_type} | (
            {"other"} if standing[-1].severity == "low" else set()
        )  # the first SMS, not yet attributed to a scam type
        assert standing[-1].scam_type in named, victim.story


def test_every_victim_goes_as_far_as_labelled(day: Played, victims: list[Label]) -> None:
    for victim in victims:
        assert victim.stage is not None
        assert day.stage(victim.subscriber) == victim.stage, victim.story


def test_who_loses_money_is_alerted_before_it_leaves(day: Played, victims: list[Label]) -> None:
    losers = [victim for victim in victims if victim.money_at is not None]

    assert len(losers) >= 3
    for victim in losers:
        first = min(alert.at for alert in day.standing(victim.subscriber) if alert.severity in ("high", "urgent"))
        assert first < (victim.money_at or 0), victim.story


def test_nobody_else_is_alerted(day: Played, victims: list[Label]) -> None:
    assert {alert.subscriber for alert in day.alerts} == {victim.subscriber for victim in victims}


def test_the_engine_reads_every_disguised_host(day: Played, messages: list[Sms]) -> None:
    """Glued to Chinese, full-width, hxxp with brackets, an invisible character: each gives its signal."""
    listed = {record["value"] for record in objects("indicators") if record["type"] == "domain"}
    lured = [message for message in messages if listed.intersection(hosts_of(message.text or ""))]

    assert any(lure not in (message.text or "") for message in lured for lure in hosts_of(message.text or ""))
    assert set(LURES[:8]) <= {host for message in lured for host in hosts_of(message.text or "")}
    assert day.signals["fraud-domain-sms"] == len(lured) + 1  # plus one link of a shortener


def test_the_true_case_is_alerted_within_seconds_of_its_start_and_urgent_while_the_call_goes_on(
    calls: list[Call], events: list[Call | Sms], labels: list[Label]
) -> None:
    (woman,) = [label.subscriber for label in labels if label.story == "disease-control"]
    (call,) = [call.id for call in calls if call.subscriber == woman and call.at == MIDNIGHT + clock("10:40")]
    seconds_later = [event for event in events if event.at <= MIDNIGHT + clock("10:40:05")]
    at_eleven = [event for event in events if event.at <= MIDNIGHT + clock("11:00")]
    assert not any(event.id == call and event.phase == "end" for event in at_eleven if isinstance(event, Call))

    first = Played(seconds_later).standing(woman)
    then = Played(at_eleven).standing(woman)

    assert [(alert.severity, alert.at) for alert in first] == [("low", MIDNIGHT + clock("10:40"))]
    assert [alert.severity for alert in then][-1] == "urgent"
    assert then[-1].at < MIDNIGHT + clock("10:46")
    assert then[-1].stage == "deep"


def test_the_readme_counts_what_is_there(calls: list[Call], messages: list[Sms], labels: list[Label]) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    roles = Counter(label.role for label in labels)

    people = len(lines("subscribers"))
    assert f"{people:,} people, {len(calls) // 2:,} calls, {len(messages):,} SMS" in readme
    assert f"**{roles['victim']} victims**" in readme
    assert f"**{roles['look-alike']} people who look alike**" in readme
    assert f"**{people - len(labels):,} people in the background**" in readme
