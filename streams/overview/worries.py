"""Worries: what is wrong with a site, as its programs describe it, each with the entry of ``docs/runbook.md`` for it.

The thresholds are those of ``monitoring/rules``. A rule waits for some minutes before it fires, and a look cannot, so a
worry may pass by itself where an alert would not have come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

from msgspec import Struct

from streams.overview.overview import Overview, Program

LAG_S: Final = 30.0
SKEW_S: Final = 120.0
UNACKNOWLEDGED_S: Final = 300.0
LETTERS_PER_SECOND: Final = 0.1
REDIS_SHARE: Final = 0.85
DISK_SHARE: Final = 0.1
"""The free share of the ledger's disk below which one look is worried; the rule also sees how fast it fills."""

ALONE: Final = {"dispatcher": "ForewarnNoDispatcher", "hunter": "ForewarnNoHunter", "console": "ForewarnNoConsole"}
"""The entry for a program of which a site has one."""
SERVERS: Final = {
    "kafka": "ForewarnServerAway",
    "redis": "ForewarnServerAway",
    "ledger": "ForewarnLedgerNotWritten",
}
"""The entry for a part of which a program may wait although it was ready once."""


class Worry(Struct, frozen=True):
    """One thing that is wrong: ``bad`` keeps people from being warned or reached, ``look`` needs attention."""

    entry: str
    """The heading in ``docs/runbook.md``."""
    level: Literal["bad", "look"]
    says: str


def worries(site: Overview) -> tuple[Worry, ...]:
    """Everything that is wrong, what keeps people from being warned first."""
    found = [worry for look in _LOOKS for worry in look(site)]
    return (*(each for each in found if each.level == "bad"), *(each for each in found if each.level == "look"))


def health(site: Overview) -> Iterator[Worry]:
    """Programs that are away, stand still or wait for something, or that have refused a policy."""
    workers = [each for each in site.programs if each.program == "worker"]
    level: Literal["bad", "look"]
    for each in site.programs:
        where = f"the {each.program} at {each.address}"
        if each.state == "away":
            is_last = each.program == "worker" and all(other.state == "away" for other in workers)
            entry = "ForewarnNoWorker" if is_last else ALONE.get(each.program, "ForewarnWorkerGone")
            level = "look" if entry in ("ForewarnNoHunter", "ForewarnWorkerGone") else "bad"
            yield Worry(entry, level, f"{where} is away ({each.says}): read its log and start it again")
        elif each.state == "stuck":
            yield Worry("ForewarnStandingStill", "bad", f"{where} stands still: {each.says}")
        elif each.state == "waiting":
            parts = {*each.says.split(", ")}
            entry = next((entry for part, entry in SERVERS.items() if part in parts), "ForewarnNotReady")
            level = "look" if entry == "ForewarnNotReady" else "bad"
            yield Worry(entry, level, f"{where} is not ready: it waits for {each.says}")
        if each.policy_refused:
            says = f"the policy file of {where} holds an edit that was refused: correct the file"
            yield Worry("ForewarnPolicyRefused", "look", says)


def differences(site: Overview) -> Iterator[Worry]:
    """Versions of Forewarn, policies and models that are not the same in all programs that should have one."""
    for what, entry, of in (
        ("Forewarn", "ForewarnVersionsDiffer", lambda each: each.version),
        ("the policy", "ForewarnPoliciesDiffer", lambda each: each.policy),
        ("the model", "ForewarnModelsDiffer", lambda each: each.model),
    ):
        yield from _differing(site, what, entry, of)


def _differing(site: Overview, what: str, entry: str, of: Callable[[Program], str]) -> Iterator[Worry]:
    versions: dict[str, list[str]] = {}
    for each in site.programs:
        if of(each):
            versions.setdefault(of(each), []).append(f"{each.program} at {each.address}")
    if len(versions) > 1:
        said = "; ".join(f"{version}: {', '.join(places)}" for version, places in sorted(versions.items()))
        yield Worry(entry, "look", f"programs have different versions of {what} ({said}): bring all to one")


def _reading(site: Overview) -> Iterator[Worry]:
    for each in site.topics:
        if each.lag_seconds > LAG_S:
            says = f"{each.lag_records:,} records of {each.topic} wait, the oldest for {each.lag_seconds:,.0f} s"
            yield Worry("ForewarnLag", "bad", says)
        if each.held_back:
            says = f"{each.held_back:,} records of {each.topic} are hidden by a transaction that a producer left open"
            yield Worry("ForewarnTransactionOpen", "bad", f"{says}: run forewarn doctor")
        if each.expired:
            says = f"Kafka deleted {each.expired:,} records of {each.topic} unread since the workers were started"
            yield Worry("ForewarnRecordsExpired", "look", says)
        if each.skew_seconds is not None and each.skew_seconds > SKEW_S:
            says = f"records of {each.topic} are dated {each.skew_seconds:,.0f} s after their arrival: tell the carrier"
            yield Worry("ForewarnClockSkew", "look", says)


def silent_feeds(site: Overview) -> Iterator[Worry]:
    """Sources that have sent nothing for longer than their usual rate explains.

    Nothing is said of a topic that workers are behind with: what its sources send is not read yet.
    """
    behind = {each.topic for each in site.topics if each.lag_seconds > LAG_S}
    for each in site.feeds:
        if each.silent and each.quiet_seconds is not None and each.topic not in behind:
            says = (
                f"no record of {each.topic} has come from {each.source} for {each.quiet_seconds / 60:,.0f} min, and "
                f"usually {60 * each.usual_per_second:,.0f} a minute do: phone the carrier"
            )
            yield Worry("ForewarnFeedSilent", "bad", says)


def _letters(site: Overview) -> Iterator[Worry]:
    for each in site.letters:
        if (each.per_second or 0.0) > LETTERS_PER_SECOND:
            says = f"{each.per_second:.1f} records of {each.topic} a second are refused ({each.reason})"
            yield Worry("ForewarnDeadLettersJump", "look", says)


def _orders(site: Overview) -> Iterator[Worry]:
    for each in site.severities:
        if each.severity == "urgent" and (each.waits_seconds or 0.0) > UNACKNOWLEDGED_S:
            says = f"an urgent order has waited {each.waits_seconds:,.0f} s, and nobody has taken it: phone the unit"
            yield Worry("ForewarnUrgentUnacknowledged", "bad", says)


def _knowledge(site: Overview) -> Iterator[Worry]:
    if site.indicators and not any(each.count for each in site.indicators):
        says = "the workers know no indicators, so nobody is recognised: run forewarn indicators import FILE"
        yield Worry("ForewarnNoIndicators", "bad", says)


def _stores(site: Overview) -> Iterator[Worry]:
    stores = site.stores
    if stores.redis_limit_bytes and stores.redis_used_bytes > REDIS_SHARE * stores.redis_limit_bytes:
        says = f"Redis uses {stores.redis_used_bytes / stores.redis_limit_bytes:.0%} of the memory that it may use"
        yield Worry("ForewarnRedisAlmostFull", "bad", says)
    free, disk = stores.ledger_free_bytes, stores.ledger_disk_bytes
    if free is not None and disk and free < DISK_SHARE * disk:
        yield Worry("ForewarnLedgerDiskFills", "look", f"only {free / disk:.0%} of the ledger's disk is free")


_LOOKS: Final[tuple[Callable[[Overview], Iterator[Worry]], ...]] = (
    health,
    _reading,
    silent_feeds,
    _orders,
    _knowledge,
    _stores,
    _letters,
    differences,
)
