"""Scoring, live: records in, alerts and dead letters out, and indicators and policy that change while a worker runs."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
import urllib.request
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from models.events.event import Refusal
from models.events.numbering import Numbering, Sources
from streams.cli import cli
from streams.files.letter_lines import LetterLine, bytes_of
from streams.kafka.columns import Record
from streams.kafka.letters import DeadLetters, refused
from streams.local.worker import metric
from streams.sealing import new_keys
from streams.settings import Settings
from tests.site import FRAUD, LETTERS_KEY, ROOT, Site, applied, call, indicator, until

AT = 1_773_625_200_000


@pytest.fixture(scope="module")
def working(shared_site: Site) -> tuple[Site, str]:
    """A site with one known number and a ready worker, and the address of the worker's metrics."""
    shared_site.send("indicators", indicator())
    _, http = shared_site.start_worker()
    return shared_site, http


def test_an_alert_stands_while_the_call_is_going_on(working: tuple[Site, str]) -> None:
    site, _ = working
    site.send("calls", call("8610000000101", AT))
    alert = until(lambda: [each for each in site.alerts() if each["subscriber"] == "8610000000101"])[0]
    assert (alert["severity"], alert["status"], alert["at"]) == ("high", "raised", AT)
    assert alert["indicators"] == ["number:99900123456"]
    assert {"code": "fraud-number-call", "events": ["c1"]}.items() <= alert["reasons"][0].items()


def test_wrong_records_become_dead_letters_and_their_neighbours_are_unharmed(working: tuple[Site, str]) -> None:
    site, _ = working
    good = json.dumps(call("8610000000202", AT + 60_000)).encode()
    key = b"8610000000202"
    wrong: dict[str, tuple[bytes | None, bytes | None]] = {
        "not-json": (b'{"id": ', key),
        "not-utf8": (b'{"id": "\xff"}', key),
        "not-an-object": (b"[]", key),
        "wrong-field": (b'{"id": "x"}', key),
        "impossible-time": (json.dumps(call("8610000000202", 1_773_625_200)).encode(), key),
        "impossible-number": (json.dumps(call("8610000000202", AT, peer="abc")).encode(), key),
        "subscriber-form": (json.dumps(call("10000000202", AT)).encode(), b"10000000202"),
        "wrong-key": (good, b"8610000000203"),
        "too-large": (b'{"id": "' + b"x" * 1_000_001 + b'"}', key),
        "empty": (None, key),
    }
    topic = site.settings.topic("calls")
    with site.producer() as producer:
        for value, its_key in wrong.values():
            # One partition, so that good and bad records are neighbours.
            producer.send(topic, key=its_key, value=value, partition=3, headers=[("carrier", b"one")])
        producer.send(topic, key=key, value=good, partition=3)
    until(lambda: [each for each in site.alerts() if each["subscriber"] == "8610000000202"])
    letters = {letter.said["reason"]: letter for letter in site.letters()}
    assert set(letters) == set(wrong)
    for reason, letter in letters.items():
        assert (letter.record.value or None, letter.record.key) == wrong[reason]
        assert letter.record.headers == (("carrier", b"one"),)
        assert (letter.said["topic"], letter.said["partition"]) == (topic, "3")
    offsets = [letter.record.offset for letter in letters.values()]
    assert len(set(offsets)) == len(wrong)


def test_a_refused_text_lies_sealed_is_opened_with_the_centres_key_and_is_read_after_the_mend(
    working: tuple[Site, str],
) -> None:
    """The carrier wrote the record under the key of somebody else."""
    site, _ = working
    person, text = "8610000000606", "pay at https://evil-letters.top/x 验证码 482913"
    site.send("indicators", indicator("evil-letters.top", "domain"))
    value = json.dumps({"id": "m6", "subscriber": person, "peer": FRAUD, "direction": "in", "at": AT, "text": text})
    before = site.ends("dead-letters")
    with site.producer() as producer:
        producer.send(site.settings.topic("sms"), key=b"8610000000607", value=value.encode())
    lying = until(lambda: site.read("dead-letters", before))
    log = site.folder / "audit.jsonl"

    def opening(identity: str, out: str) -> Result:
        key = site.folder / f"{out}.key"
        key.write_text(identity)
        key.chmod(0o600)
        options = ["--topic", "sms", "--case", "A-1", "--identity", str(key), "--out", str(site.folder / out)]
        environ = site.environ | {"FOREWARN_AUDIT_LOG": str(log)}
        return CliRunner().invoke(cli, ["letters", "open", *options], env=environ)

    stranger, ours = opening(new_keys().identity, "nothing"), opening(LETTERS_KEY.identity, "opened")
    out = site.folder / "opened"
    (line,) = [msgspec.json.decode(each, type=LetterLine) for each in out.read_bytes().splitlines()]
    with site.producer() as producer:
        producer.send(site.settings.topic("sms"), key=person.encode(), value=bytes_of(line.value))
    alert = until(lambda: [each for each in site.alerts() if each["subscriber"] == person])[0]

    clear = b"".join(part or b"" for each in lying for part in (each.key, each.value, *dict(each.headers).values()))
    assert not [part for part in (person, "8610000000607", "482913", "evil-letters") if part.encode() in clear]
    assert (stranger.exit_code, (site.folder / "nothing").read_bytes()) == (1, b"")
    assert "1 of 1 letters could not be opened" in stranger.stderr
    assert "sealed to another key" in stranger.stderr
    assert ours.exit_code == 0, ours.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert (line.reason, line.key, line.value) == ("wrong-key", "8610000000607", value)
    assert alert["indicators"] == ["domain:evil-letters.top"]
    noted = [json.loads(each) for each in log.read_text().splitlines()]
    assert [(each["did"], each["case"]) for each in noted] == [("letters-opened", "A-1")] * 2
    assert [(each["details"]["opened"], each["details"]["closed"]) for each in noted] == [(0, 1), (1, 0)]


