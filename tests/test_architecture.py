"""The rule between the two halves: models decide and touch nothing outside; streams move."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.base.number_keys import FIRST_NAME, LENGTH_STEP, NOBODY, PORT_STEP
from models.events import parties, scanning
from models.events.event import EARLIEST, LATEST, LONGEST_TALK, MAX_BYTES
from models.indicators import prefilter, text_numbers

ROOT = Path(__file__).parent.parent
MODELS = sorted((ROOT / "models").rglob("*.py"))
STREAMS = sorted((ROOT / "streams").rglob("*.py"))
PURE = frozenset(
    "__future__ abc base64 bisect collections contextlib dataclasses enum functools hashlib heapq hmac html idna"  # noqa: SIM905
    " ipaddress numba"
    " itertools json math models msgspec numpy operator phonenumbers publicsuffixlist random re string sys types typing"
    " unicodedata urllib.parse yaml zlib".split()
)
"""The modules that models may import: values and functions. Any addition is a decision, made here."""

LONGEST = 400
"""The most lines that a module may have."""

LAYERS = (
    {"models.base", "models.access"},
    {"models.policy", "models.texts"},
    {"models.indicators"},
    {"models.events"},
    {"models.detection", "models.city"},
    {"models.capacity", "models.casework", "models.comparison", "models.lookback"},
    {"models.risks"},
    {"streams.backoff", "streams.bundled", "streams.metrics", "streams.printable", "streams.sealing"},
    {"streams.secret_files", "streams.setting_values"},
    {"streams.setting_fields"},
    {"streams.settings", "streams.health"},
    {"streams.logs", "streams.metrics_page", "streams.service", "streams.settings_page"},
    {"streams.kafka", "streams.redis", "streams.signals_page"},
    {"streams.files", "streams.ledger", "streams.replay"},
    {
        "streams.audit",
        "streams.dispatch",
        "streams.hunter",
        "streams.letters",
        "streams.recording",
        "streams.risks",
        "streams.simulation",
        "streams.worker",
    },
    {"streams.access", "streams.overview", "streams.person", "streams.training"},
    {"streams.console", "streams.local"},
    {"streams.checkup", "streams.demo"},
    {"streams.cli"},
)
"""The packages, and the modules at the top of streams, in order: each imports from earlier layers only."""

OUTSIDE = frozenset({"open", "print", "input", "exec", "eval", "__import__", "breakpoint"})
CLOCKS = frozenset({"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "getenv"})


def name(module: Path) -> str:
    """A module's path from the root."""
    return module.relative_to(ROOT).as_posix()


def imports(tree: ast.Module) -> Iterator[str]:
    """The full name of every module that a module imports anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield node.module or ""


def calls(tree: ast.Module) -> Iterator[str]:
    """The name of every function and method that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}"


def forbidden(source: str) -> set[str]:
    """The imports and calls of a module of models that are not allowed there."""
    tree = ast.parse(source)
    found = {module for module in imports(tree) if not {module, module.partition(".")[0]} & PURE}
    return found | {call for call in calls(tree) if call in OUTSIDE or call[1:] in CLOCKS}


@pytest.mark.parametrize("module", MODELS, ids=name)
def test_models_are_pure(module: Path) -> None:
    """No Kafka, no Redis, no clock, no files, and nothing from streams."""
    assert forbidden(module.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source",
    [
        *(
            "import socket",
            "import os",
            "from pathlib import Path",
            "import asyncio",
            "import redis.asyncio",
            "import time",
        ),
        *(
            "from kafka import x",
            "import faust",
            "def f():\n import requests",
            "from streams import columns",
            "import io",
        ),
        *(
            "import http.client",
            "import urllib.request",
            "from urllib import request",
            "import subprocess",
            "import structlog",
            "from prometheus_client import Counter",
        ),
        *("open('x')", "print(1)", "datetime.now()", "time.time()", "datetime.date.today()", "def f():\n eval('1')"),
    ],
)
def test_the_rule_would_notice(source: str) -> None:
    assert forbidden(source)


def test_models_can_be_imported_without_streams_or_any_client() -> None:
    """In a separate process, because the tests have already imported everything."""
    import subprocess

    modules = ",".join(name(module).removesuffix(".py").replace("/", ".") for module in MODELS)
    code = f"import sys, {modules}; print(*sorted({{each.partition('.')[0] for each in sys.modules}}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert (
        set(loaded.stdout.split()) & {"streams", "faust", "aiokafka", "kafka", "redis", "aiohttp", "structlog"} == set()
    )


