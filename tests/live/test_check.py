"""``forewarn check --topic``, live: an operator sees what a carrier has sent in the last hour."""

from __future__ import annotations

import json

from click.testing import CliRunner, Result

from streams.cli.check import check
from tests.site import Site, call

AT = 1_773_625_200_000
ANN = "8610000000401"


def checked(site: Site, *arguments: str) -> Result:
    """The result of a check of the site's topics."""
    return CliRunner().invoke(check, [*arguments, "--json"], env=site.environ)


def test_a_topic_is_read_up_to_now_and_nothing_is_changed(site: Site) -> None:
    empty = checked(site, "--topic", "calls")
    good = [call(ANN, AT, id=f"c{number}") for number in range(50)]
    site.send("calls", *good, call(ANN, AT, peer="anonymous"), call("10000000402", AT), call(ANN, AT, peer="bank"))
    with site.producer() as producer:
        producer.send(site.settings.topic("calls"), key=None, value=json.dumps(good[0]).encode(), partition=5)
        producer.send(site.settings.topic("calls"), key=ANN.encode(), value=None, partition=5)

    full = checked(site, "--topic", "calls", "--last", "1h")

    assert (empty.exit_code, json.loads(empty.stdout)["records"]) == (0, 0)
    found = json.loads(full.stdout)
    assert full.exit_code == 1
    assert (found["records"], found["good"], found["remarks"]) == (55, 51, {"nobody-known": 1})
    assert found["refused"] == dict.fromkeys(("subscriber-form", "impossible-number", "wrong-key", "empty"), 1)
    where = {each["reason"]: each["where"] for each in found["first"]}
    assert where["empty"].startswith(f"{site.settings.topic('calls')} partition 5 offset ")
    assert len(site.read("calls")) == 55


def test_a_topic_that_is_missing_is_named(site: Site) -> None:
    result = CliRunner().invoke(check, ["--topic", "sms"], env=site.environ | {"FOREWARN_TOPIC_PREFIX": "nowhere."})

    assert result.exit_code == 1
    assert "nowhere.sms does not exist" in result.stderr