def test_refused_records_that_are_read_now_go_back_once_each_although_redriving_is_killed(
    working: tuple[Site, str],
) -> None:
    """An older worker refused five calls for their numbers. Four of them are read now; one names no number."""
    site, _ = working
    environ = site.environ | {"FOREWARN_AUDIT_LOG": str(site.folder / "redriven.jsonl")}
    settings, harbour = Settings.from_environ(environ), Sources(Numbering(), {"harbour": Numbering()})
    people = [f"86100000007{number:02}" for number in range(5)]
    peers = ["bank", *["+999 00123456"] * 4]
    arrived = int(time.time() * 1000)
    records = [
        Record(settings.topic("calls"), 3, 1_000_000 + number, arrived, person.encode(), json.dumps(each).encode(), ())
        for number, (person, peer) in enumerate(zip(people, peers, strict=True))
        for each in [call(person, AT, peer, source="harbour")]
    ]
    refusals = [refused(record, Refusal(0, "impossible-number", "The peer is no number.")) for record in records]
    with site.producer() as producer:
        for letter in DeadLetters(settings, harbour).of([*refusals, refusals[1]]):  # one was read twice
            headers = [(name, value or b"") for name, value in letter.headers]
            producer.send(letter.topic, letter.value, letter.key, headers, timestamp_ms=letter.timestamp)
    key = site.folder / "redrive.key"
    key.write_text(LETTERS_KEY.identity)
    key.chmod(0o600)
    one = ["--identity", str(key), "--case", "A-7", "--source", "harbour", "--yes"]

    def command(*words: str) -> Result:
        return CliRunner().invoke(cli, ["letters", *words], env=environ)

    def listed() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(command("list", "--source", "harbour", "--json").stdout)
        return found

    first = listed()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.live.killed_redrive", *one, "--old"],
        env=os.environ | environ,
        capture_output=True,
        check=False,
    )
    midway = listed()
    rest = command("redrive", *one, "--old")
    again = command("redrive", *one, "--old")
    masked = command("show", "calls/3/1000000", "--identity", str(key))
    whole = command("show", "calls/3/1000000", "--identity", str(key), "--whole", "--case", "A-7")
    aside = command("discard", "--source", "harbour", "--case", "A-7", "--note", "no number at all", "--yes")
    last = listed()
    until(lambda: {each["subscriber"] for each in site.alerts()} >= {*people[1:]})
    alerts = [each for each in site.alerts() if each["subscriber"] in people]

    assert (first["waiting"], first["example"]) == (5, "calls/3/1000000")
    assert (killed.returncode, midway["waiting"], midway["redriven"]) == (9, 3, 2), killed.stderr
    assert (rest.exit_code, "2 records sent back" in rest.stderr) == (1, True), rest.stderr
    assert (again.exit_code, "0 records can be sent back" in again.stderr) == (1, True), again.stderr
    sent = [each for each in site.read("calls") if "forewarn.redriven" in dict(each.headers)]
    assert sorted(each.key.decode() for each in sent) == people[1:]
    assert [each.value for each in sorted(sent, key=lambda each: each.key)] == [each.value for each in records[1:]]
    assert sorted(each["subscriber"] for each in alerts) == people[1:]
    assert (people[0] in masked.stdout, people[0] in whole.stdout) == (False, True), whole.stderr
    assert (aside.exit_code, last["waiting"], last["redriven"], last["discarded"]) == (0, 0, 4, 1)
    noted = [json.loads(line)["did"] for line in (site.folder / "redriven.jsonl").read_text().splitlines()]
    assert noted == [*["letters-redriven"] * 2, *["letter-shown"] * 2, "letters-discarded"]


