"""One person, live: exported and purged, and then looked for in everything that the programs have written."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from redis import Redis

from models.base.number_keys import key_of
from streams.local.worker import FOREWARN
from streams.sealing import Identities
from tests.site import FRAUD, LETTERS_KEY, Record, Site, applied, call, indicator, until

ANN, BO = "8610000000001", "8610000000002"
COMPACTED = {"subscribers", "dispatch"}
TEXT = f"open https://evil.top/x or ring {ANN}"


def events(site: Site, who: str, at: int, other: str) -> None:
    """A long call with a fraudster, a call with the other person, and an SMS that names Ann."""
    site.send(
        "calls",
        call(who, at, id=f"{who}-c1"),
        call(who, at + 1_260_000, phase="end", duration_s=1200, id=f"{who}-c1"),
        call(who, at + 1000, peer=other, id=f"{who}-c2"),
    )
    message = {"id": f"{who}-m1", "subscriber": who, "peer": other, "direction": "in", "at": at, "text": TEXT}
    site.send("sms", message)


def cases(site: Site) -> dict[str, Record]:
    """The newest snapshot of each person's case that stands."""
    newest = {record.key: record.value for record in site.read("dispatch")}
    found = [json.loads(value) for value in newest.values() if value]
    return {case["subscriber"]: case for case in found}


def person(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call ``forewarn person`` as an operator of the site."""
    environ = site.environ | {"FOREWARN_AUDIT_LOG": str(site.folder / "audit.jsonl")}
    command = [*FOREWARN, "person", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


def in_redis(site: Site) -> Iterator[tuple[bytes, bytes]]:
    """Every key of the site with what it holds."""
    with Redis.from_url(site.settings.redis) as redis:
        for key in redis.scan_iter(f"*{site.settings.topic_prefix}*"):
            held: Any = {b"string": redis.get, b"hash": redis.hgetall, b"set": redis.smembers}[redis.type(key)](key)
            parts = [*held.keys(), *held.values()] if isinstance(held, dict) else [*held] if held is not None else []
            yield key, held if isinstance(held, bytes) else b"\n".join(map(bytes, parts))


def in_ledger(site: Site) -> list[dict[str, Any]]:
    """All rows of the ledger, also of files beside it."""
    return [row for path in (site.folder / "ledger").rglob("*.parquet") for row in pq.read_table(path).to_pylist()]


def spellings(number: str) -> list[bytes]:
    """How a number may lie in bytes."""
    key = key_of(number)
    return [number.encode(), str(key).encode(), key.to_bytes(8, "little"), key.to_bytes(8, "big")]


def finds(site: Site, number: str) -> set[str]:
    """The places that have a number, without what topics keep until their time is over."""
    found = {key.decode() for key, held in in_redis(site) if any(each in held for each in spellings(number))}
    for topic in COMPACTED:
        newest = {record.key: record.value or b"" for record in site.read(topic)}
        standing = {key: value for key, value in newest.items() if value}
        found |= {topic for key, value in standing.items() if number.encode() in key + value}
    rows = in_ledger(site)
    found |= {"ledger" for row in rows if key_of(number) in row.values() or number in str(row["links"])}
    for path in site.folder.rglob("*"):
        if path.is_file() and path.suffix not in (".parquet", ".json") and number.encode() in path.read_bytes():
            found.add(path.name)
    return found


def test_a_purged_person_is_found_nowhere_and_the_other_is_untouched(site: Site, tmp_path: Path) -> None:
    """Not even after a late record, or after the state was derived again from what Kafka keeps."""
    worker, http = site.start_worker()
    site.start_dispatcher()
    site.send("indicators", indicator())
    site.send("subscribers", *({"subscriber": who, "station": "ps-0205"} for who in (ANN, BO)))
    at = time.time_ns() // 1_000_000 - 3_600_000
    events(site, ANN, at, BO)
    events(site, BO, at, ANN)
    until(lambda: cases(site).keys() == {ANN, BO})
    until(lambda: len({row["event"] for row in in_ledger(site)}) == 6)
    assert finds(site, ANN) >= {"ledger", "subscribers", "dispatch"}
    rows_of_bo = sum(row["subscriber"] == key_of(BO) for row in in_ledger(site))
    written = "--number", f"+86 {ANN[2:5]} {ANN[5:]}", "--case", "A-1"

    exported = person(site, "export", *written, "--out", str(tmp_path / "ann.json.age"))
    refused = person(site, "purge", *written, "--yes")
    case = cases(site)[ANN]
    about = {"case": case["case"], "at": at, "unit": case["unit"], "rule": 2}
    spoke = {"id": "f1", "kind": "attempt", "means": "call", "reached": True, "answered": "person"}
    site.send("dispatch-feedback", about | spoke, about | {"id": "f2", "kind": "outcome", "outcome": "dissuaded"})
    until(lambda: cases(site)[ANN]["status"] == "closed")
    purged = person(site, "purge", *written, "--yes", "--proof", str(tmp_path / "proof.json"))

    assert exported.returncode == 0, exported.stderr
    document = json.loads(Identities([LETTERS_KEY.identity]).opened((tmp_path / "ann.json.age").read_bytes()))
    assert {each["what"] for each in document["contacts"]} == {"call", "sms"}
    assert {"alerts", "dispatch", "subscribers"} <= document["records"].keys()
    assert stat.S_IMODE((tmp_path / "ann.json.age").stat().st_mode) == 0o600
    assert refused.returncode == 2
    assert "is not over" in refused.stderr
    assert purged.returncode == 0, purged.stderr
    assert "Nothing is left of what can be removed at once" in purged.stderr
    assert finds(site, ANN) == set()
    proof = json.loads((tmp_path / "proof.json").read_text(encoding="utf-8"))
    assert ANN not in json.dumps(proof)
    kept = {place["place"] for place in proof["places"] if place.get("until")}
    assert kept >= {"topic calls", "topic sms", "topic signals", "topic alerts", "topic dispatch", "topic dead-letters"}
    assert cases(site).keys() == {BO}
    assert sum(row["subscriber"] == key_of(BO) for row in in_ledger(site)) == rows_of_bo - 1  # the text that names Ann

    site.send("calls", call(ANN, at - 1000, id="late"))
    applied(http, 9)
    worker.stop()
    drop = [*FOREWARN, "state", "drop", "--partition", "all", "--yes"]
    subprocess.run(drop, env=site.environ, capture_output=True, timeout=60, check=True)
    _, http = site.start_worker()
    applied(http, 9)
    until(lambda: BO in str([*in_redis(site)]))

    assert not [key for key, held in in_redis(site) if ANN.encode() in held]
    assert cases(site).keys() == {BO}
    again = person(site, "purge", *written, "--yes", "--from", proof["before"])
    assert again.returncode == 0, again.stderr
    assert finds(site, ANN) == set()
    assert FRAUD in str([*in_redis(site)])
