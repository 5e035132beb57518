"""Risks: ``python -m bench.risks`` judges the listed numbers by the truth of simulated cities, for docs/risks.md.

Each city is written into a ledger on disk and searched as by ``forewarn risks find``. Gangs are as frequent as the
scripts say, so that there are enough of them. For the true rate, the policy's prevalence is used, and each number of a
gang counts for a twentieth of one.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import click
from msgspec.structs import replace

from bench.records import ROOT
from models.base.durations import DAY, HOUR
from models.casework.cases import Case
from models.casework.payment_steps import Traced, after, opened
from models.casework.payments import Request, StopPayment
from models.city.acting import Truth
from models.city.chance import BEGIN, random_of
from models.city.city import City
from models.detection.kinds import CODE
from models.detection.recognition import sms_signals
from models.indicators.matching import Indicators
from models.lookback.contacts import rows_of_calls, rows_of_context
from models.lookback.link_rows import MetLinks, rows_of_messages
from models.risks.accounts import HUB_CASES, accounts
from models.risks.numbers import LISTED, NumberEvidence, scored
from streams.files import policy_file
from streams.files.scam_scripts import OURS, read_scripts
from streams.ledger.segments import Knowledge, table_of, written
from streams.ledger.storage import Segment, Storage
from streams.risks.finding import Search
from streams.risks.naming import account
from streams.settings import Settings
from streams.simulation.cities import Simulated

RATES: Final = {"as in the city": 17.0, "a twentieth": 0.85}
"""People who pay for each 100,000 people and day (docs/city.md); gangs' numbers are weighed by it."""
REACHED: Final = 20
"""A carrier labels no number that reached fewer people (docs/city-figures.md)."""
BINS: Final = (0.0, 0.01, 0.1, 0.5, 0.9, 1.0)


class Judged(NamedTuple):
    """A number that called strangers, and whether it is a gang's."""

    evidence: NumberEvidence
    is_gangs: bool


REPORTED: Final = 0.5
"""The share of victims who have a payment stopped; our guess, and nearer to what police hope for than to life."""
_KEY: Final = "a key for made-up accounts"

Found = dict[tuple[str, bool], list[Judged]]
"""By rate, and by whether officers found the victims: all numbers that called strangers."""


def fill(city: City, storage: Storage) -> None:
    """Write a city's contacts and codes into a ledger, a segment for each day."""
    nothing, met, rows, day = Indicators(), MetLinks(), [], 0
    for hour, (calls, sms) in enumerate(Simulated(city).hours(), 1):
        rows += [rows_of_calls([calls]), *rows_of_messages(sms, met)]
        codes = rows_of_context((who, each) for who, each in sms_signals(sms, nothing) if each.kind == CODE)
        rows += [] if codes is None else [codes]
        if hour % 24 == 0:
            recorded = datetime.fromtimestamp((BEGIN + day * DAY) / 1000, UTC).date()
            segment = Segment(0, (day, day + 1), (day, day + 1), recorded)
            storage.enter(storage.put(segment, "bench", written(table_of(rows), Knowledge())), segment)
            rows, day = [], day + 1


def search(city: City, folder: str) -> Found:
    """All numbers of a city that called strangers, with every probability."""
    settings = Settings(ledger=folder)
    fill(city, Storage(settings))
    policy, since = policy_file.load(ROOT / "policy.yaml"), datetime.fromtimestamp(BEGIN / 1000, UTC)
    gangs = {each.value for truth in city.truths for each in truth.indicators if each.type == "number"}
    paid = {truth.subscriber for truth in city.truths if truth.paid_at is not None}
    searching = Search(settings, policy, since, paid)
    numbers, around = searching.numbers(searching.slices(), least=0.0), searching.surroundings
    found: Found = {}
    for rate, prevalence in RATES.items():
        for is_known in (False, True):
            victims = around.victims if is_known else 0
            here = replace(around, prevalence=prevalence, victims=victims)
            found[rate, is_known] = [Judged(scored(each, here), each.number in gangs) for each in numbers]
    return found


def stopped(truths: Sequence[Truth]) -> tuple[list[Case], set[str]]:
    """A case for each victim who has the payment stopped, and the accounts that got money of two victims or more."""
    cases = []
    used = Counter(each for truth in truths for each in truth.accounts)
    for number, truth in enumerate(truths):
        if truth.paid_at is None or random_of(number, truth.subscriber, truth.gang).random() >= REPORTED:
            continue
        first, *others = (account(each, _KEY) for each in truth.accounts)
        asked = Request(
            id="p",
            case=f"e{number}",
            officer="bench",
            unit="bench",
            at=truth.paid_at + HOUR,
            victim=account(f"{truth.subscriber}000", _KEY),
            payee=first,
            bank="Example Bank",
            amount_cny=truth.loss,
            paid_at=truth.paid_at,
        )
        payment = opened(asked)
        for level, (parent, each) in enumerate(pairwise((first, *others)), 2):
            step = Traced(
                account=each, parent=parent.key, level=level, bank="Example Bank", received_cny=truth.loss, at=asked.at
            )
            payment = after(payment, step)
        cases.append(_case(f"e{number}", truth, payment))
    return cases, {account(each, _KEY).key for each, count in used.items() if count >= HUB_CASES}


