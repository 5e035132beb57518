"""``forewarn person``: export or purge what the site holds of one person."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from models.access.audit_keys import pseudonyms
from models.base.number_keys import LONGEST_NUMBER
from models.indicators.numbers import normalise
from streams.audit import operator
from streams.cli import CommandError, InputError, site_settings
from streams.cli.indicator_options import Region
from streams.cli.noting import note
from streams.cli.private_files import NEW_FILE, PLAIN, kind_of, seal_for, write_private
from streams.setting_fields import SettingsError
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.person.holdings import Places

T = TypeVar("T")

_FEEDING = ("calls", "sms", "signals")

NUMBER = click.option("--number", required=True, help="The person's number, however it is written.")
CASE = click.option("--case", required=True, help="The reference of the request; recorded in the audit log.")
REGION = click.option("--region", type=Region(), default="CN", show_default=True, help="Country of a national number.")


@click.group()
def person() -> None:
    """Export or purge what the site holds of one person.

    Example: forewarn person purge --number "+86 100 0000 0001" --case A-2026-118 --dry-run
    """


@person.command()
@NUMBER
@CASE
@REGION
@click.option("--out", type=NEW_FILE, required=True, help="The file to write; it must not exist.")
@PLAIN
def export(number: str, case: str, region: str, out: Path, plain: bool) -> None:
    """Write everything that was found of a person to a JSON file that only you can read, sealed to the centre's key.

    Where the private key is, `age --decrypt --identity KEY` opens it. The key's public half is in
    FOREWARN_EXPORT_RECIPIENT, or else in FOREWARN_LETTERS_RECIPIENT.

    Example: forewarn person export --number "+86 100 0000 0001" --case A-2026-118 --out person.json.age
    """
    from streams.person.exporting import document_of, encode

    settings, wanted = _asked(number, case, region)
    seal = seal_for(settings, plain)
    if out.exists():
        raise InputError(f"{out} exists already: name another file in --out")

    async def work(places: Places) -> None:
        settings.audit_keys()  # without one, nothing is looked up
        held = await places.look(wanted, _now() + 1)
        document = document_of(places, held, case)
        counts = {"contacts": len(document.contacts), "records": sum(map(len, document.records.values()))}
        details = counts | kind_of(seal)
        note(settings, "person-exported", case=case, about=[f"number:{wanted}"], details=details)
        write_private(out, encode(document), seal)
        click.echo(f"{counts['contacts']:,} contacts, {counts['records']:,} records: {out}", err=True)

    _run(settings, work)


@person.command()
@NUMBER
@CASE
@REGION
@click.option("--from", "since", help="Keep what happened from this day or time on: the number has a new holder.")
@click.option("--open-too", is_flag=True, help="Also forget cases that are not over; their orders disappear.")
@click.option("--proof", type=click.Path(path_type=Path), help="File for the proof, JSON; it must not exist.")
@click.option("--wait", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds for each program.")
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
@click.option("--yes", is_flag=True, help="Do not ask, for scripts.")
def purge(
    number: str,
    case: str,
    region: str,
    since: str | None,
    open_too: bool,
    proof: Path | None,
    wait: float,
    dry_run: bool,
    yes: bool,
) -> None:
    """Have everything forgotten that the site holds of a person, and prove it.

    The worker forgets signals and alerts, the dispatcher cases, and the ledger loses the person's contacts; contacts of
    other people stay, without the number. What Kafka cannot delete at once is listed with the time when it goes.

    With --from, a number that was ported or given to somebody else starts clean from that day on.

    Example: forewarn person purge --number "+86 100 0000 0001" --case A-2026-118 --proof proof.json
    """
    from streams.person import purging
    from streams.person.keeping import configs_of
    from streams.person.proof import Request, as_text, encode, moment, proof_of

    settings, wanted = _asked(number, case, region)
    before = _now() if since is None else _since(since, settings)
    if proof is not None and proof.exists():
        raise InputError(f"{proof} exists already: name another file in --proof")

    async def work(places: Places) -> None:
        request = Request(pseudonyms(settings.audit_keys(), f"number:{wanted}")[0], case, operator())
        configs = await asyncio.to_thread(configs_of, settings, list(places.contracts.topics))
        first = await places.look(wanted, before)
        about = [f"number:{wanted}"]
        note(settings, "look-up", case=case, about=about, details={"before": moment(before)})
        click.echo(as_text(proof_of(request, first, None, configs)), err=True)
        purging.check(first, open_too)
        if dry_run:
            return
        if not yes:
            click.confirm("Have it forgotten? It cannot be undone.", abort=True, err=True)
        counts = {"signals": first.signals, "contacts": first.rows.own, "cases": len(first.past_cases)}
        note(settings, "person-purged", case=case, about=about, details=counts)
        step = purging.Purging(places, first, open_too, wait, lambda words: click.echo(words, err=True))
        last = await step.carry_out()
        done = proof_of(request, first, last, configs, step.problems)
        click.echo(as_text(done), err=True)
        if proof is not None:
            write_private(proof, encode(done))
        if not done.complete:
            raise CommandError("the purge is not complete: see above, and run it again")

    _run(settings, work)


def _asked(number: str, case: str, region: str) -> tuple[Settings, str]:
    """The settings and the number in the form that records have."""
    if not case.strip():
        raise InputError("--case is empty: give the reference of the person's request")
    try:
        wanted = normalise(number, region)
    except ValueError as error:
        raise InputError(f"--number cannot be read: {error}") from None
    if not 2 <= len(wanted) <= LONGEST_NUMBER:
        raise InputError("--number is not that of a person: it has more than 15 digits")
    return site_settings(), wanted


def _since(value: str, settings: Settings) -> int:
    """The beginning of a day in the city, or a time (epoch ms)."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise InputError("--from is a day or a time, for example 2026-11-01 or 2026-11-01T08:00+08:00") from None
    at = int(moment.replace(tzinfo=moment.tzinfo or settings.time_zone).timestamp() * 1000)
    if at > _now():
        raise InputError("--from lies in the future: purge when the number has its new holder")
    return at


def _now() -> int:
    return int(time.time() * 1000)


def _run(settings: Settings, work: Callable[[Places], Awaitable[T]]) -> T:
    """Do the work at the places of the site; a failure that the user can mend is reported in one sentence."""
    from aiokafka.errors import KafkaError

    from streams.hunter.memory_store import MemoryFormatError
    from streams.kafka.contracts import ContractError, load
    from streams.kafka.topic_logs import topic_logs
    from streams.ledger.storage import LedgerError
    from streams.person.holdings import Places
    from streams.person.purging import PurgeError
    from streams.worker.checkpoint import CheckpointError

    async def at_the_places() -> T:
        logs = await asyncio.to_thread(topic_logs, settings, [settings.topic(name) for name in _FEEDING])
        places = Places(settings, load(settings.topics_file), logs)
        try:
            if not await places.states.answers():
                raise InputError(f"Redis does not answer at {settings.redis_shown}: start it or correct FOREWARN_REDIS")
            return await work(places)
        finally:
            await places.close()

    for name in ("kafka", "aiokafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        return asyncio.run(at_the_places())
    except (PurgeError, SettingsError) as error:
        raise InputError(str(error)) from None
    except (ContractError, LedgerError, CheckpointError, MemoryFormatError, KafkaError, OSError) as error:
        raise CommandError(f"{str(error) or type(error).__name__} Run it again when that is mended.") from None
