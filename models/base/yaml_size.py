"""YAML size: refuses a document whose aliases stand for much more than its bytes.

An alias (``*name``) is a few bytes long and may stand for half of the file, so aliases of aliases multiply. Whoever
turns YAML into typed values walks over all of that: thirty lines can fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import yaml

MOST_NODES: Final = 1_000_000
"""The most values that a document may have, each alias counted as what it stands for."""
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlSizeError(yaml.MarkedYAMLError):
    """A document stands for too many values; it is one of PyYAML's errors, and names the line."""


def check_size(content: bytes | str) -> None:
    r"""Raise `YamlSizeError` for a document that stands for too many values.

    What is no YAML is left to whoever reads the document next.

    >>> check_size(b"[&a [1, 2], *a]")
    >>> check_size(b"&a [*a]")
    Traceback (most recent call last):
        ...
    models.base.yaml_size.YamlSizeError: it has more than 1,000,000 values, each alias counted as what it stands for
      in "<byte string>", line 1, column 5
    """
    known: dict[str | None, int] = {}
    counts = [0]
    anchors: list[str | None] = []
    for event in _events(content):
        size = 0
        match event:
            case yaml.AliasEvent():
                size = known.get(event.anchor, MOST_NODES + 1)  # one that is still open would contain itself
            case yaml.ScalarEvent():
                size = known[event.anchor] = 1
            case yaml.CollectionStartEvent():
                counts.append(1)
                anchors.append(event.anchor)
                known.pop(event.anchor, None)
            case yaml.CollectionEndEvent():
                size = known[anchors.pop()] = counts.pop()
        counts[-1] += size
        if counts[-1] > MOST_NODES:
            mark: Any = event.start_mark  # the types of PyYAML do not know that libyaml's marks serve as well
            raise YamlSizeError(
                problem=f"it has more than {MOST_NODES:,} values, each alias counted as what it stands for",
                problem_mark=mark,
            )


def _events(content: bytes | str) -> Iterator[Any]:
    """The events of a document up to its first mistake: libyaml's messages are poorer than PyYAML's own."""
    with suppress(yaml.YAMLError):
        yield from yaml.parse(content, Loader=_LOADER)
