"""A small example of a station's own software: it follows its unit's cases through the API and acknowledges orders.

It needs nothing but Python. The console knows by the token which unit it serves, and shows it that unit's cases only.

    STATION_TOKEN=... python examples/station_client.py --url https://forewarn.example --ca ca.pem --acknowledge

While the console is away, it waits. Then it asks for the changes after the last one that it knows, so it misses none.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import ssl
import sys
import time
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

Case = dict[str, Any]

OVER = ("withdrawn", "closed")
AWAY = (429, 502, 503, 504)
"""Answers while the console, its proxy or something behind it is away; no other refusal passes by itself."""
PAUSE = 2.0
"""Seconds before the next attempt."""
SILENCE = 45.0
"""Seconds without a byte after which the connection is given up; the console sends something every 15 seconds."""


class Api:
    """The console's API, with the station's token."""

    def __init__(self, url: str, token: str, ca: str | None) -> None:
        self._url = f"{url.rstrip('/')}/api/v1"
        self._token = token
        self._trust = ssl.create_default_context(cafile=ca)

    def ask(self, path: str, body: Any = None, **headers: str) -> Any:
        """The answer to a request, repeated until there is one. Raises HTTPError for a refusal."""
        while True:
            try:
                with self._open(path, body, headers) as answer:
                    return json.load(answer)
            except (OSError, HTTPException) as error:
                wait(error)

    def changes(self, after: str) -> Iterator[dict[str, str]]:
        """The events after this one, for ever, each with its fields. Raises HTTPError for a refusal."""
        while True:
            try:
                with self._open("/changes", None, {"Last-Event-ID": after}) as stream:
                    for event in events(stream):
                        after = event.get("id", after)
                        yield event
                raise ConnectionError("it has ended the connection")
            except (OSError, HTTPException) as error:
                wait(error)

    def _open(self, path: str, body: Any, headers: dict[str, str]) -> HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **headers}
        request = Request(self._url + path, data, headers)  # noqa: S310 - the address is the station's own choice
        answer: HTTPResponse = urlopen(request, timeout=SILENCE, context=self._trust)  # noqa: S310
        return answer


def wait(error: Exception) -> None:
    """Wait a moment if the error may pass by itself; otherwise raise it."""
    if isinstance(error, HTTPError) and error.code not in AWAY:
        raise error
    print(f"waiting for the console ({error})", file=sys.stderr, flush=True)
    time.sleep(PAUSE)


def events(stream: HTTPResponse) -> Iterator[dict[str, str]]:
    """The server-sent events of a stream; comments, which keep the connection alive, come as events without fields."""
    fields: dict[str, str] = {}
    for raw in stream:
        name, colon, value = raw.decode().rstrip("\r\n").partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not colon:  # an empty line ends an event
            yield fields
            fields = {}


def orders(api: Api) -> tuple[list[Case], str]:
    """All cases that the unit may see, and the id of the newest change that they contain."""
    found: list[Case] = []
    first = ""
    while True:
        page = api.ask(f"/orders?limit=500&offset={len(found)}")
        first = first or page["last_change"]  # whatever changes while the pages are read comes again
        found += page["orders"]
        if not page["orders"] or len(found) >= page["total"]:
            return found, first


def show(case: Case, unit: str) -> str:
    """One line for an officer; the API masks the person's number already."""
    if case["unit"] != unit:
        return f"{case['case']}: gone to {case['unit']}"
    if case["status"] in OVER:
        return f"{case['case']}: {case['status']}"
    left = (case.get("acknowledge_by") or case.get("call_by") or case.get("visit_by") or 0) / 1000 - time.time()
    due = f"{left / 60:.0f} min left" if left > 0 else "no deadline ahead"
    if missed := [each["at"] for each in case.get("missed", ())]:
        due = f"overdue {(time.time() - min(missed) / 1000) / 60:.0f} min"
    why = "; ".join(reason["zh"] for reason in case["reasons"][:2])
    what = f"{case['severity']} {case['status']}, {case['subscriber']}, {case['scam_type']}, {due}: {why}"
    return f"{case['case']}: {what}"


def acknowledge(api: Api, case: Case) -> None:
    """Acknowledge an order. The same order always has the same key, so it counts once however often it is sent."""
    # An escalation asks again: the units above that got the case tell its orders apart.
    order = f"{case['case']} {case['since']} {' '.join(case.get('above', ()))}"
    key = hashlib.sha256(order.encode()).hexdigest()[:24]
    try:
        api.ask(f"/cases/{case['case']}/acknowledged", {}, **{"Idempotency-Key": key})
    except HTTPError as error:  # for example, somebody else was faster
        print(f"{case['case']}: {json.load(error)['message']}", file=sys.stderr, flush=True)


def main() -> None:
    """Follow the unit's cases until Ctrl-C, or until the token is no longer valid."""
    parser = argparse.ArgumentParser(description="Follow a station's cases through the API.")
    parser.add_argument("--url", default="http://127.0.0.1:8893", help="the address of the console")
    parser.add_argument("--ca", help="PEM file of the authorities to trust (default: the system's)")
    parser.add_argument("--acknowledge", action="store_true", help="acknowledge each order of the unit")
    asked = parser.parse_args()
    api = Api(asked.url, os.environ["STATION_TOKEN"], asked.ca)
    unit = api.ask("/me")["unit"]
    known: dict[str, Case] = {}

    def take(case: Case) -> None:
        if known.get(case["case"]) == case:
            return
        known[case["case"]] = case
        print(show(case, unit), flush=True)
        if asked.acknowledge and case["status"] == "open" and case["unit"] == unit:
            acknowledge(api, case)

    found, after = orders(api)
    for case in found:
        take(case)
    for event in api.changes(after):
        match event.get("event"):
            case "case":
                take(json.loads(event["data"]))
            case "forgotten":
                known.pop(json.loads(event["data"])["case"], None)
            case "reload":  # too much has changed, or another console answers
                for case in orders(api)[0]:
                    take(case)
            case "sign-in":
                sys.exit("The token is no longer valid.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except HTTPError as refusal:
        sys.exit(f"The console refuses this: {json.load(refusal)['message']}")