def test_a_new_indicator_is_matched_within_a_second_and_a_revoked_one_withdraws(working: tuple[Site, str]) -> None:
    site, http = working
    number, subscriber = "99900555001", "8610000000303"
    read = metric(http, "forewarn_events_total")
    site.send("calls", call(subscriber, AT, peer=number, id="before"))
    applied(http, int(read) + 1)
    known = metric(http, "forewarn_indicators", type="number")
    site.send("indicators", indicator(number))
    time.sleep(1.0)
    site.send("calls", call(subscriber, AT + 1000, peer=number, id="after"))
    alert = until(lambda: [each for each in site.alerts() if each["subscriber"] == subscriber])[0]
    assert alert["reasons"][0]["events"] == ["after"]
    until(lambda: metric(http, "forewarn_indicators", type="number") == known + 1)
    site.send("indicators", indicator(number, revoked=True))
    withdrawn = until(lambda: [each for each in site.alerts() if each["subscriber"] == subscriber][1:])[0]
    assert (withdrawn["id"], withdrawn["status"]) == (alert["id"], "withdrawn")
    assert withdrawn["reasons"][0]["code"] == "no-longer-indicator"


def test_a_tombstone_withdraws_too(working: tuple[Site, str]) -> None:
    site, _ = working
    number, subscriber = "99900555002", "8610000000304"
    site.send("indicators", indicator(number))
    time.sleep(1.0)
    site.send("calls", call(subscriber, AT, peer=number))
    until(lambda: [each for each in site.alerts() if each["subscriber"] == subscriber])
    with site.producer() as producer:
        producer.send(site.settings.topic("indicators"), key=f"number:{number}".encode(), value=None)
    until(lambda: [each for each in site.alerts() if each["subscriber"] == subscriber][1:])


def test_a_wrong_indicator_is_a_dead_letter_once_and_the_last_good_one_stands(site: Site) -> None:
    site.send("indicators", indicator())
    with site.producer() as producer:
        topic = site.settings.topic("indicators")
        for value in (b"rubbish", json.dumps(indicator(kind="domain", value="Evil.TOP")).encode()):
            producer.send(topic, key=b"number:99900123456", value=value)
        police = json.dumps(indicator("110")).encode()
        producer.send(topic, key=b"number:110", value=police)
    first, _ = site.start_worker()
    first.stop()
    _, http = site.start_worker()
    site.send("calls", call("8610000000401", AT))
    until(lambda: site.alerts())
    assert [each.said["reason"] for each in site.letters()] == ["wrong-indicator"] * 3
    assert metric(http, "forewarn_indicators", type="number") == 1


def test_the_policy_is_read_again_and_a_broken_edit_keeps_the_last_good_one(site: Site) -> None:
    policy = site.folder / "policy.yaml"
    text = (ROOT / "examples" / "policy-points.yaml").read_text()
    policy.write_text(text)
    site.send("indicators", indicator())
    _, http = site.start_worker(FOREWARN_POLICY_FILE=str(policy))
    policy.write_text("contact: nonsense")
    until(lambda: metric(http, "forewarn_policy_reload_failures_total") == 1)
    assert metric(http, "forewarn_policy_refused") == 1
    site.send("calls", call("8610000000501", AT))
    assert until(site.alerts)[0]["severity"] == "high"
    before = _policies(http)
    policy.write_text(text.replace("in_progress: 72 ", "in_progress: 95 "))
    until(lambda: "".join(_policies(http)) and _policies(http) != before)
    site.send("calls", call("8610000000502", AT))
    alert = until(lambda: [each for each in site.alerts() if each["subscriber"] == "8610000000502"])[0]
    assert alert["severity"] == "urgent"
    assert [alert["policy"]] == _policies(http)
    assert metric(http, "forewarn_policy_refused") == 0


def _policies(http: str) -> list[str]:
    """The policy versions that the worker reports as in force."""
    with urllib.request.urlopen(f"http://{http}/metrics") as answer:
        return re.findall(r'^forewarn_policy_info{version="(.*)"} 1', answer.read().decode(), re.MULTILINE)


def test_metrics_and_logs_hold_no_number(working: tuple[Site, str]) -> None:
    site, http = working
    site.send("calls", call("8610000000901", AT, id="quiet"))
    until(lambda: [each for each in site.alerts() if each["subscriber"] == "8610000000901"])
    with urllib.request.urlopen(f"http://{http}/metrics") as answer:
        said = answer.read().decode()
    said += "".join(path.read_text() for path in site.folder.glob("worker-*.log"))
    assert "forewarn_alerts_total" in said
    assert "86100000009" not in said
    assert "99900" not in said
    assert metric(http, "forewarn_event_to_alert_seconds_count") == metric(
        http, "forewarn_alerts_total", status="raised"
    )


def test_applied_records_leave_no_lag(working: tuple[Site, str]) -> None:
    site, http = working
    before = metric(http, "forewarn_events_total")
    site.send("sms", *[_sms(f"86100000008{number:02}", AT + number) for number in range(20)])
    applied(http, int(before) + 20)


def _sms(subscriber: str, at: int) -> dict[str, Any]:
    return {
        "id": f"m{at}",
        "subscriber": subscriber,
        "peer": "8610000009999",
        "direction": "in",
        "at": at,
        "text": "hello",
    }
