"""Liveness: ``/healthz`` of a blocked worker fails at once, and only while the worker is blocked."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.live.blocking_worker import SECONDS
from tests.site import Site, call, until

AT = 1_773_625_200_000
STALL_S = 2.0


def healthz(http: str) -> tuple[int, str]:
    """The status and the reason that a probe gets."""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(f"http://{http}/healthz", timeout=2) as answer:
            said = answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            said = error.code, json.load(error)["why"]
    assert time.monotonic() - began < STALL_S, "a probe had to wait"
    return said


@pytest.mark.parametrize(
    ("held_up", "why"), [("loop", "busy with one thing"), ("offsets", "no offset has moved")], ids=["loop", "offsets"]
)
def test_a_worker_that_is_held_up_is_unhealthy_until_it_goes_on(site: Site, held_up: str, why: str) -> None:
    site.command = (sys.executable, "-m", "tests.live.blocking_worker")
    _, http = site.start_worker(FOREWARN_STALL_SECONDS=str(STALL_S), TEST_BLOCK=held_up)
    time.sleep(STALL_S + 1)
    assert healthz(http) == (200, "")  # nothing to read
    sent = time.monotonic()  # before sending: the worker reads the record while the producer is still closing
    site.send("calls", call("8610000000001", AT))
    assert until(lambda: [said for said in [healthz(http)] if said[0] == 503])[0][1].startswith(("the", "there"))
    assert STALL_S - 1 < time.monotonic() - sent < SECONDS
    until(lambda: why in healthz(http)[1], STALL_S)  # of two reasons, the one that began earlier comes first
    until(lambda: healthz(http)[0] == 200)
    assert time.monotonic() - sent > SECONDS - 0.5
    time.sleep(STALL_S + 1)
    assert healthz(http) == (200, "")
