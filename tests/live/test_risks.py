"""Risks, live: what a search finds in ledger and cases goes to the topic, and a decision overwrites no other one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import jsonschema
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from models.base.durations import DAY, MINUTE
from models.casework.cases import Case, encode
from models.casework.payment_steps import opened
from models.risks.risk import Decision, Risk, decided
from streams.cli import cli
from streams.ledger.storage import Storage
from streams.risks.naming import account, id_of_number
from streams.risks.risk_topic import RiskTopicError, Standing, change, standing
from streams.settings import Settings
from tests.models.casework.test_payments import request
from tests.models.risks.test_risk import decision, risk
from tests.models.risks.test_risky_accounts import BO, a_case
from tests.site import ROOT, Record, Site
from tests.streams.ledger.test_ledger import put, rows
from tests.streams.risks.test_finding import GANG, PEOPLE, a_call, code

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "schemas" / "risks-v1.json").read_text(encoding="utf-8")))
WHOLE = "0000 0000 0000 0001"
"""The whole number of a made-up account."""


def forewarn(site: Site, *words: str) -> Result:
    """The result of a ``forewarn risks`` command at this site; in a thread, since it runs a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(CliRunner().invoke, cli, ["risks", *words], env=site.environ).result()


def records(site: Site) -> list[Record]:
    """All records of the topic, each as the contract says."""
    found = [json.loads(record.value) for record in site.read("risks")]
    for each in found:
        SCHEMA.validate(each)
    return found


def settings_of(site: Site) -> Settings:
    """The settings of the site's commands."""
    return Settings.from_environ(site.environ)


def key(site: Site) -> str:
    """The site's key of pseudonyms."""
    return settings_of(site).key_of_pseudonyms()


def two_cases(site: Site) -> list[Case]:
    """Two people who paid to one account."""
    paid = opened(request(payee=account(WHOLE, key(site))))
    return [a_case("e1", paid), a_case("e2", paid, subscriber=BO)]


def fill(site: Site) -> None:
    """A gang's number that guides two of nine people, of yesterday, and two cases."""
    at = int(time.time() * 1000) - DAY
    calls = [each for who in PEOPLE[:9] for each in a_call(who, GANG, at, 8)]
    codes = [code(who, at + 4 * MINUTE) for who in PEOPLE[:2]]
    storage = Storage(settings_of(site))
    put(storage, 0, [*rows(calls), *codes], day=datetime.now(UTC).date())
    with site.producer() as producer:
        for case in two_cases(site):
            producer.send(site.settings.topic("dispatch"), key=case.case.encode(), value=encode(case))


def test_a_risk_is_found_confirmed_handed_over_and_acted_on(site: Site) -> None:
    """A second search finds nothing new; numbers are masked until somebody asks for one with a case."""
    fill(site)
    found = forewarn(site, "find")
    assert (found.exit_code, found.stdout) == (0, ""), found.stderr
    assert "1 numbers and 1 accounts (1 hubs); 2 of them are new" in found.stderr
    assert "0 of them are new" in forewarn(site, "find").stderr

    listed = forewarn(site, "list", "--hubs", "--json")
    (hub,) = map(json.loads, listed.stdout.splitlines())
    SCHEMA.validate(hub)
    everything = forewarn(site, "list").stdout
    assert (hub["evidence"]["cases"], hub["evidence"]["account"]["masked"], hub["status"]) == (2, "****0001", "open")
    assert not any(number in everything for number in (GANG, WHOLE.replace(" ", "")))

    words = ["--case", "A-1"]
    name = id_of_number(GANG, key(site))
    shown = forewarn(site, "show", "--number", f"+{GANG}", *words, "--whole")
    assert (shown.exit_code, f"number\t{GANG}" in shown.stdout) == (0, True)
    assert GANG not in forewarn(site, "show", name, *words).stdout
    too_early = forewarn(site, "hand-over", name, "--to", "Example Carrier", *words)
    assert (too_early.exit_code, "is open and cannot become handed-over" in too_early.stderr) == (2, True)
    assert forewarn(site, "confirm", name, *words).exit_code == 0
    assert forewarn(site, "hand-over", name, "--to", "Example Carrier", *words).exit_code == 0
    assert forewarn(site, "acted-on", "--number", f"+{GANG}", *words, "--note", "line closed").exit_code == 0
    assert forewarn(site, "dismiss", "--account", WHOLE, *words).exit_code == 0

    last = {each["id"]: each for each in records(site)}
    assert last[name]["status"] == "acted-on"
    assert [(each["state"], each["case"]) for each in last[name]["decisions"]] == [
        *(("confirmed", "A-1"), ("handed-over", "A-1"), ("acted-on", "A-1"))
    ]
    assert last[hub["id"]]["status"] == "dismissed"
    log = (site.folder / "audit.jsonl").read_text(encoding="utf-8")
    done = [line["did"] for line in map(json.loads, log.splitlines()) if line.get("did", "").startswith("risk")]
    assert done == ["risks-found"] * 2 + ["risk-shown"] * 2 + ["risk-decided"] * 4
    assert GANG not in log


def test_of_two_who_decide_at_the_same_moment_the_second_one_wins_and_the_first_is_told(site: Site) -> None:
    """Nothing of the first one's decision is on the topic, so they can look at what stands and decide again."""
    first = risk()
    asyncio.run(change(site.settings, lambda known: [first]))

    def meanwhile(known: Standing) -> Sequence[Risk]:
        other: Decision = decision("dismissed", who="os:other")
        with ThreadPoolExecutor(1) as thread:
            decide = change(site.settings, lambda known: [decided(known[first.id], other)])
            thread.submit(asyncio.run, decide).result()
        return [decided(known[first.id], decision("confirmed"))]

    with pytest.raises(RiskTopicError, match="Somebody else was changing the risks at the same moment"):
        asyncio.run(change(site.settings, meanwhile))
    stands = asyncio.run(standing(site.settings))[first.id]

    assert stands == replace(first, status="dismissed", at=stands.at, decisions=stands.decisions)
    assert [each.who for each in stands.decisions] == ["os:other"]
