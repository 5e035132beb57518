"""Poison: makes records that may be wrong in every way, from a catalogue, hypothesis and a mutation fuzzer.

Everything follows from a seed, so that a finding can be reproduced.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bench.records import Made
from models.events.event import LATEST, MAX_BYTES
from tests.wrong_records import ANY_BAD, BAD, GOOD, UNUSUAL

EXAMPLES = 3000
"""The number of examples from hypothesis; the fuzzer mutates them too."""

STRUCTURE = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\n", b"\r\n", b"\x00", b"\xff", b"\xc3", b"\\u", b" "]
TIMES = ["0", "-1", "1773600000", "1.7736e12", "1773600000000.5", "253402300799000", "1e400", "NaN", "Infinity"]
TIMES += [str(LATEST), str(LATEST + 1), "1773600000000000", str(10**40), '"1773600000000"', "true", "null", "[]", "{}"]
VALUES = ["null", "1", '""', '"x"', "[[]]", '{"a":{}}', "1e999", "-0", '"\\ud800"', '"\\n}{\\n"', "tru", '"\x7f"']


class Fuzzed(NamedTuple):
    """A record that may be anything: its topic's role, its key and its value."""

    role: str
    key: bytes | None
    value: bytes | None


@cache
def catalogue(start: int) -> tuple[bytes | None, ...]:
    """The wrong and unusual records that the tests list, and examples from hypothesis with this seed."""
    found: list[bytes | None] = [*(value for value, _ in BAD.values()), *GOOD, *UNUSUAL]

    @seed(start)
    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.one_of(ANY_BAD, st.recursive(st.none() | st.text() | st.floats(), st.lists, max_leaves=20).map(_json)))
    def collect(value: bytes | None) -> None:
        found.append(value)

    collect()
    return tuple(value for value in found if value is None or len(value) < 250_000)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def fuzz(good: Iterator[Made], start: int, huge_every: int = 5000) -> Iterator[Fuzzed]:
    """A mutation of each good record; one in ``huge_every`` is about the greatest allowed size, or beyond it."""
    chance = random.Random(start)
    known = catalogue(start)
    previous = next(good)
    for index, record in enumerate(good):
        if index % huge_every == 0:
            yield Fuzzed(record.role, record.key.encode(), _huge(chance, record.value))
            continue
        value, key = record.value, record.key.encode()
        for _ in range(1 if chance.random() < 0.8 else 3):
            value = chance.choice(MUTATIONS)(chance, value, previous)
        kind = chance.random()
        if kind < 0.05:
            yield Fuzzed(record.role, key, chance.choice(known))
        elif kind < 0.055:
            yield Fuzzed(record.role, key, None)
        elif kind < 0.1:
            yield Fuzzed(record.role, _other_key(chance, key, previous), value)
        else:
            yield Fuzzed(record.role, key, value)
        previous = record


Mutation = Callable[[random.Random, bytes, Made], bytes]


def _huge(chance: random.Random, value: bytes) -> bytes:
    size = chance.choice([MAX_BYTES - len(value) - 8, MAX_BYTES - len(value) - 7, MAX_BYTES, 1_900_000])
    return value[:-1] + b',"x":"' + b"x" * size + b'"}'


def _flip(chance: random.Random, value: bytes, other: Made) -> bytes:
    at = chance.randrange(len(value) or 1)
    return value[:at] + bytes([chance.randrange(256)]) + value[at + 1 :]


def _truncate(chance: random.Random, value: bytes, other: Made) -> bytes:
    return value[: chance.randrange(len(value) + 1)]


def _cut_out(chance: random.Random, value: bytes, other: Made) -> bytes:
    at = chance.randrange(len(value) + 1)
    return value[:at] + value[at + chance.randrange(1, 12) :]


def _insert(chance: random.Random, value: bytes, other: Made) -> bytes:
    at = chance.randrange(len(value) + 1)
    return value[:at] + chance.choice(STRUCTURE) + value[at:]


def _splice(chance: random.Random, value: bytes, other: Made) -> bytes:
    return value[: chance.randrange(len(value) + 1)] + other.value[chance.randrange(len(other.value)) :]


def _twice(chance: random.Random, value: bytes, other: Made) -> bytes:
    return value + chance.choice([b"", b" ", b"\n", b","]) + other.value


def _wrap(chance: random.Random, value: bytes, other: Made) -> bytes:
    left, right = chance.choice([(b"[", b"]"), (b'{"x":', b"}"), (b"\xef\xbb\xbf", b""), (b"\n", b"\n"), (b'"', b'"')])
    return left + value + right


def _time(chance: random.Random, value: bytes, other: Made) -> bytes:
    before, found, after = value.partition(b'"at":')
    return before + found + chance.choice(TIMES).encode() + after[13:]


def _field(chance: random.Random, value: bytes, other: Made) -> bytes:
    """Add a field with another value: an unknown field, a second one of the same name, or the only one."""
    name = chance.choice(["id", "subscriber", "peer", "direction", "phase", "at", "duration_s", "text", "domains", "x"])
    said = f'"{name}":{chance.choice(VALUES)}'.encode()
    if chance.random() < 0.5:
        return b"{" + said + b"," + value[1:]
    return value[:-1] + b"," + said + b"}"


def _nest(chance: random.Random, value: bytes, other: Made) -> bytes:
    depth = chance.choice([1, 10, 200, 5000])
    left, right = chance.choice([(b"[", b"]"), (b'{"y":', b"}")])
    return value[:-1] + b',"x":' + left * depth + b"1" + right * depth + b"}"


def _lines(chance: random.Random, value: bytes, other: Made) -> bytes:
    """Put line ends and braces inside a value, which could mislead a reader that splits at them."""
    return value[:-1] + b',"x":"' + json.dumps('}\n{]\r[,"' + other.value.decode()).encode()[1:] + b"}"


def _other_key(chance: random.Random, key: bytes, other: Made) -> bytes | None:
    return chance.choice([None, b"", other.key.encode(), key + b"\n", key[:-1], b"\xff", b" " + key])


MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _flip, _truncate, _cut_out, _insert, _insert, _splice, _twice, _wrap, _time, _field, _field, _nest),
    _lines,
)
