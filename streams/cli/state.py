"""``forewarn state``: show the stored state of partitions, save and restore it, read topics again, or start anew."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from streams.cli import CommandError, InputError, site_settings
from streams.cli.noting import note
from streams.cli.private_files import NEW_FILE, PLAIN, identities, kind_of, seal_for
from streams.cli.tables import show_table

if TYPE_CHECKING:
    from models.access.audit_chain import Plain
    from streams.audit import Deed
    from streams.worker.state_desk import Plan, StateDesk
    from streams.worker.state_view import PartitionView, TopicView

T = TypeVar("T")

_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")

_FENCED = (
    "A worker that has one of these partitions is refused its next write before it publishes anything, and ends. After "
    "its restart it continues from the new state."
)
_REPEATED = "Alerts of records that are read again repeat with the same ids."
_ONLY_NEW = "When old records are read again, only alerts that were not published before go out."
_KEPT = (
    "Kafka still has the records from the offsets above on; what happened before them is forgotten, and alerts that "
    "follow from it alone can no longer be withdrawn."
)


class Partitions(click.ParamType):
    """Numbers of partitions, separated by commas, or ``all``."""

    name = "all|N,N-N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[int]:
        """The numbers; none of them stands for all partitions."""
        if isinstance(value, frozenset):
            return value
        if value == "all":
            return frozenset()
        numbers: set[int] = set()
        for part in str(value).split(","):
            found = _RANGE.fullmatch(part.strip())
            if found is None or int(found[2] or found[1]) < int(found[1]):
                self.fail("give numbers of partitions, for example 3 or 0,4-7, or: all", param, ctx)
            numbers |= {*range(int(found[1]), int(found[2] or found[1]) + 1)}
        return frozenset(numbers)


SOME = click.option("--partition", "wanted", type=Partitions(), required=True, help="The partitions; or: all")
ALL = click.option("--partition", "wanted", type=Partitions(), default="all", show_default=True, help="The partitions.")
YES = click.option("--yes", is_flag=True, help="Do not ask, for scripts.")


@click.group()
def state() -> None:
    """Show the stored state of partitions, save and restore snapshots of it, read topics again, or start anew.

    Example: forewarn state show
    """


@state.command()
@ALL
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object for each partition on stdout.")
def show(wanted: frozenset[int], as_json: bool) -> None:
    """Show what is stored: offsets beside the logs, subjects, open episodes, outbox, clocks, ledger, format and size.

    Exit status: 0 a worker can load it all, 1 it cannot (the message says why), 2 it cannot be looked at.

    Example: forewarn state show --partition 3 --json
    """

    async def work(desk: StateDesk) -> list[PartitionView]:
        return [await desk.look(number) for number in _chosen(desk, wanted)]

    views = _run(work)
    if as_json:
        for each in views:
            click.echo(msgspec.json.encode(each))
    else:
        show_table(_HEAD, map(_row, views))
    problems = [problem for each in views for problem in each.problems]
    if problems:
        raise CommandError("\n".join(problems))


@state.command()
@ALL
@PLAIN
@click.argument("file", type=NEW_FILE)
def save(wanted: frozenset[int], plain: bool, file: Path) -> None:
    """Save the state in a new FILE, a snapshot, sealed to the centre's key because it has people's numbers in it.

    Each partition is saved as it is at one moment, so a snapshot of a running site can be restored as well. The key's
    public half is in FOREWARN_EXPORT_RECIPIENT, or else in FOREWARN_LETTERS_RECIPIENT.

    Example: forewarn state save before-upgrade.zip
    """
    settings = site_settings()
    seal = seal_for(settings, plain)
    note(settings, "state-saved", details=_partitions(sorted(wanted)) | kind_of(seal))
    header = _run(lambda desk: desk.save(file, _chosen(desk, wanted), seal))
    click.echo(f"{file}: {len(header.partitions)} partitions of {header.group}", err=True)


@state.command()
@SOME
@YES
@click.option("--identity", "paths", type=NEW_FILE, multiple=True, help="File of a private key that opens FILE.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(wanted: frozenset[int], file: Path, paths: tuple[Path, ...], yes: bool) -> None:
    """Go back to the snapshot in FILE. Records after its offsets are read again.

    Example: forewarn state restore before-upgrade.zip --partition 3 --identity letters.key
    """
    keys = identities(paths) if paths else None

    async def work(desk: StateDesk) -> None:
        from streams.worker.snapshots import Snapshot

        with Snapshot(file, keys) as snapshot:
            header = snapshot.header
            if header.group != desk.group:
                raise InputError(f"{file} is of the group {header.group}, and this site's is {desk.group}")
            numbers = [number for number in _chosen(desk, wanted) if number in header.partitions]
            missing = sorted(wanted - set(numbers))
            if missing:
                raise InputError(f"{file} has no state of partition {', '.join(map(str, missing))}")
            click.echo(f"{file} was made at {_moment(header.made)}.", err=True)
            plans = [await desk.plan_restore(snapshot, number) for number in numbers]
            await _carry_out(desk, "state-restored", plans, yes, f"{_REPEATED} {_lost(plans)}")

    _run(work)


@state.command()
@SOME
@YES
def drop(wanted: frozenset[int], yes: bool) -> None:
    """Delete the state, and derive it again from what Kafka still keeps.

    To go on after a topic was made anew, rewind instead: it keeps the open episodes.

    Example: forewarn state drop --partition 3
    """

    async def work(desk: StateDesk) -> None:
        plans = [await desk.plan_drop(number) for number in _chosen(desk, wanted)]
        await _carry_out(desk, "state-dropped", plans, yes, f"{_ONLY_NEW} {_KEPT}")

    _run(work)


@state.command()
@ALL
@YES
@click.option(
    "--topic",
    "topics",
    type=click.Choice(["calls", "sms", "signals"]),
    multiple=True,
    help="Read this topic again.  [default: those that were made anew or truncated]",
)
def rewind(wanted: frozenset[int], yes: bool, topics: Sequence[str]) -> None:
    """Have topics read again from their present beginnings, and keep the open episodes.

    This is the way on after a topic was deleted and made anew, or truncated. A record that was applied before changes
    nothing when it is read again.

    Example: forewarn state rewind
    """

    async def work(desk: StateDesk) -> None:
        names = [site_settings().topic(topic) for topic in topics]
        planned = [await desk.plan_rewind(number, names) for number in _chosen(desk, wanted)]
        plans = [plan for plan in planned if plan is not None]
        if not plans:
            click.echo("Nothing to do: all offsets belong to the topics' present logs", err=True)
            return
        await _carry_out(desk, "state-rewound", plans, yes, _REPEATED)

    _run(work)


def _run(work: Callable[[StateDesk], Awaitable[T]]) -> T:
    """Do the work at the desk of the site; a failure that the user can fix is reported in one sentence."""
    from models.policy.policy import PolicyError
    from streams.files import policy_file
    from streams.kafka.contracts import BrokerError
    from streams.ledger.storage import LedgerError
    from streams.worker.checkpoint import CheckpointError
    from streams.worker.snapshots import SnapshotError
    from streams.worker.state_desk import StateDesk

    async def at_the_desk() -> T:
        async with StateDesk(settings, policy) as desk:
            if not await desk.answers():
                raise InputError(f"Redis does not answer at {settings.redis_shown}: start it or correct FOREWARN_REDIS")
            return await work(desk)

    settings = site_settings()
    logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
    try:
        policy = policy_file.load(settings.policy_file)
        return asyncio.run(at_the_desk())
    except (PolicyError, BrokerError, LedgerError, CheckpointError, SnapshotError) as error:
        raise InputError(str(error)) from None


def _chosen(desk: StateDesk, wanted: frozenset[int]) -> list[int]:
    unknown = sorted(wanted - set(desk.numbers))
    if unknown:
        raise InputError(f"There is no partition {unknown[0]}: the topics have {len(desk.numbers)}, from 0 on")
    return sorted(wanted) or desk.numbers


def _partitions(numbers: Sequence[int]) -> dict[str, Plain]:
    """Which partitions an action is about, for the audit log; no numbers stand for all."""
    return {"partitions": ",".join(map(str, numbers)) or "all"}


async def _carry_out(desk: StateDesk, did: Deed, plans: Sequence[Plan], yes: bool, consequences: str) -> None:
    """Say what would happen, ask, record it in the audit log, and do it."""
    for plan in plans:
        click.echo(f"partition {plan.partition}: {_summary(plan.before)}", err=True)
        click.echo(f"  becomes: {_summary(plan.after)}", err=True)
    click.echo(f"{consequences}\n{_FENCED}", err=True)
    if not yes:
        click.confirm("Go on?", abort=True, err=True)
    note(site_settings(), did, details=_partitions([plan.partition for plan in plans]))
    for plan in plans:
        await desk.carry_out(plan)
        click.echo(f"partition {plan.partition}: done", err=True)


def _summary(view: PartitionView | None) -> str:
    if view is None:
        return "its state cannot be read"
    reading = ", ".join(f"{topic} from {each.offset} of {each.end}" for topic, each in view.topics.items())
    due = f", {view.alerts_due:,} alerts due" if view.alerts_due else ""
    return f"{view.subjects:,} subjects, {sum(view.episodes.values()):,} open episodes{due}; reading {reading}"


def _lost(plans: Sequence[Plan]) -> str:
    """What a restore cannot bring back."""
    topics = [(plan.partition, topic, each) for plan in plans for topic, each in plan.after.topics.items()]
    said = [
        f"{each.first - each.offset:,} records of {topic} partition {number} are gone from Kafka and are not read."
        for number, topic, each in topics
        if each.offset < each.first and not each.misfit
    ]
    if any(each.misfit for _, _, each in topics):
        said.append("Topics were made anew since: run forewarn state rewind after this.")
    return " ".join(said)


_HEAD = ("partition", "calls", "sms", "signals", "subjects", "episodes", "due", "clock", "ledger", "MB", "format")


def _row(view: PartitionView) -> tuple[str, ...]:
    calls, sms, *_ = view.ledger.values() if len(view.ledger) > 1 else ("-", "-")
    return (
        str(view.partition),
        *map(_offset, view.topics.values()),
        f"{view.subjects:,}",
        " ".join(f"{count:,} {stage}" for stage, count in view.episodes.items()) or "0",
        f"{view.alerts_due + view.reminders_due:,}",
        _moment(max(view.call_clock, view.sms_clock)),
        f"{calls} {sms}",
        "-" if view.bytes is None else f"{view.bytes / 1e6:,.1f}",
        str(view.format) if view.format else "nothing stored",
    )


def _offset(topic: TopicView) -> str:
    """An offset and, if there are any, the records behind the end."""
    return f"{topic.offset} ({topic.lag:,} behind)" if topic.lag else str(topic.offset)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "-"