def _case(name: str, truth: Truth, payment: StopPayment) -> Case:
    at = payment.request.at
    return Case(
        case=name,
        subscriber=truth.subscriber,
        status="closed",
        severity="urgent",
        stage="harmed",
        risk=1.0,
        scam_type=truth.scam_type,
        tier="station",
        unit="bench",
        alerts=(),
        episodes=(),
        reasons=(),
        opened=at,
        at=at,
        since=at,
        payments=(payment,),
    )


def lines_of_accounts(cities: Sequence[Sequence[Truth]]) -> Iterator[str]:
    """The table of the page about accounts, in Markdown."""
    paid, asked, shared, listed, hubs = 0, 0, 0, 0, 0
    for truths in cities:
        cases, true_hubs = stopped(truths)
        found = accounts(cases)
        paid += sum(truth.paid_at is not None for truth in truths)
        asked, listed, shared = asked + len(cases), listed + len(found), shared + len(true_hubs)
        hubs += sum(each.is_hub for each in found)
    yield "| paid | stop-payments | accounts listed | accounts of two victims or more | of these, seen as hubs |"
    yield "|---|---|---|---|---|"
    yield f"| {paid} | {asked} | {listed} | {shared} | {hubs} |"


def lines(found: Found) -> Iterator[str]:
    """The tables of the page, in Markdown."""
    yield "| gangs | victims known | listed | precision | recall | recall of those that reached 20 people |"
    yield "|---|---|---|---|---|---|"
    for (rate, known), all_of_it in found.items():
        weight = RATES[rate] / max(RATES.values())
        listed = [each for each in all_of_it if each.evidence.probability >= LISTED]
        right = sum(each.is_gangs for each in listed)
        gangs = [each for each in all_of_it if each.is_gangs]
        wide = [each for each in gangs if each.evidence.people >= REACHED]
        caught = sum(each.evidence.probability >= LISTED for each in wide)
        precision = right * weight / (right * weight + len(listed) - right) if listed else float("nan")
        yield (
            f"| {rate} | {'all who paid' if known else 'none'} | {right} right, {len(listed) - right} wrong "
            f"| {precision:.0%} | {right} of {len(gangs)} | {caught} of {len(wide)} |"
        )
    yield ""
    yield "| probability | numbers | said to be gangs' | are gangs' |"
    yield "|---|---|---|---|"
    for low, high in pairwise(BINS):
        some = [
            each
            for each in found["as in the city", True]
            if low <= each.evidence.probability < high or each.evidence.probability == high == 1.0
        ]
        if some:
            said = sum(each.evidence.probability for each in some) / len(some)
            true = sum(each.is_gangs for each in some) / len(some)
            yield f"| {low:g} to {high:g} | {len(some)} | {said:.1%} | {true:.1%} |"
    yield ""
    yield "| median of | gangs' that reached 20 | listed | other numbers that call strangers |"
    yield "|---|---|---|---|"
    everything = found["as in the city", True]
    groups = (
        [each.evidence for each in everything if each.is_gangs and each.evidence.people >= REACHED],
        [each.evidence for each in everything if each.evidence.probability >= LISTED],
        [each.evidence for each in everything if not each.is_gangs],
    )
    yield _medians("people", groups, lambda each: each.people)
    yield _medians("calls for each person", groups, lambda each: each.calls / each.people)
    yield _medians("share of people whom it contacted first", groups, lambda each: 1 - each.begun / each.people)
    yield _medians("active days", groups, lambda each: each.active_days)


def _medians(name: str, groups: Sequence[Sequence[NumberEvidence]], of: Callable[[NumberEvidence], float]) -> str:
    return f"| {name} | {' | '.join(f'{median(map(of, some)):.3g}' if some else '' for some in groups)} |"


@click.command()
@click.option("--people", default=8_000, show_default=True)
@click.option("--days", default=14, show_default=True)
@click.option("--seeds", default="41,42,43,44,45,46", show_default=True)
def main(people: int, days: int, seeds: str) -> None:
    """Print the tables of docs/risks.md."""
    found: Found = {}
    cities = []
    for seed in map(int, seeds.split(",")):
        city = City(people, days, seed, read_scripts(OURS), 0.4, 6)
        with tempfile.TemporaryDirectory() as folder:
            for key, some in search(city, folder).items():
                found.setdefault(key, []).extend(some)
        cities.append(city.truths)
        click.echo(f"seed {seed}", err=True)
    for line in (*lines(found), "", *lines_of_accounts(cities)):
        click.echo(line)


if __name__ == "__main__":
    main()
