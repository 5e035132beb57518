"""The broker's clock, live: a call that goes on is noticed without other records, and no wrong clock is believed."""

from __future__ import annotations

import json
import time
from pathlib import Path

from streams.local.worker import metric
from tests.site import ROOT, Site, call, indicator, until

AT = 1_773_625_200_000
LONG_MS = 3000
"""How long a call is here before it counts as long; ten minutes in the real policy."""


def impatient(site: Site) -> Path:
    """A policy by which a call is medium when it starts, high once it is long, and awaited for half a second."""
    policy = site.folder / "policy.yaml"
    text = (ROOT / "examples" / "policy-points.yaml").read_text(encoding="utf-8")
    changes = {
        "in_progress: 72": "in_progress: 32",
        "  talk: 72": "  talk: 32",
        "  talk: 1\n": "  talk: 0.02\n",
        "long_talk: 10\n": "long_talk: 0.05\n",
        "wait: 0.5 ": "wait: 0.01 ",
    }
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    policy.write_text(text, encoding="utf-8")
    return policy


def test_one_call_and_nothing_else_is_noticed_when_it_has_become_long(site: Site) -> None:
    """One subscriber, one start record of last March, and no other record: the alert comes when the call is long."""
    site.send("indicators", indicator(confidence=100))
    worker, http = site.start_worker(FOREWARN_POLICY_FILE=str(impatient(site)))
    site.send("calls", call("8610000000101", AT))

    high = until(lambda: [each for each in site.alerts() if each["severity"] == "high"])

    (start,) = site.read("calls")
    (record,) = [each for each in site.read("alerts") if json.loads(each.value)["severity"] == "high"]
    assert [alert["at"] for alert in high] == [AT + LONG_MS]
    assert LONG_MS <= record.timestamp - start.timestamp <= LONG_MS + 6000
    assert metric(http, "forewarn_heartbeats_total") >= 1

    worker.stop()
    site.start_worker(FOREWARN_POLICY_FILE=str(impatient(site)))
    time.sleep(3.0)
    assert len([each for each in site.alerts() if each["severity"] == "high"]) == 1


def test_a_call_that_has_ended_brings_no_heartbeat_and_no_alert(site: Site) -> None:
    site.send("indicators", indicator(confidence=100))
    _, http = site.start_worker(FOREWARN_POLICY_FILE=str(impatient(site)))
    site.send("calls", call("8610000000102", AT), call("8610000000102", AT + 1500, phase="end", duration_s=1.0))
    until(lambda: site.alerts())

    time.sleep(LONG_MS / 1000 + 2)

    assert not [each for each in site.alerts() if each["severity"] == "high"]
    assert metric(http, "forewarn_heartbeats_total") == 0


def test_a_record_eight_hours_ahead_counts_at_its_arrival(site: Site) -> None:
    site.send("indicators", indicator(confidence=100))
    _, http = site.start_worker()
    site.send("calls", call("8610000000103", int(time.time() * 1000) + 8 * 3_600_000))

    alert = until(lambda: site.alerts())[0]

    (start,) = site.read("calls")
    assert alert["at"] == start.timestamp
    assert 28_000 < metric(http, "forewarn_clock_skew_seconds", topic="calls") < 28_900
    assert metric(http, "forewarn_ahead_records_total", topic="calls") == 1
