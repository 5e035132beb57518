"""Validation: checks the contracts before a broker sees them: names, configs, schemas, examples."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

from streams.kafka.contracts.model import SAME_PARTITIONS, Contracts, Problem, Topic, cleanup_policy
from streams.kafka.contracts.reading import read

_LEGAL_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KAFKA_MAX_MESSAGE_BYTES = 1_048_588
"""The broker's default of ``max.message.bytes`` (Kafka documentation, topic configs)."""
_KAFKA_SEGMENT_MS = 604_800_000
"""The broker's default of ``segment.ms``: for so long a record may be in a segment that takes more records."""

TOPIC_CONFIGS = frozenset(
    {
        "cleanup.policy",
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.type",
        "compression.zstd.level",
        "delete.retention.ms",
        "file.delete.delay.ms",
        "flush.messages",
        "flush.ms",
        "follower.replication.throttled.replicas",
        "index.interval.bytes",
        "leader.replication.throttled.replicas",
        "local.retention.bytes",
        "local.retention.ms",
        "max.compaction.lag.ms",
        "max.message.bytes",
        "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.type",
        "min.cleanable.dirty.ratio",
        "min.compaction.lag.ms",
        "min.insync.replicas",
        "preallocate",
        "remote.log.copy.disable",
        "remote.log.delete.on.disable",
        "remote.storage.enable",
        "retention.bytes",
        "retention.ms",
        "segment.bytes",
        "segment.index.bytes",
        "segment.jitter.ms",
        "segment.ms",
        "unclean.leader.election.enable",
    }
)
"""The configs that a topic of Apache Kafka 4.1 takes (Kafka documentation, topic configs)."""


def check(path: Path) -> list[Problem]:
    """Every problem of a topics file, its schemas and examples; empty when there is none.

    It only reads files. The problems are sorted by file and line.
    """
    contracts, problems = read(path)
    broken = {problem.where for problem in problems}
    # A value that could not be read is reported already; further problems that follow from it would only confuse.
    return sorted(problems + [problem for problem in validate(contracts) if problem.where not in broken])


def validate(contracts: Contracts) -> list[Problem]:
    """Every problem of contracts whose structure could be read: names, configs, schemas, examples."""
    problems = list(_partitions_agree(contracts)) if contracts.topics else []
    for topic in contracts.topics.values():
        for checks in (_name, _programs, _configs, _dead_letter, _schema):
            problems.extend(checks(contracts, topic))
    return sorted(problems)


