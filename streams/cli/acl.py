"""``forewarn topics acl``: say which rights each program needs in Kafka, compare them with its rules, grant them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path

import click
from kafka.admin import KafkaAdminClient

from streams.cli import CommandError, InputError
from streams.cli.contract_options import CHANGES, as_command_error, checked, contract_options
from streams.cli.noting import note
from streams.cli.tables import show_table
from streams.kafka.contracts import acl as kafka_acl
from streams.kafka.contracts import open_admin
from streams.kafka.contracts.rights import Comparison, Right, by_resource, compare, rights, script
from streams.settings import Settings


@click.command()
@contract_options
@click.option("--script", "as_script", is_flag=True, help="Print lines for kafka-acls.sh instead of a table.")
@click.option("--diff", "differs", is_flag=True, help="List what Kafka lacks, and what it has beyond the contract.")
@click.option("--apply", "applies", is_flag=True, help="Add what Kafka lacks.")
@click.option("--prune", is_flag=True, help="With --diff or --apply: withdraw rules beyond the contract.")
def acl(path: Path | None, as_json: bool, as_script: bool, differs: bool, applies: bool, prune: bool) -> None:
    """Say which rights each program needs in Kafka, by topics.yaml; needs no broker without --diff or --apply.

    --apply adds rules and leaves the others. With --prune it also withdraws those that stand on a topic, group or
    transactional id of this site and are not in the contract. Rules that deny something, and rules that cover other
    names as well, are shown and never withdrawn. --diff and --apply need the login of a super user. The audit log
    records a change first.

    Exit status: 0 done or no difference, 1 error, 2 wrong usage, 3 differences (--diff).

    Example: forewarn topics acl --diff
    """
    if as_script + differs + applies > 1 or (as_script and as_json):
        raise InputError("give one of --script, --diff and --apply, and --json with the last two or alone")
    if prune and not (differs or applies):
        raise InputError("--prune goes with --diff, to see what would be withdrawn, or with --apply")
    with as_command_error():
        settings, contracts = checked(path)
        wanted = rights(contracts, settings)
        if not wanted:
            raise CommandError(f"{contracts.file} declares no programs: copy `programs` from the file of this version")
        if as_script:
            click.echo("\n".join(script(wanted, settings.kafka)))
        elif differs or applies:
            with open_admin(settings) as admin:
                found = compare(wanted, kafka_acl.present(admin))
                if applies:
                    _change(admin, settings, found, prune)
            _report(found, as_json, applies, prune, settings.kafka)
        elif as_json:
            click.echo(json.dumps({"rights": _plain(wanted)}))
        else:
            _table(wanted)


def _change(admin: KafkaAdminClient, settings: Settings, found: Comparison, prune: bool) -> None:
    """Grant first: a program whose rule is replaced by another one must not be without rights in between."""
    withdrawn = found.own if prune else ()
    if found.missing or withdrawn:
        note(settings, "rights-applied", details={"added": len(found.missing), "withdrawn": len(withdrawn)})
    if found.missing:
        kafka_acl.grant(admin, found.missing)
    if withdrawn:
        kafka_acl.withdraw(admin, withdrawn)


def _report(found: Comparison, as_json: bool, applied: bool, prune: bool, kafka: str) -> None:
    left = found.others if prune else (*found.own, *found.others)
    withdrawn = found.own if prune else ()
    if as_json:
        click.echo(json.dumps({"add": _plain(found.missing), "withdraw": _plain(withdrawn), "beyond": _plain(left)}))
    else:
        for mark, colour, some in (("+", "green", found.missing), ("-", "red", withdrawn), ("!", "yellow", left)):
            for right in some:
                click.secho(f"{mark} {right}", fg=colour)
    changes = len(found.missing) + len(withdrawn)
    if applied:
        said = f"{len(found.missing)} rules added, {len(withdrawn)} withdrawn"
    else:
        said = f"{len(found.missing)} rules to add, {len(withdrawn)} to withdraw"
    click.echo(f"Kafka at {kafka}: {said}, {len(left)} beyond the contract stay", err=True)
    if not applied and (changes or left):
        raise SystemExit(CHANGES)


def _table(wanted: Collection[Right]) -> None:
    rows = [
        (principal, resource.kind, resource.name + "*" * resource.prefixed, ", ".join(operations))
        for (principal, resource), operations in by_resource(wanted).items()
    ]
    show_table(("principal", "kind", "name", "may"), rows)


def _plain(some: Collection[Right]) -> list[dict[str, object]]:
    return [dataclasses.asdict(right) | {"resource": right.resource._asdict()} for right in some]
