"""Reading: turns the text of ``topics.yaml`` into :class:`Contracts` and checks its structure, with lines.

Reading continues after a mistake, so that one run names all of them. `validation` checks what the values mean.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from models.base.yaml_size import check_size
from models.events.numbering import Sources
from streams.kafka.contracts.model import Contracts, InvalidContracts, Problem, Program, Topic
from streams.kafka.contracts.numbering import sources_of
from streams.kafka.contracts.programs import programs_of

_TOPIC_FIELDS = (
    *("description", "owner", "producers", "consumers", "key", "schema", "version"),
    *("partitions", "replication", "configs", "dead_letter", "headers"),
)
_ROOT_FIELDS = ("defaults", "numbering", "programs", "topics")
_DEFAULT_FIELDS = ("replication", "dead_letter", "configs")
_MISSING: Any = object()


def load(path: Path) -> Contracts:
    """The contracts of a file; raises :class:`InvalidContracts` with every problem of its structure."""
    contracts, problems = read(path)
    if problems:
        raise InvalidContracts(problems)
    return contracts


def read(path: Path) -> tuple[Contracts, list[Problem]]:
    """The contracts as far as the file could be understood, and every problem of its structure."""
    file = str(path)
    try:
        document = _Document(file, path.read_text(encoding="utf-8"))
    except OSError as error:
        advice = "give --file, or set FOREWARN_TOPICS_FILE"
        return Contracts(path, {}), [Problem(file, 0, "", f"cannot be read ({error.strerror}); {advice}")]
    except UnicodeDecodeError as error:
        return Contracts(path, {}), [Problem(file, 0, "", f"is not UTF-8 ({error.reason} at byte {error.start})")]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        line = mark.line + 1 if mark is not None else 0
        return Contracts(path, {}), [Problem(file, line, "", f"is not YAML: {what}")]
    topics, sources, programs = document.topics(), document.sources(), document.programs()
    contracts = Contracts(
        path, MappingProxyType(topics), sources, MappingProxyType(programs), MappingProxyType(document.lines)
    )
    return contracts, document.problems


class _Document:
    """Reads the topics of one YAML file; collects lines and problems."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        check_size(text)
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            self.data = None if node is None else self._plain(loader, node, "")
        finally:
            loader.dispose()

    def _plain(self, loader: yaml.SafeLoader, node: yaml.Node, where: str) -> Any:
        """The node as plain Python; PyYAML's own loader keeps no lines and lets the last duplicate win."""
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(loader, item, f"{where}[{at}]") for at, item in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return loader.construct_object(node, deep=True)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            place = f"{where}.{key}" if where else key
            if key in result:
                message = f"is declared twice, first in line {self.lines[place]}; remove one"
                self.problems.append(Problem(self.file, line, place, message))
                continue
            self.lines[place] = line
            result[key] = self._plain(loader, value_node, place)
        return result

    def topics(self) -> dict[str, Topic]:
        root = self._mapping(self.data, "", _ROOT_FIELDS)
        defaults = self._mapping(root.get("defaults", {}), "defaults", _DEFAULT_FIELDS)
        declared = self._mapping(root.get("topics", {}), "topics", None)
        if not declared and not self.problems:
            self._problem("topics", "there is none; declare each topic under `topics:`")
        return {name: self._topic(name, spec, defaults) for name, spec in declared.items()}

    def sources(self) -> Sources:
        root = self.data if isinstance(self.data, dict) else {}
        return sources_of(root, self._mapping, self._problem)

    def programs(self) -> dict[str, Program]:
        root = self.data if isinstance(self.data, dict) else {}
        return programs_of(root, self._mapping, self._problem)

    def _topic(self, name: str, spec: object, defaults: dict[str, Any]) -> Topic:
        where = f"topics.{name}"
        fields = self._mapping(spec, where, _TOPIC_FIELDS)
        schema = self._text(fields, where, "schema", optional=True)
        return Topic(
            name=name,
            description=self._text(fields, where, "description") or "",
            owner=self._text(fields, where, "owner") or "",
            producers=self._texts(fields, where, "producers"),
            consumers=self._texts(fields, where, "consumers"),
            key=self._text(fields, where, "key", optional=True),
            schema=schema,
            version=None if schema is None else self._integer(fields, where, "version"),
            partitions=self._integer(fields, where, "partitions"),
            replication=self._integer({"replication": defaults.get("replication", 1)} | fields, where, "replication"),
            configs=MappingProxyType(
                self._strings(defaults, "defaults", "configs") | self._strings(fields, where, "configs")
            ),
            dead_letter=self._text(
                {"dead_letter": defaults.get("dead_letter")} | fields, where, "dead_letter", optional=True
            ),
            headers=MappingProxyType(self._strings(fields, where, "headers")),
        )

    def _mapping(self, value: object, where: str, known: tuple[str, ...] | None) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._problem(where, f"must be a mapping of names to values, not {_kind(value)}")
            return {}
        for name in value:
            if known is not None and name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                self._problem(f"{where}.{name}" if where else name, f"is not a field here; {advice}")
        return value

    def _field(self, fields: dict[str, Any], where: str, name: str) -> Any:
        value = fields.get(name, _MISSING)
        if value is _MISSING:
            self._problem(f"{where}.{name}", "is missing")
        return value

    def _text(self, fields: dict[str, Any], where: str, name: str, *, optional: bool = False) -> str | None:
        value = self._field(fields, where, name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if value is not _MISSING and not (optional and value is None):
            self._problem(f"{where}.{name}", f"must be a text{' or null' * optional}, not {_kind(value)}")
        return None

    def _texts(self, fields: dict[str, Any], where: str, name: str) -> tuple[str, ...]:
        value = self._field(fields, where, name)
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        if value is not _MISSING:
            self._problem(f"{where}.{name}", "must be a list of names, [worker] for example")
        return ()

    def _integer(self, fields: dict[str, Any], where: str, name: str) -> int:
        value = self._field(fields, where, name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        if value is not _MISSING:
            self._problem(f"{where}.{name}", f"must be a whole number above 0, not {_kind(value)}")
        return 0  # validation treats it as "not known"

    def _strings(self, fields: dict[str, Any], where: str, name: str) -> dict[str, str]:
        value = fields.get(name, {})
        place = f"{where}.{name}"
        strings = {}
        for key, item in self._mapping(value, place, None).items():
            if item is None or isinstance(item, (dict, list)):
                self._problem(f"{place}.{key}", f"must be a single value, not {_kind(item)}")
            else:
                # Kafka takes text, so true and 1 are written as text, too.
                strings[key] = str(item).lower() if isinstance(item, bool) else str(item)
        return strings

    def _problem(self, where: str, message: str) -> None:
        place = where
        while place not in self.lines and "." in place:
            place = place.rpartition(".")[0]
        problem = Problem(self.file, self.lines.get(place, 0), where, message)
        if problem not in self.problems:  # the defaults are read once for each topic
            self.problems.append(problem)


def _kind(value: object) -> str:
    """The name of a value in an error message."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None or value == "" else repr(value)
