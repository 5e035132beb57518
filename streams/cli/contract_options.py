"""Contract options: what the commands of ``forewarn topics`` share: options, checks, and how errors are said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from streams.cli import CommandError, site_settings
from streams.kafka.contracts import ContractError, Contracts, Problem, load
from streams.kafka.contracts.validation import check
from streams.setting_fields import SettingsError
from streams.settings import Settings

CHANGES = 3
"""Exit status of a comparison when the cluster does not match the contract."""


def contract_options(command: Callable[..., None]) -> Callable[..., None]:
    """The two options of every command of the group."""
    file = click.option(
        "--file", "path", type=click.Path(path_type=Path), help="Another topics.yaml [default: FOREWARN_TOPICS_FILE]."
    )
    return file(click.option("--json", "as_json", is_flag=True, help="Write one JSON object on stdout.")(command))


@contextmanager
def as_command_error() -> Iterator[None]:
    """Report errors that the user can fix in one sentence, not as a traceback."""
    try:
        yield
    except (ContractError, SettingsError) as error:
        raise CommandError(str(error)) from None


def checked(path: Path | None) -> tuple[Settings, Contracts]:
    """The settings and the contracts. Refuses contracts with problems, which must not reach a broker."""
    settings = site_settings()
    path = path or settings.topics_file
    refuse(check(path))
    return settings, load(path)


def refuse(problems: Iterable[Problem]) -> None:
    """End the command with one line for each problem, if there is any."""
    if text := "\n".join(map(str, problems)):
        raise CommandError(text)
