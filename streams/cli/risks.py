"""``forewarn risks``: list risky numbers and accounts, and record what people decide about them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final, TypeVar

import click

from models.access.audit_chain import Plain
from models.casework.payments import PaymentError
from models.indicators.indicator import IndicatorError
from models.policy.policy import PolicyError
from models.risks.accounts import accounts, defrauded
from models.risks.numbers import NumberEvidence
from models.risks.risk import (
    STATES,
    TYPES,
    Decision,
    Evidence,
    Risk,
    RiskError,
    State,
    Type,
    decided,
    found,
    urgency,
)
from streams.audit.log import operator
from streams.cli import CommandError, InputError, site_settings
from streams.cli.indicator_options import Region, run
from streams.cli.noting import note
from streams.cli.progress import count_bar
from streams.cli.risk_lines import HEAD, lines, row, veiled, write_json
from streams.cli.since import Since
from streams.cli.tables import show_table
from streams.files import policy_file
from streams.ledger.inquiry import InquiryError, check_since
from streams.ledger.storage import LedgerError
from streams.risks.finding import Search, all_cases
from streams.risks.naming import account, id_of, id_of_number, normal_number
from streams.risks.risk_topic import RiskTopicError, Standing, change, standing
from streams.setting_fields import SettingsError
from streams.settings import Settings

T = TypeVar("T")

_PATIENCE_S: Final = 60.0
"""How long to wait for Kafka."""


@click.group()
def risks() -> None:
    """List numbers that act like a gang's and accounts that stop-payments named, and decide about them.

    Nothing is blocked by itself: an analyst confirms or dismisses a risk, and hands a confirmed one over to the carrier
    or the bank. Every decision has a case, and is in the audit log.

    Example: forewarn risks list --status open
    """


@risks.command()
@click.option("--since", type=Since(), default="30d", show_default=True, help="How far to look back in the ledger.")
def find(since: datetime) -> None:
    """Search ledger and cases, and list what is risky; run it once a day. What people decided before stands.

    Example: forewarn risks find --since 30d
    """
    settings = site_settings()
    try:
        policy = policy_file.load(settings.policy_file)
        check_since(since, datetime.now(since.tzinfo), settings.ledger_days)
        key = settings.key_of_pseudonyms()
        cases = _from_kafka(settings, all_cases(settings))
        search = Search(settings, policy, since, defrauded(cases))
        slices = search.slices()
        with count_bar("searching the ledger", len(slices)) as told:
            numbers = search.numbers(slices, told)
    except InquiryError as error:
        raise InputError(f"--since {error}") from None
    except (LedgerError, PolicyError, SettingsError) as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise CommandError(f"the ledger at {settings.ledger} cannot be read: {error.strerror or error}") from None
    evidence: list[Evidence] = [*numbers, *accounts(cases)]
    hubs = sum(not isinstance(each, NumberEvidence) and each.is_hub for each in evidence)
    counts: dict[str, Plain] = {"numbers": len(numbers), "accounts": len(evidence) - len(numbers), "hubs": hubs}
    note(settings, "risks-found", details={"since": since.isoformat(timespec="seconds"), **counts})
    now = _now()

    def listed(before: Standing) -> list[Risk]:
        named = ((id_of(each, key), each) for each in evidence)
        some = (found(name, each, now, before.get(name)) for name, each in named)
        return [each for each in some if each is not None]

    new = _from_kafka(settings, change(settings, listed))
    click.echo(
        f"{len(numbers):,} numbers and {counts['accounts']:,} accounts ({hubs:,} hubs); "
        f"{len(new):,} of them are new or have new evidence",
        err=True,
    )


@risks.command("list")
@click.option("--type", "type_", type=click.Choice(TYPES), help="Only numbers, or only accounts.")
@click.option("--status", type=click.Choice(STATES), help="Only risks with this status.")
@click.option("--hubs", is_flag=True, help="Only accounts that were seen in two cases or more.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
def list_(type_: Type | None, status: State | None, hubs: bool, as_json: bool) -> None:
    """List risks, the likeliest numbers and the accounts with most points first; numbers are masked.

    Example: forewarn risks list --type account --hubs --json
    """
    settings = site_settings()
    chosen = [
        each
        for each in sorted(_from_kafka(settings, standing(settings)).values(), key=urgency)
        if type_ in (None, each.type) and status in (None, each.status) and (not hubs or each.is_hub)
    ]
    if as_json:
        write_json(map(veiled, chosen))
    else:
        show_table(HEAD, map(row, map(veiled, chosen)))
    click.echo(f"{len(chosen):,} risks", err=True)


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Add the ways to name one risk, and the case that every look at one and every decision needs."""
    for add in (
        click.option("--case", required=True, help="The case that needs it; recorded in the audit log."),
        click.option(
            "--region", type=Region(), default="CN", show_default=True, help="Country of a number without code."
        ),
        click.option("--account", "account_", help="The account, by its whole number."),
        click.option("--number", help="The number, whole."),
        click.argument("id_", metavar="[ID]", required=False),
    ):
        command = add(command)
    return command


