"""`forewarn indicators` with a real Kafka: import, list and revoke, the records that are refused, and the messages."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner, Result
from kafka import KafkaProducer

from models.indicators.indicator import IndicatorError
from models.indicators.matching import Indicators
from streams.cli.indicators import indicators
from streams.kafka.contracts import apply, load, open_admin
from streams.kafka.indicator_topic import read
from streams.kafka.reference_data import IndicatorRecords
from streams.settings import Settings
from tests.site import SECRET

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("forewarn")
PAGE = ROOT / "docs" / "indicators.md"

Forewarn = Callable[..., Result]


class Servers(Protocol):
    """The servers of the session's stack that these tests need."""

    @property
    def kafka(self) -> str:
        """Kafka's address."""
        ...


@pytest.fixture
def settings(stack: Servers, topic_prefix: str) -> Iterator[Settings]:
    """A separate site on the session's Kafka, with only the topic of indicators."""
    settings = Settings(kafka=stack.kafka, topic_prefix=topic_prefix)
    contracts = load(ROOT / "topics.yaml")
    few = {name: contracts[name] for name in ("indicators", "dead-letters", "audit-heads")}
    with open_admin(settings) as admin:
        apply(replace(contracts, topics=few), admin, settings)
        yield settings
        admin.delete_topics([settings.topic(name) for name in few])


@pytest.fixture
def environ(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """The settings as environment variables."""
    return {
        "FOREWARN_KAFKA": settings.kafka,
        "FOREWARN_TOPIC_PREFIX": settings.topic_prefix,
        "FOREWARN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "FOREWARN_SECRET": SECRET,
    }


@pytest.fixture
def forewarn(environ: dict[str, str]) -> Forewarn:
    """Runs `forewarn indicators` in this process."""

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(indicators, arguments, input=stdin, env=environ)

    return run


def known_to_a_worker(settings: Settings) -> Indicators:
    """The indicators of a worker that has read the topic from its beginning."""
    known = Indicators()
    records = IndicatorRecords(known)
    for key, value in asyncio.run(read(settings)).records.items():
        records.apply(key.encode(), value)
    return known


def test_import_list_revoke_list(forewarn: Forewarn, settings: Settings) -> None:
    """The life of a list: every command with its exit status, and the effect on a worker."""
    imported = forewarn(
        *("import", "-", "--source", "centre"),
        stdin="+999 00 123456\n*.Evil.example.\n坏.中国\nbit.ly/3AbC\n99900 9*\n",
    )
    listed = forewarn("list", "--json")

    assert imported.exit_code == 0
    assert "5 confirmed by Kafka" in imported.stderr
    assert listed.exit_code == 0
    values = {record["value"]: record for record in map(json.loads, listed.stdout.splitlines())}
    assert set(values) == {"99900123456", "evil.example", "xn--7es.xn--fiqs8s", "bit.ly/3AbC", "999009"}
    assert {record["source"] for record in values.values()} == {"centre"}
    known = known_to_a_worker(settings)
    assert known.number("99900123456", 1) is not None
    assert known.host("login.evil.example", 1) is not None

    revoked = forewarn("revoke", "hxxp://evil[.]example", "00999 00 123456")

    assert revoked.exit_code == 0
    assert "2 indicators revoked" in revoked.stderr
    assert "evil.example" not in forewarn("list").stdout
    everything = forewarn("list", "--all", "--type", "domain").stdout.splitlines()
    assert [line.split("\t")[1] for line in everything if line.endswith("revoked")][1:] == ["evil.example"]
    known = known_to_a_worker(settings)
    assert known.number("99900123456", 1) is None
    assert known.host("login.evil.example", 1) is None
    assert len(known) == 3

    again = forewarn("revoke", "evil.example")
    back = forewarn("import", "-", stdin="evil.example\n")

    assert (again.exit_code, again.stderr) == (0, "evil.example is revoked already\n")
    assert back.exit_code == 0
    assert known_to_a_worker(settings).host("evil.example", 1) is not None


def test_every_refused_line_is_reported_and_the_rest_is_imported(forewarn: Forewarn) -> None:
    """On stderr for people, as JSON Lines for programs, and never with the number."""
    text = "evil.example\n110\n99900123456 ext 7\nevil.example\ncom.cn\n99900123457\n"
    for_people = forewarn("import", "-", stdin=text)
    for_programs = forewarn("import", "-", "--json", stdin=text)

    assert for_people.exit_code == for_programs.exit_code == 1
    lines = for_people.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["line 2", "line 3", "line 5"]
    assert "1 domain, 1 number; 2 confirmed by Kafka; 1 duplicates, 3 lines refused" in lines[3]
    assert for_people.stdout == ""
    *refused, summary = map(json.loads, for_programs.stdout.splitlines())
    assert [record["line"] for record in refused] == [2, 3, 5]
    assert summary == {
        "file": "-",
        "accepted": 2,
        "confirmed": 2,
        "duplicates": 1,
        "refused": 3,
        "left_out": {},
        "types": {"domain": 1, "number": 1},
    }
    assert "99900123456" not in for_people.output + for_programs.output
    assert forewarn("list").stderr == "2 indicators\n"


def test_filters_choose_and_tables_can_be_imported_again(forewarn: Forewarn, settings: Settings) -> None:
    """The list prints a table with headings, which includes revoked rows."""
    forewarn("import", "-", "--scam-type", "loan", "--source", "a", stdin="a.example\n99900123456\n")
    forewarn("import", "-", "--source", "b", "--valid-from", "2024-11-05", stdin="b.example\n")
    forewarn("revoke", "b.example")
    chosen = [forewarn("list", *by).stderr for by in (("--type", "number"), ("--scam-type", "loan"), ("--source", "b"))]
    table = forewarn("list", "--all").stdout
    again = forewarn("import", "-", stdin=table)

    assert chosen == ["1 indicators\n", "2 indicators\n", "0 indicators\n"]
    assert "2024-11-05 00:00" in table
    assert again.exit_code == 0
    assert forewarn("list", "--all").stdout.splitlines().sort() == table.splitlines().sort()
    assert len(known_to_a_worker(settings)) == 2


def test_revoking_what_is_not_known_fails_and_revokes_the_others(forewarn: Forewarn) -> None:
    """Domains are named but numbers only counted, because the output may be logged."""
    forewarn("import", "-", stdin="evil.example\n")
    result = forewarn("revoke", "good.example", "+99900123456", "evil.example")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "good.example is not a known indicator",
        "value 2 is not a known indicator",
        "1 indicators revoked",
    ]
    assert forewarn("revoke", "com").exit_code == 1


