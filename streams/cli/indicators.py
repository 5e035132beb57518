"""``forewarn indicators``: import lists of fraud numbers and domains, list known indicators, revoke wrong ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import click
import msgspec

from models.indicators.indicator import TYPES, Indicator, IndicatorError, IndicatorType, encode, guess_type, normalise
from streams.cli import CommandError, site_settings
from streams.cli.indicator_import import import_
from streams.cli.indicator_options import Region, run
from streams.cli.noting import note
from streams.cli.tables import show_table
from streams.kafka.indicator_topic import publish, read


@click.group()
def indicators() -> None:
    """Import, list and revoke known fraud numbers and domains.

    Example: forewarn indicators import blacklist.csv --source city-centre
    """


indicators.add_command(import_)


@indicators.command("list")
@click.option("--type", "kind", type=click.Choice(TYPES), help="Only indicators of this type.")
@click.option("--scam-type", help="Only of this scam type.")
@click.option("--source", help="Only from this source.")
@click.option("--all", "everything", is_flag=True, help="Also list revoked indicators.")
@click.option("--json", "as_json", is_flag=True, help="Write the records as JSON Lines.")
def list_(kind: str | None, scam_type: str | None, source: str | None, everything: bool, as_json: bool) -> None:
    """List the known indicators: a table on a terminal, otherwise tab-separated lines.

    Example: forewarn indicators list --type domain --json > domains.jsonl
    """
    contents = run(read(site_settings()))
    chosen: list[Indicator] = []
    unsound = 0
    for _, item in contents.indicators():
        if isinstance(item, IndicatorError):
            unsound += 1
        elif (
            (everything or not item.revoked)
            and kind in (None, item.type)
            and scam_type in (None, item.scam_type)
            and source in (None, item.source)
        ):
            chosen.append(item)
    if as_json:
        out = click.get_binary_stream("stdout")
        out.writelines(encode(item) + b"\n" for item in chosen)
        out.flush()
    else:
        _show(chosen)
    click.echo(f"{len(chosen):,} indicators", err=True)
    if everything and contents.tombstones:
        click.echo(f"{len(contents.tombstones):,} more were deleted (tombstones)", err=True)
    if unsound:
        click.echo(f"{unsound:,} records of the topic are not valid indicators; workers ignore them", err=True)


@indicators.command()
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@click.option("--type", "kind", type=click.Choice(TYPES), help="Type of the values; guessed by default.")
@click.option("--region", type=Region(), default="CN", show_default=True, help="Country of numbers without its code.")
def revoke(values: tuple[str, ...], kind: IndicatorType | None, region: str) -> None:
    """Withdraw indicators; alerts that rest only on them are then withdrawn too.

    The records stay, marked as revoked. Exit status: 0 all are revoked, 1 a value is not a known indicator.

    Example: forewarn indicators revoke evil.top "+999 00 123456"
    """
    settings = site_settings()
    positions: dict[str, int] = {}
    for position, value in enumerate(values, 1):
        try:
            type_ = kind or guess_type(value)
            positions[f"{type_}:{normalise(type_, value, region)}"] = position
        except IndicatorError as error:
            raise CommandError(f"value {position} cannot be an indicator: {error}") from None
    contents = run(read(settings, frozenset(positions)))
    known = dict(contents.indicators())
    revoked = []
    for key in positions:
        item = known.get(key)
        if not isinstance(item, Indicator):
            click.echo(f"{_named(positions[key], key)} is not a known indicator", err=True)
        elif item.revoked:
            click.echo(f"{_named(positions[key], key)} is revoked already", err=True)
        else:
            revoked.append(msgspec.structs.replace(item, revoked=True))
    if revoked:
        note(settings, "indicators-revoked", about=[item.key for item in revoked])
        click.echo(f"{run(publish(settings, revoked)):,} indicators revoked", err=True)
    if any(not isinstance(known.get(key), Indicator) for key in positions):
        raise SystemExit(1)


def _named(position: int, key: str) -> str:
    """The name of an argument in a message: phone numbers must not appear in anything that may be logged."""
    kind, _, value = key.partition(":")
    return f"value {position}" if kind.startswith("number") else value


def _show(chosen: Iterable[Indicator]) -> None:
    head = ("type", "value", "scam_type", "confidence", "source", "valid_from", "valid_until", "revoked")
    rows = (
        (
            item.type,
            item.value,
            item.scam_type,
            str(item.confidence),
            item.source,
            _day(item.valid_from),
            _day(item.valid_until),
            "revoked" if item.revoked else "",
        )
        for item in chosen
    )
    show_table(head, rows)


def _day(at: int | None) -> str:
    """A time in readable form, UTC to the minute; empty where there is no limit."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M") if at else ""