def _partitions_agree(contracts: Contracts) -> Iterator[Problem]:
    counts = {name: contracts[name].partitions for name in SAME_PARTITIONS if name in contracts.topics}
    for name in SAME_PARTITIONS:
        if name not in counts:
            yield contracts.problem("topics", f"{name} is not declared, and the worker reads it; add it")
    known = {name: count for name, count in counts.items() if count}
    if len(set(known.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in known.items())
        yield contracts.problem(
            f"topics.{next(iter(known))}.partitions",
            f"{', '.join(SAME_PARTITIONS)} must have the same number of partitions ({said}), "
            "or one subscriber's records would go to different workers",
        )


def _name(contracts: Contracts, topic: Topic) -> Iterator[Problem]:
    if not _LEGAL_NAME.fullmatch(topic.name) or topic.name in (".", ".."):
        yield contracts.problem(
            f"topics.{topic.name}",
            "is not a legal topic name: Kafka takes up to 249 letters, digits, '.', '_' and '-'",
        )


def _programs(contracts: Contracts, topic: Topic) -> Iterator[Problem]:
    """Check that each program is declared; a file from before programs were declared has none."""
    for role, names in (("producers", topic.producers), ("consumers", topic.consumers)):
        for name in names if contracts.programs else ():
            if name not in contracts.programs:
                near = difflib.get_close_matches(name, contracts.programs, n=1)
                advice = f"did you mean {near[0]}?" if near else "declare it under `programs:`"
                yield contracts.problem(f"topics.{topic.name}.{role}", f"{name} is not a program; {advice}")


def _configs(contracts: Contracts, topic: Topic) -> Iterator[Problem]:
    where = f"topics.{topic.name}.configs"
    for name in topic.configs:
        if name not in TOPIC_CONFIGS:
            near = difflib.get_close_matches(name, TOPIC_CONFIGS, n=1)
            yield contracts.problem(
                f"{where}.{name}",
                "is not a topic config of Kafka" + (f"; did you mean {near[0]}?" if near else ""),
            )
    policy = cleanup_policy(topic.configs.get("cleanup.policy", "delete"))
    if not policy or not policy <= {"compact", "delete"}:
        yield contracts.problem(f"{where}.cleanup.policy", "must be delete, compact, or both with a comma")
    if topic.compacted and topic.key is None:
        yield contracts.problem(
            f"topics.{topic.name}.key",
            "a compacted topic needs a key, since Kafka keeps the last record of each",
        )
    if topic.compacted and topic.configs.get("message.timestamp.type") != "LogAppendTime":
        yield contracts.problem(
            f"{where}.message.timestamp.type",
            "must be LogAppendTime in a compacted topic: readers take the record of a key that was appended last",
        )
    if "delete" in policy and "retention.ms" not in topic.configs:
        yield contracts.problem(where, "how long records are kept is mandatory: say retention.ms, or compact")
    for name in ("retention.ms", "max.message.bytes"):
        value = topic.configs.get(name, "1")
        if not (value.isascii() and value.isdigit() and int(value)):
            yield contracts.problem(f"{where}.{name}", f"must be a whole number above 0, not {value!r}")


def _max_message_bytes(topic: Topic) -> int:
    return _whole(topic, "max.message.bytes", _KAFKA_MAX_MESSAGE_BYTES)


def _whole(topic: Topic, config: str, default: int) -> int:
    """A config that is a whole number; the default where it is none, which another check reports."""
    value = topic.configs.get(config, "")
    return int(value) if value.isascii() and value.isdigit() else default


def _dead_letter(contracts: Contracts, topic: Topic) -> Iterator[Problem]:
    where = f"topics.{topic.name}.dead_letter"
    if topic.dead_letter is None:
        return
    letters = contracts.topics.get(topic.dead_letter)
    if letters is None:
        yield contracts.problem(where, f"{topic.dead_letter} is not declared; declare it under `topics:`")
    elif letters is topic:
        yield contracts.problem(where, "a topic cannot take its own dead letters; say null")
    elif _max_message_bytes(letters) <= _max_message_bytes(topic):
        yield contracts.problem(
            f"topics.{letters.name}.configs.max.message.bytes",
            f"{_max_message_bytes(letters)} must be more than {_max_message_bytes(topic)} of {topic.name}, "
            "or its largest records would not fit with the error headers",
        )
    elif not set(letters.producers).isdisjoint(topic.consumers):
        yield from _letters_kept(contracts, letters, topic)


def _letters_kept(contracts: Contracts, letters: Topic, topic: Topic) -> Iterator[Problem]:
    """A dead letter holds a whole record, so it must not be there for longer than the record itself."""
    kept = _whole(letters, "retention.ms", 0) + _whole(letters, "segment.ms", _KAFKA_SEGMENT_MS)
    longest = _whole(topic, "retention.ms", kept)
    if not topic.compacted and kept > longest:
        yield contracts.problem(
            f"topics.{letters.name}.configs.retention.ms",
            f"retention.ms and segment.ms together must be at most {longest}, not {kept}, "
            f"or dead letters outlive the records of {topic.name}",
        )


def _schema(contracts: Contracts, topic: Topic) -> Iterator[Problem]:
    """The schema's file, then every example against it."""
    path, examples = contracts.schema_path(topic), contracts.example_paths(topic)
    if path is None or examples is None:
        return
    where = f"topics.{topic.name}.schema"
    if not path.name.endswith(f"-v{topic.version}.json"):
        yield contracts.problem(where, f"the file's name must end in -v{topic.version}.json, as `version` says")
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
    except OSError as error:
        yield contracts.problem(where, f"{path} cannot be read: {error.strerror}")
        return
    except json.JSONDecodeError as error:
        yield Problem(str(path), error.lineno, "", f"is not JSON: {error.msg}")
        return
    except (SchemaError, UnicodeDecodeError) as error:
        at = error.json_path if isinstance(error, SchemaError) else ""
        said = error.message if isinstance(error, SchemaError) else error.reason
        yield Problem(str(path), 0, at, f"is not a valid JSON Schema: {said}")
        return
    if not isinstance(schema, dict) or schema.get("$schema") != _DIALECT:
        yield Problem(str(path), 1, "$schema", f"must be {_DIALECT}")
        return
    validator = Draft202012Validator(schema)
    good, bad = examples
    yield from _good_examples(good, validator, frozenset(schema.get("properties", {})))
    if bad.exists():
        yield from _bad_examples(bad, validator)


def _good_examples(path: Path, validator: Draft202012Validator, declared: frozenset[str]) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(str(path), 0, "", "is missing; every schema has examples, one JSON object a line")
        return
    for line, record in _records(path):
        if isinstance(record, Problem):
            yield record
        elif error := best_match(validator.iter_errors(record)):
            yield Problem(str(path), line, error.json_path, f"does not fit the schema: {error.message}")
        elif isinstance(record, dict) and (unknown := sorted(set(record) - declared)):
            # Readers ignore unknown fields, so an unknown field here is misspelt or missing in the schema.
            yield Problem(str(path), line, f"$.{unknown[0]}", "is not in the schema; add it there or correct it")


def _bad_examples(path: Path, validator: Draft202012Validator) -> Iterator[Problem]:
    for line, record in _records(path):
        if isinstance(record, Problem):
            yield record
        elif validator.is_valid(record):
            yield Problem(str(path), line, "", "fits the schema, though it stands among the bad examples")


def _records(path: Path) -> Iterator[tuple[int, object]]:
    """Each line number with the JSON value on that line, or with the problem that it has none."""
    for line, text in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            yield line, json.loads(text)
        except ValueError as error:  # not JSON, or not UTF-8
            yield line, Problem(str(path), line, "", f"is not JSON: {error}; one value a line")
