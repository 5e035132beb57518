"""The topic contracts without a broker: what is read, every problem that is reported, and the reference page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from streams.cli.topics import topics
from streams.kafka.contracts import SAME_PARTITIONS, InvalidContracts, load
from streams.kafka.contracts.page import page
from streams.kafka.contracts.validation import check

ROOT = Path(__file__).parents[3]
TOPICS = ROOT / "topics.yaml"
DESIGNED = {
    *("calls", "sms", "indicators", "subscribers", "signals", "alerts", "dispatch", "dispatch-feedback"),
    *("campaigns", "reminders", "stop-payments", "dead-letters", "handled-letters", "audit-heads", "risks"),
}

Broken = Callable[[str, str], Path]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A copy of the contracts that tests may break."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(TOPICS, tmp_path)
    return tmp_path


@pytest.fixture
def broken(site: Path) -> Broken:
    """Breaks topics.yaml: replaces the first occurrence of a text."""

    def spoil(old: str, new: str) -> Path:
        path = site / "topics.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return spoil


def test_the_repository_is_clean() -> None:
    """The contracts that ship with Forewarn have no problem, and all their examples are valid."""
    assert check(TOPICS) == []


def test_every_topic_of_the_design_is_declared_with_its_limits() -> None:
    """Retention or compaction, a dead-letter topic, and room for records that are too large."""
    contracts = load(TOPICS)

    assert set(contracts.topics) == DESIGNED
    assert {contracts[name].partitions for name in SAME_PARTITIONS} == {8}
    for topic in contracts.topics.values():
        assert topic.compacted or int(topic.configs["retention.ms"]) > 0
        assert int(topic.configs["max.message.bytes"]) >= 2 * 1024 * 1024
        assert topic.dead_letter == (None if topic.name == "dead-letters" else "dead-letters")


def test_the_worker_reads_and_writes_what_the_design_says() -> None:
    """Check_worker looks for these topics, so the contract must name the worker for each."""
    assert set(load(TOPICS).of_worker()) == {
        *("calls", "sms", "signals", "indicators", "subscribers", "alerts", "reminders", "dead-letters")
    }


@pytest.mark.parametrize("path", sorted((ROOT / "schemas" / "examples").glob("*.bad.jsonl")), ids=lambda p: p.name)
def test_every_bad_example_is_refused_by_its_schema(path: Path) -> None:
    """A schema that accepts a bad record is too loose for a contract."""
    schema = json.loads((ROOT / "schemas" / path.name.replace(".bad.jsonl", ".json")).read_text(encoding="utf-8"))
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert records
    assert not [record for record in records if Draft202012Validator(schema).is_valid(record)]


def test_the_page_is_what_the_contracts_say() -> None:
    """To update the page: python -m streams.kafka.contracts.page > docs/topics.md."""
    assert (ROOT / "docs" / "topics.md").read_text(encoding="utf-8") == page(load(TOPICS))


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("    owner: carriers\n", "    ower: carriers\n", "topics.calls.ower", "did you mean owner?"),
        ("    owner: carriers\n", "", "topics.calls.owner", "is missing"),
        (
            "    owner: carriers\n",
            "    owner: [carriers]\n",
            "topics.calls.owner",
            "must be a text, not a list",
        ),
        ("producers: [carriers, redrive]", "producers: carriers", "topics.calls.producers", "must be a list of names"),
        ("defaults:\n", "default:\n", "default", "did you mean defaults?"),
        ('country_code: "86"', "country_code: 86", "numbering.default.country_code", "in quotes"),
        ('country_code: "86"', 'country_code: "999"', "numbering.default.country_code", "country code"),
        ('trunk_prefix: "0"', "trunk_prefix: none", "numbering.default.trunk_prefix", "digits in quotes"),
        ('["00"]', "00", "numbering.default.international_prefixes", "a list of digits"),
        ('["10193"', '["8610"', "numbering.default.carrier_selection", "cut off real numbers"),
        ("sources: {}", "sources: {'a b': {}}", "numbering.sources.a b", "no name of a source"),
        ("sources: {}", "sources: {x: {region: HK}}", "numbering.sources.x.region", "not a field here"),
        ("    partitions: 8\n", "    partitions: 0\n", "topics.calls.partitions", "above 0, not 0"),
        ("    partitions: 8\n", "    partitions: many\n", "topics.calls.partitions", "not 'many'"),
        (
            "    partitions: 8\n",
            "    partitions: 16\n",
            "topics.calls.partitions",
            "calls 16, sms 8, signals 8",
        ),
        ("  replication: 1", "  replication: none", "topics.calls.replication", "must be a whole number"),
        ("      retention.ms: 345600000\n", "", "topics.calls.configs", "mandatory"),
        ("retention.ms: 345600000", "retention.ms: -1", "topics.calls.configs.retention.ms", "not '-1'"),
        ("retention.ms: 345600000", "retentoin.ms: 1", "topics.calls.configs.retentoin.ms", "retention.ms?"),
        ("retention.ms: 345600000", "retention.ms: [1]", "topics.calls.configs.retention.ms", "single value"),
        ("policy: compact", "policy: keep", "topics.indicators.configs.cleanup.policy", "delete, compact"),
        ("key: type:value", "key: null", "topics.indicators.key", "a compacted topic needs a key"),
        (
            "by hand.\n      message.timestamp.type: LogAppendTime",
            "by hand.\n      message.timestamp.type: CreateTime",
            "topics.indicators.configs.message.timestamp.type",
            "must be LogAppendTime in a compacted topic",
        ),
        (
            "dead_letter: dead-letters",
            "dead_letter: dead",
            "topics.calls.dead_letter",
            "dead is not declared",
        ),
        (
            "dead_letter: null",
            "dead_letter: dead-letters",
            "topics.dead-letters.dead_letter",
            "its own dead letters",
        ),
        (
            "ms: 259200000\n",
            "ms: 259200001\n",
            "topics.dead-letters.configs.retention.ms",
            "outlive the records of calls",
        ),
        (
            "259200000\n      segment.ms: 86400000\n",
            "259200000\n",
            "topics.dead-letters.configs.retention.ms",
            "at most 345600000, not 864000000",
        ),
        ("2162688", "2097152", "topics.dead-letters.configs.max.message.bytes", "must be more than 2097152"),
        ("  calls:\n", "  call s:\n", "topics.call s", "is not a legal topic name"),
        ("  calls:\n", "  telephony:\n", "topics", "calls is not declared"),
        ("\n  sms:\n", "\n  calls:\n", "topics.calls", "is declared twice, first in line "),
        ("calls-v1.json", "call-v1.json", "topics.calls.schema", "No such file"),
        ("    version: 1\n", "    version: 2\n", "topics.calls.schema", "must end in -v2.json"),
        ("    version: 1\n", "", "topics.calls.version", "is missing"),
        ("producers: [carriers, redrive]", "producers: [carrier]", "topics.calls.producers", "did you mean carriers?"),
        ("consumers: [gateway, ", "consumers: [nobody, ", "topics.reminders.consumers", "declare it under `programs:`"),
        ("  hunter:\n", "  Hunter 1:\n", "programs.Hunter 1", "is no name of a program"),
        ("    description: Looks back", "    about: Looks back", "programs.hunter.about", "is not a field here"),
        ("    description: Looks back", "    # Looks back", "programs.hunter", "must be a mapping"),
        ('groups: ["{group}"]', "groups: forewarn", "programs.worker.groups", "must be a list of texts"),
        ('groups: ["{group}"]', 'groups: ["*"]', "programs.worker.groups", "'*' is no name here"),
        ('groups: ["{group}"]', 'groups: ["{site}"]', "programs.worker.groups", "first {group}, last *"),
        ('groups: ["{group}"]', "principals: [worker]", "programs.worker.principals", "no principal of Kafka"),
        ('groups: ["{group}"]', 'principals: ["User:*"]', "programs.worker.principals", "to everybody"),
        ("manages_topics: true", "manages_topics: yes please", "programs.operators.manages_topics", "true or false"),
        ("reads_configs: true", "reads_configs: 1", "programs.data-protection.reads_configs", "true or false"),
    ],
)
def test_a_problem_of_the_file_is_named_with_its_place(
    broken: Broken, old: str, new: str, where: str, words: str
) -> None:
    """The problem has its place, a line of the file, and words that say what to do."""
    path = broken(old, new)
    problems = check(path)
    found = [problem for problem in problems if problem.where == where and words in problem.message]

    assert found, problems
    assert found[0].line > 0
    assert str(found[0]).startswith(f"{path}:{found[0].line}: {where}: ")


def test_the_line_of_a_problem_is_that_of_its_field(broken: Broken) -> None:
    """An operator who opens the file at this line sees the mistake."""
    path = broken("partitions: 8", "partitions: eight")
    line = check(path)[0].line

    assert "partitions: eight" in path.read_text(encoding="utf-8").splitlines()[line - 1]


def test_all_problems_are_named_at_once(broken: Broken) -> None:
    """A mistake in the structure does not hide mistakes in other topics, and causes no follow-up errors."""
    broken("    owner: carriers\n", "")
    path = broken("key: type:value", "key: null")
    broken("    partitions: 8\n", "    partitions: none\n")

    assert {problem.where for problem in check(path)} == {
        "topics.calls.owner",
        "topics.calls.partitions",
        "topics.indicators.key",
    }


def test_a_syntax_error_has_its_line(broken: Broken) -> None:
    """YAML's own message, with the line."""
    path = broken("producers: [carriers, redrive]", "producers: [carriers, redrive")
    (problem,) = check(path)

    assert "consumers: " in path.read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert "is not YAML" in problem.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not nothing"),
        ("[]", "not a list"),
        ("topics: {}", "there is none"),
        ("topics: {calls: 1}", "not 1"),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, text: str, words: str) -> None:
    """No traceback for an empty file or a list."""
    path = tmp_path / "topics.yaml"
    path.write_text(text, encoding="utf-8")

    assert any(words in problem.message for problem in check(path))