@risks.command()
@_chosen
@click.option("--whole", is_flag=True, help="Show the whole number; of an account, nobody keeps it.")
@click.option("--json", "as_json", is_flag=True, help="Write the record as JSON.")
def show(
    id_: str | None, number: str | None, account_: str | None, region: str, case: str, whole: bool, as_json: bool
) -> None:
    """Show one risk with its evidence and all decisions; the audit log records it.

    Example: forewarn risks show --number "+86 1000 0000 0001" --case A-2026-118
    """
    settings = site_settings()
    named = _named(settings, id_, number, account_, region)
    _check_case(case)
    risk = _one(_from_kafka(settings, standing(settings)), named)
    note(settings, "risk-shown", case=case, about=[risk.about], details={"masked": not whole})
    shown = risk if whole else veiled(risk)
    if as_json:
        write_json([shown])
        return
    for name, value in lines(shown):
        click.echo(f"{name}\t{value}")


@risks.command()
@_chosen
@click.option("--note", "words", default="", help="A sentence for those who read it later.")
def confirm(words: str, **named: Any) -> None:
    """Confirm that a number or account belongs to a gang. To have people warned, import a number as an indicator, too.

    Example: forewarn risks confirm 1f6b0c9d2e4a7788 --case A-2026-118
    """
    _decide("confirmed", words, **named)


@risks.command()
@_chosen
@click.option("--note", "words", default="", help="Why, in a sentence.")
def dismiss(words: str, **named: Any) -> None:
    """Dismiss a risk, for example a courier's number or a shop's account; new evidence does not open it again.

    Example: forewarn risks dismiss 1f6b0c9d2e4a7788 --case A-2026-118 --note "a courier"
    """
    _decide("dismissed", words, **named)


@risks.command("hand-over")
@_chosen
@click.option("--to", required=True, help="The carrier or bank.")
@click.option("--note", "words", default="", help="What is asked for, in a sentence.")
def hand_over(to: str, words: str, **named: Any) -> None:
    """Note that a confirmed risk was handed over to the carrier or bank, which alone can act on it.

    Example: forewarn risks hand-over 1f6b0c9d2e4a7788 --to "Example Carrier" --case A-2026-118
    """
    _decide("handed-over", words, to=to, **named)


@risks.command("acted-on")
@_chosen
@click.option("--note", "words", default="", help="What was done, in a sentence.")
def acted_on(words: str, **named: Any) -> None:
    """Note that the carrier or bank has acted on a risk that was handed over.

    Example: forewarn risks acted-on 1f6b0c9d2e4a7788 --case A-2026-118 --note "line closed"
    """
    _decide("acted-on", words, **named)


@risks.command()
@_chosen
@click.option("--note", "words", default="", help="Why, in a sentence.")
def declined(words: str, **named: Any) -> None:
    """Note that the carrier or bank does not act on a risk that was handed over.

    Example: forewarn risks declined 1f6b0c9d2e4a7788 --case A-2026-118 --note "a registered call centre"
    """
    _decide("declined", words, **named)


def _decide(
    state: State,
    words: str,
    *,
    id_: str | None,
    number: str | None,
    account_: str | None,
    region: str,
    case: str,
    to: str = "",
) -> None:
    """Record a decision about one risk: first in the audit log, then on the topic."""
    settings = site_settings()
    named = _named(settings, id_, number, account_, region)
    try:
        decision = Decision(
            state=state, at=_now(), who=operator(), case=case.strip(), to=to.strip(), note=words.strip()
        )
        before = _one(_from_kafka(settings, standing(settings)), named)
        decided(before, decision)  # what is not possible is not noted
        note(settings, "risk-decided", case=decision.case, about=[before.about], details={"state": state})
        _from_kafka(settings, change(settings, lambda known: [decided(_one(known, named), decision)]))
    except RiskError as error:
        raise InputError(str(error)) from None
    click.echo(f"the {before.type} is {state} now; it was {before.status}", err=True)


def _named(settings: Settings, id_: str | None, number: str | None, account_: str | None, region: str) -> str:
    """The id of the risk that the user names in one of three ways."""
    if sum(each is not None for each in (id_, number, account_)) != 1:
        raise InputError("name one risk: by its id, with --number, or with --account")
    try:
        if number is not None:
            return id_of_number(normal_number(number, region), settings.key_of_pseudonyms())
        if account_ is not None:
            return account(account_, settings.key_of_pseudonyms()).key
    except IndicatorError as error:
        raise InputError(f"--number: {error}") from None
    except PaymentError as error:
        raise InputError(f"--account: {error}") from None
    except SettingsError as error:
        raise InputError(str(error)) from None
    return str(id_).strip().lower()


def _one(known: Standing, named: str) -> Risk:
    if named not in known:
        raise InputError("no such risk is listed: see forewarn risks list")
    return known[named]


def _check_case(case: str) -> None:
    if not case.strip():
        raise InputError("--case is empty: give the reference of the case that needs it")


def _from_kafka(settings: Settings, work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(_PATIENCE_S):
            return await work

    # A producer of aiokafka that was replaced leaves errors behind that nobody awaits; the sentence below says it all.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    try:
        return run(bounded())
    except TimeoutError:
        raise CommandError(
            f"no Kafka answers at {settings.kafka}; set FOREWARN_KAFKA to its address, or start one: forewarn up"
        ) from None
    except RiskTopicError as error:
        raise CommandError(str(error)) from None


def _now() -> int:
    return int(time.time() * 1000)
