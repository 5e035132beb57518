"""The ``forewarn`` command: a group that imports a command's module only when that command is called.

Messages for people go to stderr, data to stdout. A user's mistake is reported in one sentence, never as a traceback.
"""

from __future__ import annotations

import ast
import gc
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.kafka.login import LoginRefusedError
from streams.printable import printable

if TYPE_CHECKING:
    from streams.settings import Settings

COMMANDS = {
    "audit": "streams.cli.audit:audit",
    "bulletin": "streams.cli.bulletin:bulletin",
    "campaigns": "streams.cli.campaigns:campaigns",
    "check": "streams.cli.check:check",
    "city": "streams.cli.city:city",
    "console": "streams.cli.console:console",
    "demo": "streams.cli.demo:demo",
    "dispatcher": "streams.cli.dispatcher:dispatcher",
    "doctor": "streams.cli.doctor:doctor",
    "down": "streams.cli.local:down",
    "extract": "streams.cli.extract:extract",
    "hunt": "streams.cli.hunt:hunt",
    "hunter": "streams.cli.hunter:hunter",
    "indicators": "streams.cli.indicators:indicators",
    "ledger": "streams.cli.ledger:ledger",
    "letters": "streams.cli.letters:letters",
    "person": "streams.cli.person:person",
    "play": "streams.cli.play:play_command",
    "playbook": "streams.cli.playbook:playbook",
    "record": "streams.cli.record:record",
    "replay": "streams.cli.replay:replay",
    "risks": "streams.cli.risks:risks",
    "state": "streams.cli.state:state",
    "top": "streams.cli.top:top",
    "topics": "streams.cli.topics:topics",
    "train": "streams.cli.train:train",
    "up": "streams.cli.local:up",
    "users": "streams.cli.users:users",
    "worker": "streams.cli.worker:worker",
}


class CommandError(click.ClickException):
    """A failure that the user can fix; the message says in one sentence what, where and what to do; exit status 1."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        """Print the sentence on stderr, in red on a terminal."""
        lines = map(printable, self.format_message().splitlines())  # a message may quote foreign text
        click.secho("forewarn: " + "\n".join(lines), err=True, fg="red")


class InputError(CommandError):
    """The request is not possible: a `CommandError` with exit status 2; nothing was written."""

    exit_code = 2


def site_settings() -> Settings:
    """The settings from the environment; a mistake in them is reported in one sentence."""
    from streams.setting_fields import SettingsError
    from streams.settings import Settings

    try:
        return Settings.from_environ()
    except SettingsError as error:
        raise CommandError(str(error)) from None


class LazyGroup(click.Group):
    """A click group whose commands are imported when they are first needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return the command of this name, or None when there is none."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a login that Kafka refuses is a sentence, whichever command has asked Kafka."""
        try:
            return super().invoke(ctx)
        except LoginRefusedError as error:
            raise CommandError(str(error)) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them: together they need everything, and that takes seconds."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, click.Command(name, help=_docstring(name)).get_short_help_str(limit))
                    for name in self.list_commands(ctx)
                ]
            )


def _docstring(name: str) -> str | None:
    """The docstring of a command, as its source has it."""
    module, function = COMMANDS[name].rpartition(".")[2].split(":")
    source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    defined = {each.name: each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)}
    return ast.get_docstring(defined[function])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="forewarn", prog_name="forewarn")
def cli() -> None:
    """Find the people who are being defrauded right now, while the money can still be saved.

    Example: ``forewarn demo`` starts a real Kafka and Valkey, plays a day of records and prints the alerts.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the console script's entry point."""
    # An import makes hundreds of thousands of objects that stay. To look through them again and again, as Python does
    # by default, takes nearly a tenth of every start.
    gc.set_threshold(20_000, 20, 50)
    os.umask(os.umask(0o077) | 0o007)  # what people did is for this user and perhaps their group, never for others
    cli.main(args=list(arguments) if arguments is not None else None, prog_name="forewarn")
