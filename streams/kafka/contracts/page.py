"""Page: makes ``docs/topics.md`` from the contracts, with ``python -m streams.kafka.contracts.page``.

The page has a table of all topics, and then for each topic the fields of its schema and an example.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.base.durations import DAY, HOUR, MINUTE, SECOND
from streams.kafka.contracts.model import Contracts, Program, Topic, cleanup_policy
from streams.kafka.contracts.reading import load
from streams.setting_values import beside

_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))

_HEAD = """\
<!-- Made by `python -m streams.kafka.contracts.page > docs/topics.md`; a test holds it equal. -->
# Topics

`topics.yaml` is the contract with all outside systems, and this page is made from it. Records are JSON objects.
Fields marked `?` may be missing, and readers ignore unknown fields. Numbers are E.164 digits without `+`, or a
short code; [records](records.md) says in which other forms carriers may write the other end of a call or an SMS. Times
are event times in epoch milliseconds.

`forewarn topics validate` checks the contract offline, `diff` lists what a cluster lacks (exit status 3), and
`apply` creates it; it never deletes and never shrinks. Growing a topic moves keys to other partitions, so compacted
topics ("last of each key") are never grown: [why](decisions/0014-newest-word-of-a-key.md).
With `FOREWARN_REPLICATION=3` every topic has three replicas and `min.insync.replicas` 2.

| topic | key | from | to | partitions | kept | record |
|---|---|---|---|---|---|---|
"""


_PROGRAMS = """
## Programs

Stations and their software use [the API](api.md). What connects to Kafka is a program of Forewarn, of a carrier or of
the centre, and has a login of its own: `User:forewarn-NAME`, or what `principals` in `topics.yaml` says. Kafka's access
rules are made from this table by `forewarn topics acl` ([who connects to what](access.md#who-connects-to-kafka)). The
site's prefix stands before each name: of topics, groups and transactional ids alike. `{group}` is `FOREWARN_GROUP`.

| program | what it does | reads | writes | groups | transactional ids |
|---|---|---|---|---|---|
"""


def page(contracts: Contracts) -> str:
    """The text of the page; the contracts must have no problems."""
    lines = _HEAD.splitlines()
    for topic in contracts.topics.values():
        record = f"[v{topic.version}](../{topic.schema})" if topic.schema else "any bytes"
        lines.append(
            f"| [`{topic.name}`](#{topic.name}) | {topic.key or 'none'} | {', '.join(topic.producers)} "
            f"| {', '.join(topic.consumers)} | {topic.partitions} | {_kept(topic)} | {record} |"
        )
    lines.extend(_PROGRAMS.splitlines())
    lines.extend(_program(contracts, program) for program in contracts.programs.values())
    for topic in contracts.topics.values():
        lines.extend(_section(contracts, topic))
    return "\n".join(lines) + "\n"


def _program(contracts: Contracts, program: Program) -> str:
    topics = contracts.topics.values()
    reads = (topic.name for topic in topics if program.name in topic.consumers)
    writes = (topic.name for topic in topics if program.name in topic.producers)
    columns = (reads, writes, program.groups, program.transactions)
    cells = [", ".join(f"`{name}`" for name in names) or "–" for names in columns]
    also = " May create, grow and configure every topic." if program.manages_topics else ""
    also += " May see how long every topic keeps its records." if program.reads_configs else ""
    return f"| {program.name} | {program.description}{also} | {' | '.join(cells)} |"


def _section(contracts: Contracts, topic: Topic) -> Iterator[str]:
    yield from ("", f"## {topic.name}", "", topic.description, "")
    configs = ", ".join(f"`{name}={value}`" for name, value in topic.configs.items())
    letters = f"; unreadable records go to [`{topic.dead_letter}`](#{topic.dead_letter})" if topic.dead_letter else ""
    yield f"Owner: {topic.owner}. Kafka: {configs}{letters}."
    if topic.headers:
        yield from ("", "| header | meaning |", "|---|---|")
        yield from (f"| `{name}` | {text} |" for name, text in topic.headers.items())
    path, examples = contracts.schema_path(topic), contracts.example_paths(topic)
    if path is not None and examples is not None:
        schema = json.loads(path.read_text(encoding="utf-8"))
        yield from ("", "| field | type | meaning |", "|---|---|---|")
        for name, about in schema["properties"].items():
            optional = "" if name in schema.get("required", ()) else "?"
            yield f"| `{name}`{optional} | {_type(about)} | {about['description']} |"
        yield from ("", "```json", examples[0].read_text(encoding="utf-8").splitlines()[0], "```")


def _type(about: dict[str, Any]) -> str:
    """The values that a field takes, in short."""
    if "enum" in about:
        return ", ".join(f"`{word}`" for word in about["enum"])
    if about["type"] == "array":
        items = about["items"]
        names = f" of {{{', '.join(items['properties'])}}}" if "properties" in items else f" of {items['type']}s"
        return f"array{names}"
    low, high = about.get("minimum"), about.get("maximum")
    kind = about["type"] if isinstance(about["type"], str) else " or ".join(about["type"])
    return f"{kind} {low} to {high}" if high is not None else kind


def _kept(topic: Topic) -> str:
    """How long records are kept, in words."""
    if topic.compacted and "delete" not in cleanup_policy(topic.configs["cleanup.policy"]):
        return "last of each key"
    milliseconds = int(topic.configs["retention.ms"])
    size, unit = next(((size, unit) for size, unit in _UNITS if milliseconds % size == 0), (1, "ms"))
    return f"{'last of each key, ' if topic.compacted else ''}{milliseconds // size} {unit}"


if __name__ == "__main__":
    sys.stdout.write(page(load(Path(sys.argv[1]) if len(sys.argv) > 1 else beside("topics.yaml"))))
