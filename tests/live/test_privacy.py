"""Personal data, live: marked numbers, texts and links are found where `docs/privacy.md` says, and nowhere else.

The records of made-up people go through worker, hunter, dispatcher and console, and then everything that these wrote is
searched: every topic, Redis key, file, log, metric and page.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from redis import Redis

from models.access.rights import user
from models.base.number_keys import LONGEST_NUMBER, key_of
from streams.access.users import Users
from streams.kafka.contracts import load
from streams.local.worker import FOREWARN
from streams.settings import Settings
from tests.consoles import GOOD
from tests.live.conftest import Servers
from tests.site import ROOT, Site, call, indicator, until, with_users

PAGE = ROOT / "docs" / "privacy.md"
SUBSCRIBER, STRANGER = "8610000007391", "8610000008462"
CELL = "001-01-7-42"
KNOWN = "evil.top"
HOST = "marked-host.top"
TEXT = (
    f"Marked words: 您的包裹请看 https://{HOST}/marked/token?u=marked/query or https://{KNOWN}/marked/2 "
    f"or ring {STRANGER}"
)
ACCOUNT = "6299990000007391"
MARKS = {
    "person": SUBSCRIBER,
    "others": STRANGER,
    "place": CELL,
    "text": "Marked words",
    "host": HOST,
    "link": "marked/",
    "account": ACCOUNT,
}
"""What is looked for, by the column of the page's table."""

REDIS = re.compile(r"(meta|subjects|hunter|pivot|spread|session|secret|refused|attempts)")
"""The kinds of Redis keys, as the table names them."""

Finds = dict[str, set[str]]
"""The columns of the marks that were found, by place."""


def sms(at: int | str, id: str, **more: Any) -> dict[str, Any]:
    """A record of the marked SMS."""
    record = {"id": id, "subscriber": SUBSCRIBER, "peer": STRANGER, "direction": "in", "at": at, "text": TEXT}
    return record | {"cell": CELL} | more


def spellings(value: str) -> list[bytes]:
    """How a value may lie in bytes: as a text, and a number without its country code or as one of our integers."""
    if not value.isdigit() or len(value) > LONGEST_NUMBER:
        return [value.encode()]
    key = key_of(value)
    return [value[2:].encode(), key.to_bytes(8, "little"), key.to_bytes(8, "big"), str(key).encode()]


SPELLINGS = {column: spellings(value) for column, value in MARKS.items()}


def marks_in(content: bytes) -> set[str]:
    """The columns of the marks that these bytes have."""
    return {column for column, spelt in SPELLINGS.items() if any(each in content for each in spelt)}


def documented(word: str) -> Finds:
    """The marks whose cells in the page's table have this word, by place."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    found: Finds = {}
    for cells in rows:
        marked = {column for column, cell in zip(head, cells, strict=True) if column in MARKS and cell == word}
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), marked)
    return found


@pytest.fixture(scope="module")
def site(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with all programs and an officer of the station where the person is."""
    folder = tmp_path_factory.mktemp("site")
    settings = with_users(stack.kafka, stack.redis, folder)
    site = Site(settings, folder, by_points=True)
    site.apply_topics()
    Users.of(settings).add(user("li", "officer", "ps-0101"), GOOD, by="os:root")
    yield site
    site.tell()
    site.stop()