def test_records_of_others_that_are_not_sound_are_counted_and_ignored(forewarn: Forewarn, settings: Settings) -> None:
    """A tombstone removes the indicator that it names."""
    forewarn("import", "-", stdin="evil.example\nbad.example\n")
    sound = b'"scam_type":"loan","confidence":80,"source":"x","valid_from":0}'
    with KafkaProducer(**settings.kafka_options()) as producer:
        topic = settings.topic("indicators")
        for key, value in (
            (b"number:110", b'{"type":"number","value":"110",' + sound),
            (b"domain:a.example", b'{"type":"domain","value":"b.example",' + sound),
            (b"domain:c.example", b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
            (b"\xff", b"rubbish"),
        ):
            producer.send(topic, key=key, value=value).get(timeout=20)
        # Kafka's partitioner is the one of every client here, so the tombstone follows its record.
        producer.send(topic, key=b"domain:bad.example", value=None).get(timeout=20)
    result = forewarn("list", "--all")

    assert result.exit_code == 0
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["value", "evil.example"]
    assert "1 more were deleted" in result.stderr
    assert "4 records of the topic are not valid indicators" in result.stderr


@pytest.mark.parametrize("command", [("import", "-"), ("list",), ("revoke", "evil.example")])
def test_without_kafka_or_topic_the_command_says_what_to_do(
    command: tuple[str, ...], stack: Servers, topic_prefix: str, tmp_path: Path
) -> None:
    """The command prints one sentence, and nothing that looks like success."""
    noting = {"FOREWARN_SECRET": SECRET, "FOREWARN_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
    nobody = noting | {"FOREWARN_KAFKA": "127.0.0.1:1"}
    empty = noting | {"FOREWARN_KAFKA": stack.kafka, "FOREWARN_TOPIC_PREFIX": topic_prefix}
    results = [CliRunner().invoke(indicators, command, input="evil.example\n", env=env) for env in (nobody, empty)]

    assert [result.exit_code for result in results] == [1, 1]
    assert "no Kafka answers at 127.0.0.1:1; set FOREWARN_KAFKA" in results[0].stderr
    assert f"has no topic {topic_prefix}indicators; create it with forewarn topics apply" in results[1].stderr
    assert all("Traceback" not in result.output for result in results)


def test_a_hundred_thousand_numbers_come_through_a_pipe(environ: dict[str, str], settings: Settings) -> None:
    """The command runs as a separate process with real standard streams; every record is confirmed."""
    numbers = "".join(f"+86 100-00{n // 10000:02}-{n % 10000:04}\n" for n in range(100_000))
    done = subprocess.run(
        [COMMAND, "indicators", "import", "-", "--json"],
        input=numbers,
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["confirmed"] == 100_000
    held = dict(asyncio.run(read(settings)).indicators())
    assert len(held) == 100_000
    assert not any(isinstance(item, IndicatorError) for item in held.values())


def test_ctrl_c_ends_an_import_that_waits_for_input(environ: dict[str, str], settings: Settings) -> None:
    """It ends within a second, with the records that were confirmed by then; every record that was sent is there."""
    process = subprocess.Popen(
        [COMMAND, "indicators", "import", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environ},
        cwd=ROOT,
    )
    with process:
        assert process.stdin is not None
        process.stdin.write(b"".join(b"n%d.example\n" % number for number in range(4000)))
        process.stdin.flush()
        wait_for_records(settings, 2000)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        status = process.wait(20)
    confirmed = re.search(r"([\d,]+) confirmed by Kafka", said)

    assert status == 130
    assert "stopped; import again" in said
    assert confirmed is not None
    assert int(confirmed[1].replace(",", "")) == len(asyncio.run(read(settings)).records)


def wait_for_records(settings: Settings, least: int) -> None:
    """Wait until the topic holds so many keys."""

    async def wait() -> None:
        while len((await read(settings)).records) < least:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(wait(), 20))


def test_what_the_page_shows_is_what_the_commands_do(
    forewarn: Forewarn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file and command of docs/indicators.md runs in order, with the exit status that the page gives."""
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text(encoding="utf-8")
    for name, content in re.findall(r"`(\w+\.\w+)`:\n\n```\w*\n(.*?)```", page, re.DOTALL):
        Path(name).write_text(content, encoding="utf-8")
    ran = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        command, *output = block.removeprefix("$ forewarn indicators ").splitlines()
        arguments = [part[1] or part[0] for part in re.findall(r'([^\s"]+|"([^"]*)")', command)]
        result = forewarn(*arguments)
        ran.append(command)
        assert result.output.splitlines() == output, command

    assert len(ran) >= 5