def test_a_file_that_is_not_there_is_named() -> None:
    """The message names the setting for its path."""
    (problem,) = check(Path("nowhere/topics.yaml"))

    assert "FOREWARN_TOPICS_FILE" in problem.message


@pytest.mark.parametrize(
    ("file", "text", "line", "words"),
    [
        ("calls-v1.json", '{"type": "obj"}', 0, "is not a valid JSON Schema"),
        ("calls-v1.json", '{"type": "object"}', 1, "must be https://json-schema.org/draft/2020-12/schema"),
        ("calls-v1.json", "{\n,}", 2, "is not JSON"),
        ("examples/calls-v1.jsonl", '{"id": "c"}', 1, "does not fit the schema"),
        ("examples/calls-v1.jsonl", "{", 1, "is not JSON"),
        ("examples/calls-v1.jsonl", None, 0, "is missing"),
        ("examples/calls-v1.bad.jsonl", '{"id": 1}\n{', 2, "is not JSON"),
    ],
)
def test_a_problem_of_a_schema_or_an_example_is_named(
    site: Path, file: str, text: str | None, line: int, words: str
) -> None:
    """In the file that contains it, not in the file where it was noticed."""
    path = site / "schemas" / file
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    (problem,) = check(site / "topics.yaml")

    assert (problem.file, problem.line) == (str(path), line)
    assert words in problem.message


