"""Rights in Kafka without a broker: what each program may do, and how a cluster's rules differ from that."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from streams.cli.topics import topics
from streams.dispatch.outbox import group
from streams.kafka.contracts import Contracts, load
from streams.kafka.contracts.rights import Comparison, Resource, Right, compare, rights, script
from streams.kafka.contracts.validation import check
from streams.settings import Settings

ROOT = Path(__file__).parents[3]
SITE = Settings(topic_prefix="north.", group="second")
ALERTS = Resource("topic", "north.alerts")


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    """The contracts that ship with Forewarn."""
    return load(ROOT / "topics.yaml")


def principals(contracts: Contracts, operation: str, resource: Resource) -> set[str]:
    """Who may do this, without the beginning that all names share."""
    found = (right for right in rights(contracts, SITE) if (right.operation, right.resource) == (operation, resource))
    return {right.principal.removeprefix("User:forewarn-") for right in found}


def compared(contracts: Contracts, *more: Right) -> Comparison:
    """A cluster that has all rules of the contracts, and some more."""
    wanted = rights(contracts, SITE)
    return compare(wanted, {*wanted, *more})


def test_only_the_centres_own_systems_read_the_cases_of_the_city(contracts: Contracts) -> None:
    """No station is among them: Kafka cannot show a reader some cases of a topic and hide others."""
    ours = {"worker", "dispatcher", "console", "bulletins", "data-protection", "recorder"}
    assert principals(contracts, "Read", ALERTS) == ours | {"dispatch-platform"}
    assert principals(contracts, "Read", Resource("topic", "north.dispatch")) == {
        *("dispatcher", "console", "bulletins", "risks", "dispatch-platform", "data-protection")
    }
    assert not [name for name in contracts.programs if "station" in name]


def test_nobody_but_the_centre_reads_who_is_suspected(contracts: Contracts) -> None:
    """No carrier and no station: a suspicion that nobody has confirmed is nobody else's business."""
    risks = Resource("topic", "north.risks")

    assert principals(contracts, "Read", risks) == {"risks", "analysts", "console", "data-protection"}
    assert principals(contracts, "Write", risks) == {"risks", "analysts", "console"}


def test_each_topic_is_written_by_those_whose_word_it_is(contracts: Contracts) -> None:
    """A dispatch platform cannot invent calls, and a carrier cannot invent alerts. Refused records are sent back."""
    writers = {
        name: principals(contracts, "Write", Resource("topic", SITE.topic(name)))
        for name in ("calls", "sms", "alerts", "dispatch", "dispatch-feedback")
    }

    assert writers == {
        "calls": {"carriers", "redrive"},
        "sms": {"carriers", "redrive"},
        "alerts": {"worker"},
        "dispatch": {"dispatcher"},
        "dispatch-feedback": {"console", "dispatch-platform", "payment-desk"},
    }


def test_programs_may_use_the_groups_and_transactions_that_they_use(contracts: Contracts) -> None:
    """With the site's prefix and group, as the worker and the dispatcher name them; nobody else may use those."""
    assert principals(contracts, "Read", Resource("group", "north.second")) == {"worker"}
    assert principals(contracts, "Read", Resource("group", group(SITE))) == {"dispatcher"}
    assert principals(contracts, "Write", Resource("transactional-id", group(SITE))) == {"dispatcher"}
    assert principals(contracts, "Read", Resource("group", "north.gateway.", prefixed=True)) == {"gateway"}


def test_only_its_own_login_sends_refused_records_back(contracts: Contracts) -> None:
    """Operators look at letters and set them aside, and cannot write calls. Both share the id that keeps them apart."""
    handled = Resource("topic", "north.handled-letters")

    assert principals(contracts, "Read", Resource("topic", "north.dead-letters")) == {"operators", "redrive"}
    assert principals(contracts, "Write", handled) == principals(contracts, "Read", handled) == {"operators", "redrive"}
    assert principals(contracts, "Write", Resource("transactional-id", "north.second.letters")) == {
        "operators",
        "redrive",
    }


def test_who_forgets_a_person_sees_how_long_records_are_kept_and_reads_neither_calls_nor_texts(
    contracts: Contracts,
) -> None:
    """The records themselves are too many to search, and the ledger has what they say."""
    large = [Resource("topic", SITE.topic(name)) for name in ("calls", "sms", "dead-letters")]

    assert ["data-protection" in principals(contracts, "DescribeConfigs", each) for each in large] == [True] * 3
    assert not any("data-protection" in principals(contracts, "Read", each) for each in large)


def test_nobody_may_delete_a_topic_and_only_operators_may_change_one(contracts: Contracts) -> None:
    """Forewarn deletes no topic, so none of its logins can."""
    harmless = ("Read", "Write", "Describe", "DescribeConfigs")
    managing = {right for right in rights(contracts, SITE) if right.operation not in harmless}

    assert {right.operation for right in managing} == {"Create", "Alter", "AlterConfigs"}
    assert {right.principal for right in managing} == {"User:forewarn-operators"}