def in_topics(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every record of every topic as bytes, but for the one by which the test makes the stranger's number known."""
    for topic in load(site.settings.topics_file).topics:
        for record in site.read(topic):
            if record.key == f"number:{STRANGER}".encode():
                continue
            headers = b" ".join(name.encode() + b" " + value for name, value in record.headers)
            yield topic, b"\n".join((record.key or b"", record.value or b"", headers))


def in_redis(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Every key of the site and what it holds, as bytes, by the kind of key."""
    with Redis.from_url(settings.redis) as redis:
        for key in redis.scan_iter(f"*{settings.topic_prefix}*"):
            kind = REDIS.search(key.decode().partition(settings.topic_prefix + settings.group)[2])
            match redis.type(key):
                case b"hash":
                    held = [part for field in redis.hgetall(key).items() for part in field]
                case b"set":
                    held = [*redis.smembers(key)]
                case b"zset":
                    held = redis.zrange(key, 0, -1)
                case _:
                    held = [redis.get(key)]
            yield kind[0] if kind else key.decode(), b"\n".join((key, *held))


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the site, the ledger's columns unpacked."""
    for path in filter(Path.is_file, folder.rglob("*")):
        name = path.relative_to(folder).parts[0]
        if path.suffix == ".parquet":
            for column in pq.read_table(path).to_pydict().values():
                for value in column:
                    yield name, value if isinstance(value, bytes) else str(value).encode()
        else:
            yield "logs" if path.suffix == ".log" else name, path.read_bytes()


def test_marked_data_is_where_the_page_says_and_nowhere_else(site: Site) -> None:
    """What is refused, asked for and shown on the way is searched, too."""
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(start) for start in (site.start_worker, site.start_hunter, site.start_dispatcher)]
        _, health, api = pool.submit(site.start_console).result()
        healths = [health, *(each.result()[1] for each in others)]
    now = time.time_ns() // 1_000_000
    site.send("indicators", indicator(), indicator(KNOWN, "domain"))
    site.send("subscribers", {"subscriber": SUBSCRIBER, "station": "ps-0101", "language": "zh"})
    site.send(
        "sms", sms(now, "m1"), sms(now, "m2", direction="out"), sms("yesterday", "m3"), sms(now, "m4", text=[TEXT])
    )
    site.send("calls", call(SUBSCRIBER, now, cell=CELL), call(SUBSCRIBER, now, STRANGER, id="c2", cell=CELL))
    site.send("calls", call(SUBSCRIBER, now, STRANGER, phase="ringing", id="c3"))
    case = until(site.alerts)[0]["episode"]
    shown = of_the_case(api, case)
    until(lambda: site.count("dead-letters") == 3 and site.count("dispatch-feedback") == 3)
    until(lambda: [*site.folder.glob("ledger/*/day=*/*.parquet")])
    site.send("indicators", indicator(STRANGER))
    until(lambda: site.count("signals") > 0)
    shown["a look-up"] = look_up(site)
    shown["metrics"] = b"".join(httpx.get(f"http://{each}/metrics").content for each in healths)

    found: Finds = {topic: set() for topic in load(site.settings.topics_file).topics}
    for place, content in (*in_topics(site), *in_redis(site.settings), *in_files(site.folder), *shown.items()):
        found.setdefault(place, set()).update(marks_in(content))

    always, at_times = documented("yes"), documented("at times")
    outside = {place: marks - always.get(place, set()) - at_times.get(place, set()) for place, marks in found.items()}
    assert not {place: marks for place, marks in outside.items() if marks}
    assert not {place: marks for place in always if (marks := always[place] - found.get(place, set()))}
    assert {place for place in found if not place.startswith(".")} <= set(always)


def of_the_case(api: str, case: str) -> dict[str, bytes]:
    """What an officer sees of a case, without and with its number; they also report on it."""
    with httpx.Client(base_url=f"http://{api}", timeout=15) as browser:
        answer = browser.post("/api/v1/sign-in", json={"name": "li", "password": GOOD})
        browser.headers["X-CSRF-Token"] = answer.json()["csrf"]
        path = f"/api/v1/cases/{case}"
        until(lambda: browser.get(path).status_code == 200)
        payment = {"victim": "6299990000000002", "payee": ACCOUNT, "bank": "bank", "amount_cny": 100}
        for kind, body in (("acknowledged", {}), ("stop-payment", payment), ("note", {"note": "opens to a friend"})):
            assert browser.post(f"{path}/{kind}", json=body).status_code in (200, 202)
        pages = "/api/v1/orders", path, "/", f"/cases/{case}", "/api/v1/units", "/api/v1/me"
        return {
            "a case": b"".join(browser.get(page).content for page in pages),
            "a case with its number": browser.get(path, params={"show": "number"}).content,
        }


def look_up(site: Site) -> bytes:
    """What an analyst is told who looks up the number of the stranger."""
    command = [*FOREWARN, "hunt", "--number", STRANGER, "--case", "A-1", "--json"]
    environ = os.environ | site.environ | {"FOREWARN_AUDIT_LOG": str(site.settings.audit_log)}
    done = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=True)
    return done.stdout