@pytest.mark.parametrize("module", MODELS + STREAMS, ids=name)
def test_a_module_says_what_it_is_and_is_one_idea(module: Path) -> None:
    source = module.read_text(encoding="utf-8")

    assert len((ast.get_docstring(ast.parse(source)) or "").split()) >= 5
    assert len(source.splitlines()) <= LONGEST


@pytest.mark.parametrize("module", STREAMS, ids=name)
def test_streams_import_no_tests_and_no_benches(module: Path) -> None:
    roots = {each.partition(".")[0] for each in imports(ast.parse(module.read_text(encoding="utf-8")))}

    assert roots & {"tests", "bench", "examples"} == set()


def part_of(module: str) -> str:
    """The package that a dotted name lies in, or the module at the top of streams."""
    return ".".join(module.split(".")[:2])


def imported_parts(tree: ast.Module) -> set[str]:
    """Our packages, and the modules at the top of streams, that a module imports from."""
    ours = [
        f"{node.module}.{alias.name}" if node.module in ("models", "streams") else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    return {part_of(each) for each in ours if each.partition(".")[0] in ("models", "streams")}


def test_every_package_has_its_layer() -> None:
    found = {part_of(name(module).removesuffix(".py").replace("/", ".")) for module in MODELS + STREAMS}

    assert found - {"models.__init__", "streams.__init__"} == set().union(*LAYERS)
    assert sum(map(len, LAYERS)) == len(set().union(*LAYERS))


@pytest.mark.parametrize("module", MODELS + STREAMS, ids=name)
def test_a_module_imports_from_its_own_package_and_earlier_layers(module: Path) -> None:
    own = part_of(name(module).removesuffix(".py").replace("/", "."))
    earlier = set[str]()
    for layer in LAYERS:
        if own in layer:
            break
        earlier |= layer

    assert imported_parts(ast.parse(module.read_text(encoding="utf-8"))) - {own} - earlier == set()


def test_an_import_of_a_later_layer_would_be_noticed() -> None:
    assert imported_parts(ast.parse("from models import casework\nfrom streams.worker.app import App")) == {
        "models.casework",
        "streams.worker",
    }


def foreign_names(source: str) -> set[str]:
    """What compiled functions take from our other modules: their cached code does not notice changes there."""
    tree = ast.parse(source)
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("models", "streams")
        for alias in node.names
    }
    compiled = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "compiled" in {ast.unparse(each) for each in node.decorator_list}
    ]
    used = {
        node.id
        for function in compiled
        for part in function.body
        for node in ast.walk(part)
        if isinstance(node, ast.Name)
    }
    return used & ours


@pytest.mark.parametrize("module", MODELS + STREAMS, ids=name)
def test_compiled_functions_rest_on_their_own_module_alone(module: Path) -> None:
    assert foreign_names(module.read_text(encoding="utf-8")) == set()


def test_a_compiled_function_that_calls_another_module_would_be_noticed() -> None:
    source = (
        "from models.base.number_keys import LENGTH_STEP\n"
        "from models.base.compiled import compiled\n"
        "@compiled\ndef f(n): return n // LENGTH_STEP"
    )

    assert foreign_names(source) == {"LENGTH_STEP"}


def test_constants_that_compiled_functions_repeat_are_the_same() -> None:
    assert (scanning._EARLIEST, scanning._LATEST, scanning._LARGEST) == (EARLIEST, LATEST, MAX_BYTES)
    assert scanning._LONGEST_DURATION == LONGEST_TALK
    assert {each._LENGTH_STEP for each in (scanning, prefilter, text_numbers, parties)} == {LENGTH_STEP}
    assert text_numbers._SPREAD.astype("int64") == prefilter._SPREAD
    assert {prefilter._PORT_STEP, parties._PORT_STEP} == {PORT_STEP}
    assert {prefilter._FIRST_NAME, parties._FIRST_NAME} == {FIRST_NAME}
    assert (parties._NOBODY, parties._REFUSED, parties._TAKEN) == (NOBODY, scanning.REFUSED, scanning.TAKEN)


def test_every_program_reads_kafka_within_bounds() -> None:
    """The consumer of aiokafka unpacks a batch without a bound, and ends at one that it cannot read."""
    own = [name(module) for module in STREAMS if "AIOKafkaConsumer" in calls(ast.parse(module.read_text()))]

    assert own == []
