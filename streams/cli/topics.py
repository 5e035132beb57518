"""``forewarn topics``: check the contracts offline, compare them with Kafka, and apply them to Kafka.

`acl` does the same for the rights of programs.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from streams.cli import site_settings
from streams.cli.acl import acl
from streams.cli.contract_options import CHANGES, as_command_error, checked, contract_options, refuse
from streams.cli.noting import note
from streams.kafka.contracts import Change, Problem, apply, diff, load, open_admin
from streams.kafka.contracts.validation import check

_MARKS = {"create": ("+", "green"), "grow": ("^", "yellow"), "configure": ("~", "yellow")}


@click.group()
def topics() -> None:
    """Check, compare and apply the topic contracts and their rights, as terraform does.

    Example: forewarn topics apply
    """


topics.add_command(acl)


@topics.command()
@contract_options
def validate(path: Path | None, as_json: bool) -> None:
    """Check topics.yaml, the schemas and their examples; needs no broker.

    Exit status: 0 no problems, 1 problems.

    Example: forewarn topics validate --file topics.yaml
    """
    path = path or site_settings().topics_file
    problems = check(path)
    if as_json:
        _write(problems=problems)
    else:
        refuse(problems)
        click.echo(f"{path}: {len(load(path).topics)} topics, no problems")
    if problems:
        raise SystemExit(1)


@topics.command("diff")
@contract_options
def diff_(path: Path | None, as_json: bool) -> None:
    """List what Kafka lacks; changes nothing.

    Exit status: 0 no changes needed, 1 error, 3 changes needed.

    Example: forewarn topics diff --json
    """
    with as_command_error():
        settings, contracts = checked(path)
        with open_admin(settings) as admin:
            plan = diff(contracts, admin, settings)
    if as_json:
        _write(changes=plan.changes, problems=plan.refusals)
    else:
        _show(plan.changes)
        refuse(plan.refusals)
    if plan.refusals:
        raise SystemExit(1)
    if plan.changes:
        raise SystemExit(CHANGES)
    click.echo(f"Kafka at {settings.kafka} matches {contracts.file}", err=True)


@topics.command("apply")
@contract_options
def apply_(path: Path | None, as_json: bool) -> None:
    """Create, grow and configure topics as the contract says; never deletes, never shrinks.

    The audit log records a change first.

    Exit status: 0 done or nothing to do, 1 error.

    Example: FOREWARN_REPLICATION=3 forewarn topics apply
    """
    with as_command_error():
        settings, contracts = checked(path)
        with open_admin(settings) as admin:
            plan = diff(contracts, admin, settings)
            if plan.changes and not plan.refusals:
                counts = Counter[str](change.action for change in plan.changes)
                note(settings, "topics-applied", details=dict(counts))
            done = apply(contracts, admin, settings)
    if as_json:
        _write(changes=done)
    else:
        _show(done)
    created = sum(change.action == "create" for change in done)
    said = f"{created} topics created, {len(done) - created} other changes" if done else "nothing to do"
    click.echo(f"Kafka at {settings.kafka}: {said}", err=True)


def _show(changes: Iterable[Change]) -> None:
    """Print a line for each change; click omits the colours when stdout is not a terminal."""
    grows = False
    for change in changes:
        mark, colour = _MARKS[change.action]
        click.secho(f"{mark} {change}", fg=colour)
        grows |= change.action == "grow"
    if grows:
        click.echo("From then on, keys of a growing topic go to other partitions.", err=True)


def _write(**values: Iterable[Change] | Iterable[Problem]) -> None:
    """Write one JSON object to stdout."""
    click.echo(json.dumps({name: [dataclasses.asdict(item) for item in items] for name, items in values.items()}))
