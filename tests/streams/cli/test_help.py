"""The list of commands: what each says of itself, without loading any."""

from __future__ import annotations

import subprocess
import sys

import click
from click.testing import CliRunner

from streams.cli import COMMANDS, cli

LIST = "from streams.cli import main; main(['--help'])"


def test_the_list_says_what_each_command_says_of_itself() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=400, max_content_width=400)
    lines = dict(line.split(maxsplit=1) for line in shown.output.partition("Commands:\n")[2].splitlines())
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in COMMANDS}

    assert lines == {name: command.get_short_help_str(380) for name, command in commands.items() if command}


def test_the_list_loads_no_command() -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", LIST], capture_output=True, text=True, check=True)

    assert "Score the partitions" in done.stdout
    assert not {"numba", "aiokafka", "redis", "streams.cli.worker"} & set(done.stderr.split())
