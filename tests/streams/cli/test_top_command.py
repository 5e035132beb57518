"""``forewarn top``: once, for scripts and for a pipe; a program that is away is shown and breaks nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from streams import health, metrics
from streams.cli import cli
from streams.local.ports import any_free_port
from streams.setting_values import Address


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """The settings of a site whose worker answers, and whose dispatcher is away."""
    metrics.tell_build()
    address = Address("127.0.0.1", any_free_port())
    server = health.HealthServer(health.pages(health.Progress(60.0), dict), address)
    try:
        yield {"FOREWARN_TARGETS": f"worker={address},dispatcher=127.0.0.1:{any_free_port()}"}
    finally:
        server.close()


def test_once_as_json_is_one_object_with_what_is_wrong(environ: dict[str, str]) -> None:
    """Rates are counted between two looks, and whoever is away has the state `away`."""
    result = CliRunner().invoke(cli, ["top", "--once", "--json", "--every", "0.5"], env=environ)
    said = json.loads(result.stdout)

    assert result.exit_code == 0
    assert [(each["program"], each["says"]) for each in said["programs"] if each["state"] == "away"] == [
        ("dispatcher", "connection refused")
    ]
    assert "ForewarnNoDispatcher" in [each["entry"] for each in said["worries"]]
    assert said["seconds"] >= 0.5


def test_without_a_terminal_the_page_is_shown_once(environ: dict[str, str]) -> None:
    """With the address of whoever is away, and no sign that controls a terminal."""
    result = CliRunner().invoke(cli, ["top", "--every", "0.5"], env=environ)

    assert result.exit_code == 0
    assert f"{environ['FOREWARN_TARGETS'].rpartition('=')[2]}  away: connection refused" in result.stdout
    assert "1 of 2 programs answer" in result.stdout
    assert "\x1b" not in result.stdout


def test_json_is_for_one_look_alone() -> None:
    result = CliRunner().invoke(cli, ["top", "--json"])

    assert result.exit_code == 2
    assert "--json needs --once" in result.stderr
