"""The worst texts: how long the texts that take longest take, at two lengths. ``python -m bench.worst_texts``.

A text of twice the length should take twice as long at most. Otherwise a single slow text could stop a partition.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from models.indicators.prefilter import HostPrefilter
from models.texts.extraction import read
from models.texts.plain_links import plain_links
from models.texts.prefilter import traits_of

UNITS: Final = (
    *(
        "a.",
        "a-",
        "a@",
        "//a",
        "//a.",
        "你.",
        "。a",
        "a。",
        "é.",
        "a‐",
        "a.b‐",
        "www.",
        "http://",
        "a.top ",
        "你好.com",
    ),
    *(
        "x.com@y.top/",
        "a.comhttp://",
        "%41.",
        "//%41",
        "//1.",
        "a .com ",
        "验证码1.a",
        "https://a.b/?u=https%3A%2F%2Fa.b ",
    ),
)
"""The units that a worst text repeats."""
SIZE: Final = 20_000
"""Bytes of the shorter texts."""
_TURNS: Final = 5


def worst() -> dict[str, dict[str, float]]:
    """The milliseconds of the slowest text of each stage, of `SIZE` bytes and of twice as many."""
    prefilter = HostPrefilter()
    for number in range(100_000):
        prefilter.add_host(f"login.evil-bank-{number}.com.top")
    none = np.zeros(1, dtype=np.int64)
    stages: dict[str, Callable[[str, Any, Any], object]] = {
        "traits": lambda text, spelt, end: traits_of(spelt, end),
        "known hosts": lambda text, spelt, end: prefilter.may_hold(spelt, none, end),
        "plain links": lambda text, spelt, end: plain_links(spelt, none, end),
        "reading": lambda text, spelt, end: read(text),
    }
    return {
        name: {"ms": _slowest(stage, SIZE), "ms_twice": _slowest(stage, 2 * SIZE)} for name, stage in stages.items()
    }


def _slowest(stage: Callable[[str, Any, Any], object], size: int) -> float:
    return round(max(_fastest_turn(stage, unit * (size // len(unit.encode()))) for unit in UNITS) * 1000, 3)


def _fastest_turn(stage: Callable[[str, Any, Any], object], text: str) -> float:
    spelt = np.frombuffer(text.encode(), dtype=np.uint8)
    end = np.array([len(spelt)], dtype=np.int64)
    times = []
    for _ in range(_TURNS):
        began = time.process_time()
        stage(text, spelt, end)
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    print(json.dumps(worst(), indent=2))
