"""``forewarn campaigns``: list campaigns, and record an analyst's decision on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import click
import msgspec
from aiokafka.errors import KafkaError

from models.base.durations import DAY
from models.indicators.indicator import SCAM_TYPES, Indicator, IndicatorError, check
from models.lookback.campaigns import STATUSES, Campaign, Status, encode
from streams.cli import CommandError, InputError, site_settings
from streams.cli.hunt import moment
from streams.cli.indicator_options import run
from streams.cli.noting import note
from streams.cli.tables import show_table
from streams.hunter.campaign_topic import CampaignTopic
from streams.kafka.indicator_topic import publish
from streams.kafka.publishing import PublishError
from streams.settings import Settings

T = TypeVar("T")

_PATIENCE_S = 10.0
"""How long to wait for Kafka's answers."""
_BEFORE_MS = DAY
"""How long before its first sighting a campaign may have reached people: other partitions were recorded later."""


@click.group()
def campaigns() -> None:
    """List domains and numbers that suddenly reach many people, and confirm or dismiss them.

    Example: forewarn campaigns list --status suspected
    """


@campaigns.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only campaigns with this status.")
@click.option("--json", "as_json", is_flag=True, help="Write the records as JSON Lines.")
def list_(status: Status | None, as_json: bool) -> None:
    """List campaigns, the widest first: a table on a terminal, otherwise tab-separated lines.

    Example: forewarn campaigns list --status suspected --json
    """
    found = [each for each in _known(site_settings()) if status in (None, each.status)]
    if as_json:
        out = click.get_binary_stream("stdout")
        out.writelines(encode(each) + b"\n" for each in found)
        out.flush()
    else:
        show_table(_HEAD, map(_row, found))
    click.echo(f"{len(found):,} campaigns", err=True)


@campaigns.command()
@click.argument("value")
@click.option("--scam-type", required=True, help=f"The scam type: {', '.join(SCAM_TYPES)}, or another word.")
@click.option("--case", required=True, help="The case that the decision comes from.")
@click.option("--confidence", type=click.IntRange(0, 100), default=90, show_default=True, help="Per cent.")
def confirm(value: str, scam_type: str, case: str, confidence: int) -> None:
    """Confirm a campaign: it becomes an indicator, and the hunter finds everyone whom it has reached.

    Example: forewarn campaigns confirm evil.top --scam-type insurance-sms --case A-2026-118
    """
    settings = site_settings()
    campaign = _one(settings, value)
    try:
        indicator = check(
            Indicator(
                type=campaign.type,
                value=f"+{campaign.value}" if campaign.type == "number" else campaign.value,
                scam_type=scam_type,
                confidence=confidence,
                source="campaign",
                valid_from=max(0, campaign.first_seen - _BEFORE_MS),
                case=case,
            )
        )
    except IndicatorError as error:
        raise InputError(f"the campaign cannot become an indicator: {error}") from None
    note(settings, "campaign-confirmed", case=case, about=[indicator.key], details={"scam_type": scam_type})
    run(publish(settings, [indicator]))  # first, since a confirmed campaign must have an indicator to hunt for
    _say(settings, msgspec.structs.replace(campaign, status="confirmed", scam_type=scam_type, at=_now()))
    click.echo(f"confirmed; the hunter now looks for the people reached, at least {campaign.subscribers:,}", err=True)


@campaigns.command()
@click.argument("value")
def dismiss(value: str) -> None:
    """Dismiss a campaign: its domain or number is not suspected again.

    If the campaign has already become an indicator, the indicator stays until it is revoked.

    Example: forewarn campaigns dismiss parcel.example
    """
    settings = site_settings()
    campaign = _one(settings, value)
    note(settings, "campaign-dismissed", about=[f"{campaign.type}:{campaign.value}"])
    _say(settings, msgspec.structs.replace(campaign, status="dismissed", at=_now()))
    click.echo("dismissed", err=True)
    if campaign.status == "confirmed":
        click.echo("it may still be an indicator; to withdraw it: forewarn indicators revoke", err=True)


def _one(settings: Settings, value: str) -> Campaign:
    """Find a campaign by its domain, number or id."""
    wanted = value.strip().lower().removeprefix("+")
    for each in sorted(_known(settings), key=lambda each: -each.at):
        if wanted in (each.value, each.id):
            return each
    raise InputError("there is no campaign with this domain, number or id: see forewarn campaigns list")


def _known(settings: Settings) -> list[Campaign]:
    """All campaigns of the last thirty days on the topic, the widest first."""

    async def read(topic: CampaignTopic) -> list[Campaign]:
        await topic.catch_up()
        return sorted(topic.campaigns.values(), key=lambda each: (-each.subscribers, each.value))

    return _with_topic(settings, read)


def _say(settings: Settings, campaign: Campaign) -> None:
    _with_topic(settings, lambda topic: topic.publish([campaign]))


def _with_topic(settings: Settings, work: Callable[[CampaignTopic], Coroutine[Any, Any, T]]) -> T:
    async def connected() -> T:
        async with asyncio.timeout(_PATIENCE_S), CampaignTopic(settings) as topic:
            return await work(topic)

    try:
        return run(connected())
    except TimeoutError:
        raise CommandError(
            f"no Kafka answers at {settings.kafka}; set FOREWARN_KAFKA to its address, or start one: forewarn up"
        ) from None
    except (KafkaError, PublishError) as error:
        raise CommandError(str(error)) from None


def _now() -> int:
    return int(time.time() * 1000)


_HEAD = ("value", "status", "people", "events", "senders", "first", "last", "scam type", "imitates")


def _row(each: Campaign) -> tuple[str, ...]:
    counts = (f"{each.subscribers:,}", f"{each.events:,}", "" if each.senders is None else f"{each.senders:,}")
    times = moment(each.first_seen), moment(each.last_seen)
    return (each.value, each.status, *counts, *times, each.scam_type or "", each.resembles or "")
