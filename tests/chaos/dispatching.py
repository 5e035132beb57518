"""Scenarios: kills the dispatcher and the console at random moments while cases are opened, handled and closed."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from models.access.rights import user
from models.casework.cases import RULE
from models.detection.alerts import encode
from streams.access.users import Users
from streams.local.ports import any_free_port
from streams.local.process import Server
from tests.casework import alert
from tests.chaos.ground import Ground
from tests.chaos.trial import Finding
from tests.consoles import GOOD
from tests.site import SECRET, Record, Site

LONGEST_S = 6.0
"""The most seconds for which a process runs undisturbed; it needs two of them to start."""
PATIENCE_S = 120.0
NOW = int(time.time() * 1000)
"""The event time of every alert: what is long ago sends nobody."""


def dispatcher_kills(ground: Ground, kills: int, people: int) -> Finding:
    """Send alerts, acknowledgements of all, and an attempt and an outcome for half of them.

    Each is once in its case, and no snapshot comes twice.
    """
    chance = random.Random(7)
    with own_site(ground, "dispatched") as site:
        killer = _Killer(lambda: site.start_dispatcher(wait=False)[0], chance)
        everybody = range(people)
        alerts = [alert_record(number) for number in everybody]
        killer.during(lambda: site.send("alerts", *alerts), lambda: len(cases(site)) == people, kills // 3)
        said = [feedback_record(number, "acknowledged") for number in everybody]
        killer.during(lambda: site.send("dispatch-feedback", *said), lambda: _are(site, "open") == 0, kills // 3)
        ended = [record for number in everybody[::2] for record in ending(number)]
        killer.during(
            lambda: site.send("dispatch-feedback", *ended),
            lambda: _are(site, "closed") == len(everybody[::2]),
            kills - killer.count,
        )
        killer.end()
        steps = ("opened", "acknowledged", "attempt", "outcome")
        expected = {f"e{number}": steps[: 2 if number % 2 else 4] for number in everybody}
        found = {name: tuple(entry["kind"] for entry in case["history"]) for name, case in cases(site).items()}
        snapshots = [record.value for record in site.read("dispatch")]
        return Finding(
            "dispatcher killed (SIGKILL)",
            killer.count,
            len(alerts) + len(said) + len(ended),
            len(expected),
            lost=sum(len(steps) > len(found.get(name, ())) for name, steps in expected.items()),
            wrong=sum(steps != expected[name][: len(steps)] for name, steps in found.items()),
            repeated=len(snapshots) - len(set(snapshots)),
            letters_lost=site.count("dead-letters"),
            notes=(f"{len(snapshots):,} snapshots, {len(said) + len(ended):,} pieces of feedback",),
        )


def console_kills(ground: Ground, kills: int, people: int = 200, writers: int = 4) -> Finding:
    """Officers repeat each report with the same id until it is confirmed; every confirmed report is in its case."""
    chance = random.Random(8)
    with own_site(ground, "said") as site:
        site.start_dispatcher()
        site.send("alerts", *(alert_record(number) for number in range(people)))
        Users.of(site.settings).add(user("chen", "centre", "centre"), GOOD, by="chaos")
        token = Users.of(site.settings).add_token("chen", "chaos", by="chaos")
        address = f"127.0.0.1:{any_free_port()}"
        killer = _Killer(lambda: site.start_console(wait=False, FOREWARN_CONSOLE_HTTP=address)[0], chance)
        answered: list[tuple[str, str]] = []
        over = threading.Event()
        officers = [
            threading.Thread(target=_officer, args=(f"http://{address}", token, number, people, answered, over))
            for number in range(writers)
        ]
        for each in officers:
            each.start()
        try:
            killer.during(lambda: None, lambda: killer.count >= kills, kills)
            enough = len(answered) + 10 * writers
            killer.during(lambda: None, lambda: len(answered) >= enough, 0)
        finally:
            over.set()
            for each in officers:
                each.join()
            killer.end()
        heard = Counter(
            (name, entry["id"]) for name, case in cases(site).items() for entry in case["history"] if entry.get("id")
        )
        told = Counter((each["case"], each["id"]) for each in _feedback(site))
        return Finding(
            "console killed (SIGKILL)",
            killer.count,
            sum(told.values()),
            len(answered),
            lost=sum(heard[each] == 0 for each in answered),
            wrong=sum(count > 1 for count in heard.values()),
            repeated=sum(told.values()) - len(told),
            notes=(f"{len(answered):,} reports confirmed to the browser; {writers} officers repeated each until then",),
        )


class _Killer:
    """Starts one process and kills it at random moments."""

    def __init__(self, start: Callable[[], Server], chance: random.Random) -> None:
        self._start = start
        self._chance = chance
        self._process = start()
        self.count = 0

    def during(self, work: Callable[[], object], is_done: Callable[[], bool], kills: int) -> None:
        """Do the work, kill the process ``kills`` times meanwhile, and wait until all work has had its effect."""
        working = threading.Thread(target=work)
        working.start()
        deadline = time.monotonic() + PATIENCE_S + kills * LONGEST_S
        for _ in range(kills):
            time.sleep(self._chance.uniform(0, LONGEST_S))
            self._process.kill()
            self.count += 1
            self._process = self._start()
        working.join()
        while not is_done():
            assert time.monotonic() < deadline, "what was said has no effect"
            time.sleep(0.2)

    def end(self) -> None:
        """Stop the process in an orderly way."""
        self._process.stop()


def cases(site: Site) -> dict[str, Record]:
    """The newest snapshot of each case."""
    return {record.key.decode(): json.loads(record.value) for record in site.read("dispatch") if record.value}


@contextmanager
def own_site(ground: Ground, name: str) -> Iterator[Site]:
    """A separate site, with its own files for users and the audit log."""
    here = ground.beside(f"{name}.")
    folder = ground.folder / name
    folder.mkdir(parents=True)
    settings = replace(here.settings, users_file=folder / "users.json", audit_log=folder / "audit.jsonl", secret=SECRET)
    site = Site(settings, folder, watch=ground.stack.watch)
    try:
        yield site
    finally:
        site.stop()


def _are(site: Site, status: str) -> int:
    return sum(case["status"] == status for case in cases(site).values())


def alert_record(number: int) -> Record:
    """An alert about the person and the episode with this number."""
    record: Record = json.loads(encode(alert("medium", episode=f"e{number}", subscriber=f"86100{number:08d}", at=NOW)))
    return record


def feedback_record(number: int, kind: str, **more: Any) -> Record:
    """What an officer of a sub-bureau did about the case with this number just now."""
    about = {"id": f"{kind}-{number}", "case": f"e{number}", "kind": kind, "unit": "sb-01", "officer": "000042"}
    return about | {"at": int(time.time() * 1000), "rule": RULE} | more


def ending(number: int) -> list[Record]:
    """What ends the case with this number: an officer spoke with the person, who was dissuaded."""
    spoke = feedback_record(number, "attempt", means="call", reached=True, answered="person")
    return [spoke, feedback_record(number, "outcome", outcome="dissuaded")]


def _feedback(site: Site) -> Sequence[Record]:
    return [json.loads(record.value) for record in site.read("dispatch-feedback")]


def _officer(
    url: str, token: str, number: int, people: int, answered: list[tuple[str, str]], over: threading.Event
) -> None:
    """Report on one case after another; note the confirmed reports."""
    count = 0
    while not over.is_set():
        case, id = f"e{(number + count) % people}", f"o{number}-{count}"
        if _is_confirmed(f"{url}/api/v1/cases/{case}/note", token, id):
            answered.append((case, id))
            count += 1
        else:
            over.wait(0.05)


def _is_confirmed(url: str, token: str, id: str) -> bool:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": id}
    try:
        answer = httpx.post(url, json={"note": "rang twice"}, headers=headers, timeout=15)
    except httpx.HTTPError:
        return False
    return answer.status_code in (200, 202)