def test_a_program_with_several_principals_gives_each_of_them_its_rights(contracts: Contracts) -> None:
    """Two carriers have a login each. A user who serves two programs gets each rule once."""
    carriers = replace(contracts.programs["carriers"], principals=("User:CN=one,O=Carrier", "User:two"))
    registry = replace(contracts.programs["registry"], principals=("User:two",))
    site = replace(contracts, programs={**contracts.programs, "carriers": carriers, "registry": registry})
    given = rights(site, SITE)

    assert len(set(given)) == len(given)
    for name in ("User:CN=one,O=Carrier", "User:two"):
        assert Right(name, Resource("topic", "north.calls"), "Write") in given
    assert Right("User:two", Resource("topic", "north.subscribers"), "Write") in given


def test_what_kafka_lacks_is_missing_although_a_wider_rule_allows_it(contracts: Contracts) -> None:
    """The wider rule may be withdrawn one day, and is itself shown."""
    wanted = rights(contracts, SITE)
    wide = Right(wanted[0].principal, Resource("topic", "*"), "All")
    found = compare(wanted, {*wanted[1:], wide})

    assert found == Comparison(missing=(wanted[0],), own=(), others=(wide,))


@pytest.mark.parametrize(
    "right",
    [
        Right("User:ps-0101", ALERTS, "Read"),
        Right("User:forewarn-carriers", ALERTS, "Read"),
        Right("User:forewarn-worker", ALERTS, "Read", host="10.1.2.3"),
        Right("User:ps-0101", Resource("group", "north.second"), "Read"),
        Right("User:ps-0101", Resource("group", "north.gateway.", prefixed=True), "Read"),
    ],
    ids=str,
)
def test_a_rule_beyond_the_contract_on_a_name_of_the_site_may_be_withdrawn(contracts: Contracts, right: Right) -> None:
    """It stands on nothing else, so withdrawing it harms nothing else."""
    assert compared(contracts, right) == Comparison(missing=(), own=(right,), others=())


@pytest.mark.parametrize(
    "right",
    [
        Right("User:backup", Resource("topic", "*"), "Read"),
        Right("User:backup", Resource("topic", "nor", prefixed=True), "Read"),
        Right("User:other", Resource("group", "north.gateway.old"), "Read"),
        Right("User:other", Resource("group", "north.", prefixed=True), "Read"),
        Right("User:*", ALERTS, "Read", allowed=False),
    ],
    ids=str,
)
def test_a_rule_that_covers_other_names_or_denies_something_is_only_shown(contracts: Contracts, right: Right) -> None:
    """Its owner has to judge it: it may serve others, and without a denial somebody could do more."""
    assert compared(contracts, right) == Comparison(missing=(), own=(), others=(right,))


@pytest.mark.parametrize(
    "right",
    [
        Right("User:other", Resource("topic", "south.alerts"), "Read"),
        Right("User:other", Resource("topic", "north.alerts.copy"), "Read"),
        Right("User:other", Resource("topic", "north.second"), "Read"),
        Right("User:other", Resource("topic", "south.", prefixed=True), "Read"),
    ],
    ids=str,
)
def test_rules_of_other_systems_on_the_cluster_are_left_out(contracts: Contracts, right: Right) -> None:
    """Among them a topic that is named like a group of the site."""
    assert compared(contracts, right) == Comparison(missing=(), own=(), others=())


def test_the_script_survives_a_shell(contracts: Contracts) -> None:
    """Each line grants one principal what it may do with one name; a distinguished name keeps its spaces."""
    dn = "User:CN=one, O=Carrier"
    (line,) = script([Right(dn, ALERTS, "Read"), Right(dn, ALERTS, "Write")], "k1:9092,k2:9092")
    before, _, after = line.partition(f" {shlex.quote(dn)} ")

    assert shlex.split(line)[7] == dn
    assert before == (
        "kafka-acls.sh --bootstrap-server k1:9092,k2:9092 --command-config admin.properties --add --allow-principal"
    )
    assert after == "--operation Read --operation Write --topic north.alerts --resource-pattern-type literal"


def test_the_command_says_the_rights_without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to this address would fail."""
    monkeypatch.setenv("FOREWARN_KAFKA", "127.0.0.1:1")
    table, plain = (CliRunner().invoke(topics, ["acl", *more]) for more in ([], ["--json"]))
    first = json.loads(plain.stdout)["rights"][0]

    assert (table.exit_code, plain.exit_code) == (0, 0)
    assert "User:forewarn-dispatcher\ttopic\tdispatch\tRead, Write" in table.stdout.splitlines()
    assert (first["principal"], first["resource"]["name"], first["operation"]) == (
        *("User:forewarn-worker", "calls", "Read"),
    )


@pytest.mark.parametrize("options", ["--prune", "--diff --apply", "--script --json", "--script --prune"])
def test_options_that_do_not_go_together_are_refused(options: str) -> None:
    """Before anything is asked of Kafka."""
    assert CliRunner().invoke(topics, ["acl", *options.split()]).exit_code == 2


def test_a_file_from_before_programs_were_declared_still_serves(tmp_path: Path) -> None:
    """It has no problem; only the rights cannot be derived from it, and the message says what to copy."""
    old = yaml.safe_load((ROOT / "topics.yaml").read_text(encoding="utf-8"))
    del old["programs"]
    path = tmp_path / "topics.yaml"
    path.write_text(yaml.safe_dump(old), encoding="utf-8")
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    result = CliRunner().invoke(topics, ["acl", "--file", str(path)])

    assert check(path) == []
    assert result.exit_code == 1
    assert "declares no programs" in result.stderr
