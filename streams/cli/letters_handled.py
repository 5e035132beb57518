"""``forewarn letters redrive`` and ``discard``: send refused records back, or note that nothing more is to be done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from models.policy.policy import PolicyError
from streams.audit.log import operator
from streams.cli import CommandError, InputError, site_settings
from streams.cli.letter_options import checked_case, choice_of, choosing, run
from streams.cli.noting import note
from streams.cli.private_files import NEW_FILE, identities
from streams.cli.progress import count_bar
from streams.files import policy_file
from streams.kafka.contracts import ContractError, load
from streams.letters.choosing import Choice, Place
from streams.letters.handled import Decision
from streams.letters.handling import Tally, count_waiting, discard, foreseen, redrive
from streams.letters.judging import STAYS, Judge
from streams.setting_fields import SettingsError

_HOUR_MS = 3_600_000

CASE = click.option("--case", required=True, help="Case or incident for which it is done; recorded in the audit log.")
YES = click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.command("redrive")
@choosing
@click.option("--identity", "keys", type=NEW_FILE, multiple=True, required=True, help="File of a private key.")
@CASE
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Send at most so many.")
@click.option("--old", is_flag=True, help="Also send records that are older than an episode can be quiet.")
@DRY_RUN
@YES
def redrive_(
    keys: tuple[Path, ...], case: str, limit: int, old: bool, dry_run: bool, yes: bool, **options: Any
) -> None:
    """Send records of calls and sms that would be read now back to their topics, each of them once.

    It judges by the topics.yaml of this machine, so restart the workers with the same one first. It may be stopped and
    run again at any time. A record keeps its key, and so comes to its subscriber's partition; the header
    forewarn.redriven names its letter. What is still wrong stays.

    Exit status: 0 none of the chosen letters stays, 1 some stay (the reasons are counted), 2 it was not possible.

    Example: forewarn letters redrive --identity letters.key --topic calls --reason impossible-number --case INCIDENT-12
    """
    settings = site_settings()
    case, choice = checked_case(case), choice_of(settings, **options)
    now = _now()
    try:
        sources = load(settings.topics_file).sources
        quiet = policy_file.load(settings.policy_file).windows.quiet_hours
        settings.audit_keys()  # without one, nothing need be opened
    except (ContractError, PolicyError, SettingsError) as error:
        raise InputError(str(error)) from None
    judge = Judge(settings, sources, identities(keys), 0 if old else now - int(quiet * _HOUR_MS))
    plan = run(foreseen(settings, choice, judge, limit))
    _say_what_stays(plan)
    click.echo(f"{plan.done:,} records can be sent back", err=True)
    if plan.done and not dry_run:
        if not yes:
            click.confirm("Send them?", abort=True, err=True)
        note(settings, "letters-redriven", case=case, details={**_meant(options), "records": plan.done})
        decision = Decision("redriven", now, operator(), case)
        with count_bar("sending", plan.done) as told:
            plan = run(redrive(settings, choice, judge, limit, decision, told))
        click.echo(f"{plan.done:,} records sent back", err=True)
    if plan.is_bounded:
        click.echo(f"there are more: --limit is {limit:,}; run it again for the next ones", err=True)
    if plan.left:
        raise CommandError(f"{plan.left.total():,} letters stay: see the reasons above")


@click.command("discard")
@choosing
@CASE
@click.option("--note", "words", required=True, help="Why nothing more is to be done, in a sentence.")
@DRY_RUN
@YES
def discard_(case: str, words: str, dry_run: bool, yes: bool, **options: Any) -> None:
    """Note that nothing more is to be done about some letters; `list` no longer counts them as waiting.

    Nothing is deleted: Kafka keeps the letters for as long as others.

    Example: forewarn letters discard --source harbour --since 2h --case INCIDENT-12 --note "the carrier's test records"
    """
    settings = site_settings()
    case, choice = checked_case(case), choice_of(settings, **options)
    if not words.strip():
        raise InputError("--note is empty: say in a sentence why nothing more is to be done")
    if choice == Choice():
        raise InputError("say which letters: with --topic, --reason, --source, --since, --until or --record")
    count = run(count_waiting(settings, choice))
    click.echo(f"{count:,} letters wait", err=True)
    if not count or dry_run:
        return
    if not yes:
        click.confirm("Set them aside?", abort=True, err=True)
    note(settings, "letters-discarded", case=case, details={**_meant(options), "letters": count})
    decision = Decision("discarded", _now(), operator(), case, words.strip())
    with count_bar("noting", count) as told:
        done = run(discard(settings, choice, decision, told))
    click.echo(f"{done:,} letters set aside", err=True)


def _say_what_stays(plan: Tally) -> None:
    for reason, count in plan.left.most_common():
        click.echo(f"{count:,} stay, {reason}: {STAYS.get(reason, 'they would be refused again')}", err=True)


def _meant(options: Mapping[str, Any]) -> dict[str, str]:
    """Which letters were meant, for the audit log: the options that were given."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: "/".join(map(str, each)) if isinstance(each, Place) else str(each) for name, each in given.items()}


def _now() -> int:
    return int(time.time() * 1000)
