"""The documentation against the program: commands, settings, metrics, links and records cannot drift apart."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams import health, metrics, metrics_page
from streams.cli import COMMANDS, cli
from streams.setting_fields import PREFIX
from streams.settings import Settings
from tests.strategies import CALLS, MESSAGES, packed

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OTHER_VARIABLES = {"FOREWARN_TEST_KAFKA", "FOREWARN_TEST_REDIS", "FOREWARN_TEST_DATA"}


def commands(page: Path) -> list[list[str]]:
    """The ``forewarn`` commands in a page's shell blocks, and those that its text names."""
    found = [shlex.split(words) for words in re.findall(r"`forewarn\s([a-z][^`…]*)`", BLOCK.sub("", page.read_text()))]
    for language, block in BLOCK.findall(page.read_text()):
        if language not in ("sh", "bash", "console"):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            line = line.partition(" #")[0].strip().removeprefix("$ ")
            match = re.search(r'(?:\.venv/bin/)?\bforewarn (?P<rest>[^|>")]*)', line)
            if match:
                found.append(shlex.split(match["rest"].replace("'", "'")))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    for words in commands(page):
        command: click.Command | None = cli
        context = click.Context(cli)
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            name = words.pop(0)
            command = command.get_command(context, name)
            assert command is not None, f"forewarn {name}"
        assert command is not None
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        used = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert used <= options | {"--help"}, f"{command.name}: {used - options}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_and_metrics_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    fields = dataclasses.fields(Settings)
    variables = {PREFIX + field.name.upper() for field in fields}
    variables |= {f"{PREFIX}{field.name.upper()}_FILE" for field in fields if field.metadata["secret"]}
    assert set(re.findall(r"FOREWARN_[A-Z_]*[A-Z]", text)) <= variables | OTHER_VARIABLES
    endings = {"counter": ("_total",), "histogram": ("", "_bucket", "_sum", "_count")}
    families = metrics.REGISTRY.collect()
    names = {family.name + ending for family in families for ending in endings.get(family.type, ("",))}
    assert set(re.findall(r"forewarn_[a-z_]*[a-z]", text)) <= names


def test_the_page_of_metrics_is_what_the_module_says() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_page.page()


def test_the_records_in_the_readme_are_good() -> None:
    (block,) = [block for language, block in BLOCK.findall((ROOT / "README.md").read_text()) if language == "json"]
    start, end, message = [line.encode() for line in block.splitlines()]
    assert [call.phase for call in CALLS.read(packed([start, end])).events] == ["start", "end"]
    assert MESSAGES.read(packed([message])).events


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets


def test_what_git_ignores_is_what_the_project_writes() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".venv/", ".forewarn/"} <= set(ignored)


def test_the_container_asks_for_its_health_where_it_is_served() -> None:
    served = health.pages(health.Progress(60.0), dict)
    (asked,) = re.findall(r"127\.0\.0\.1:8890(/\w+)", (ROOT / "docker" / "Dockerfile").read_text())
    assert asked in served