def test_a_good_record_among_the_bad_examples_is_named(site: Path) -> None:
    """Otherwise a schema could be loosened unnoticed."""
    folder = site / "schemas" / "examples"
    good = (folder / "sms-v1.jsonl").read_text(encoding="utf-8").splitlines()[0]
    (folder / "sms-v1.bad.jsonl").write_text(good, encoding="utf-8")
    (problem,) = check(site / "topics.yaml")

    assert "fits the schema" in problem.message


def test_an_example_with_a_field_that_the_schema_lacks_is_named(site: Path) -> None:
    """Readers ignore unknown fields, so a misspelled optional field would go unnoticed."""
    path = site / "schemas" / "examples" / "sms-v1.jsonl"
    record = json.loads(path.read_text(encoding="utf-8").splitlines()[0]) | {"cel": "460-00"}
    path.write_text(json.dumps(record), encoding="utf-8")
    (problem,) = check(site / "topics.yaml")

    assert problem.where == "$.cel"


def test_loading_a_broken_file_raises_with_all_problems(broken: Broken) -> None:
    """A worker must not start with half a contract."""
    path = broken("    owner: carriers\n", "")

    with pytest.raises(InvalidContracts, match=r"topics\.calls\.owner: is missing"):
        load(path)


def test_validate_needs_no_broker_and_says_how_many_topics() -> None:
    """Exit status 0 and one line on stdout."""
    result = CliRunner().invoke(topics, ["validate", "--file", str(TOPICS)])

    assert result.exit_code == 0
    assert "15 topics, no problems" in result.stdout


def test_validate_ends_with_1_and_a_line_for_each_problem(broken: Broken) -> None:
    """On stderr, where messages for people go."""
    path = broken("    owner: carriers\n", "")
    result = CliRunner().invoke(topics, ["validate", "--file", str(path)])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "topics.calls.owner: is missing" in result.stderr


def test_validate_as_json_is_for_machines(broken: Broken) -> None:
    """The same exit status, and one JSON object on stdout."""
    path = broken("    owner: carriers\n", "")
    line = path.read_text(encoding="utf-8").splitlines().index("  calls:") + 1
    result = CliRunner().invoke(topics, ["validate", "--json", "--file", str(path)])

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "problems": [{"file": str(path), "line": line, "where": "topics.calls.owner", "message": "is missing"}]
    }


def test_a_broken_contract_never_reaches_a_broker(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply checks the contracts first. A connection to this address would take seconds to fail."""
    path = broken("key: type:value", "key: null")
    monkeypatch.setenv("FOREWARN_KAFKA", "127.0.0.1:1")
    result = CliRunner().invoke(topics, ["apply", "--file", str(path)])

    assert result.exit_code == 1
    assert "a compacted topic needs a key" in result.stderr
    assert "127.0.0.1:1" not in result.stderr


def test_every_command_has_an_example_in_its_help() -> None:
    """The common case therefore needs no documentation."""
    for command in topics.commands.values():
        assert "Example: " in (command.help or "")
