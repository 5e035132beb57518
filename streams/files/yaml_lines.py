"""YAML lines: reads the YAML files that people write strictly, and names each mistake with its line.

`models` decides what the fields mean; this module finds the line of a field that was refused there.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import yaml

from models.base.yaml_size import check_size

_SOME_KEY: Final = "[*]"
"""Stands for an unknown key of a mapping in the path of a mistake: msgspec does not name it and writes ``[...]``."""


class NotYamlError(ValueError):
    """A file is not YAML; the message says why, and ``line`` says where."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(f"This is not YAML: {problem}.")
        self.line = line


class Document(NamedTuple):
    """A YAML document: its nodes, which have line numbers, and its plain values."""

    tree: yaml.Node | None
    plain: Any


def read(content: bytes) -> Document:
    """Read a YAML document; raises `NotYamlError`, also when a key appears twice in one mapping."""
    try:
        check_size(content)
        tree = yaml.compose(content, Loader=yaml.SafeLoader)
        twice = _key_that_stands_twice(tree)
        plain = yaml.safe_load(content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise NotYamlError(str(error.problem), line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYamlError(" ".join(str(error).split()).rstrip("."), 1) from None
    if twice is not None:
        raise NotYamlError(f"{twice.value} appears here twice; keep one", twice.start_mark.line + 1)
    return Document(tree, plain)


def line_of(tree: yaml.Node | None, path: str) -> int:
    r"""The line of the field at a path; if the field is missing, the line of its nearest parent that exists.

    >>> line_of(read(b"a:\n  - b: 1\n  - b: 2\n").tree, ".a[1].b")
    3
    """
    node, line = tree, 1
    for part in path.replace("[...]", _SOME_KEY).replace("[", ".[").split("."):
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if part in (pair[0].value, _SOME_KEY)]
            if len(found) == 1:
                line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and part[1:-1].isdigit() and int(part[1:-1]) < len(node.value):
            node = node.value[int(part[1:-1])]
            line = node.start_mark.line + 1
    return line


def _key_that_stands_twice(tree: yaml.Node | None) -> yaml.ScalarNode | None:
    """The second key of the same name in one mapping: YAML itself would keep its value and drop the first one's."""
    waiting, met = [tree], set()
    while waiting:
        node = waiting.pop()
        if id(node) in met:  # an alias may lead back to its own parent
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            names: set[str] = set()
            for key, value in node.value:
                waiting.append(value)
                if isinstance(key, yaml.ScalarNode):
                    if key.value in names:
                        return key
                    names.add(key.value)
    return None
