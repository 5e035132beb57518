"""``python -m bench.console``: how fast the console is with ten thousand open cases, fifty readers and some writers.

Each reader reads a page, thinks, and reads the next. Officers read their station's orders, the centre reads all units.
Writers open a case and add a note to it. The time measured is what a browser waits for: from the request to the whole
answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import click
import httpx

from bench.__main__ import say
from bench.dispatch import Ground
from models.access.rights import user
from streams.cli.demo import percentile
from streams.dispatch import stations_file
from streams.kafka.contracts import apply, load, open_admin
from streams.local import samples
from streams.local.ports import any_free_port
from streams.local.stack import LocalStack
from streams.local.worker import metric, service
from streams.settings import Settings

FOLDER = Path(".forewarn/bench-console")
OUT = Path(".forewarn/bench-console.json")
THINKS_S = 2.0
"""Seconds between two pages of one reader, on average."""
CENTRES = 5
"""How many readers are at the centre; the others are officers."""


@click.command()
@click.option("--cases", default=10_000, show_default=True, help="Open cases.")
@click.option("--readers", default=50, show_default=True)
@click.option("--writes", default=5, show_default=True, help="Writes a second.")
@click.option("--seconds", default=30, show_default=True)
def main(cases: int, readers: int, writes: int, seconds: int) -> None:
    """Measure the console; write the figures to .forewarn/bench-console.json.

    Example: python -m bench.console --cases 1000 --seconds 10
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    shutil.rmtree(FOLDER, ignore_errors=True)
    with LocalStack(FOLDER, 0, 0, notify=say) as stack:
        settings = Settings(kafka=stack.kafka, redis=stack.redis)
        with open_admin(settings) as admin:
            apply(load(settings.topics_file), admin, settings)
        pages = f"127.0.0.1:{any_free_port()}"
        environ = samples.kept(FOLDER.absolute()) | {
            "FOREWARN_KAFKA": stack.kafka,
            "FOREWARN_REDIS": stack.redis,
            "FOREWARN_CONSOLE_HTTP": pages,
        }
        at = {name: f"127.0.0.1:{any_free_port()}" for name in ("dispatcher", "console")}
        processes = {name: service(name, FOLDER / f"{name}.log", at[name], environ, stack.watch) for name in at}
        tokens = _tokens(settings)
        try:
            for each in processes.values():
                each.start()
            for each in processes.values():
                each.wait()
            result = asyncio.run(
                _measured(settings, at["dispatcher"], f"http://{pages}", tokens, (cases, readers, writes, seconds))
            )
        finally:
            for each in processes.values():
                each.stop()
    shutil.rmtree(FOLDER, ignore_errors=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    click.echo(json.dumps(result, indent=2))


def _tokens(settings: Settings) -> dict[str, str]:
    """A token for an officer of each station, for each sub-bureau and for the centre, by unit."""
    users = samples.users_of(FOLDER.absolute())
    tokens: dict[str, str] = {}
    for unit in stations_file.load(settings.stations_file).units.values():
        role = {"station": "officer", "sub-bureau": "sub-bureau", "city": "centre"}[unit.tier]
        users.add(user(unit.id, role, unit.id), "six plain words for a bench", by="bench")  # type: ignore[arg-type]
        tokens[unit.id] = users.add_token(unit.id, "bench", by="bench")
    return tokens


async def _measured(
    settings: Settings, dispatcher: str, url: str, tokens: Mapping[str, str], asked: tuple[int, int, int, int]
) -> dict[str, float]:
    cases, readers, writes, seconds = asked
    say(f"opening {cases:,} cases")
    await _opened(Ground(settings, dispatcher), cases)
    stations = sorted(unit for unit in tokens if unit.startswith("ps-"))
    found: dict[str, list[float]] = {"station": [], "centre": [], "case": [], "write": []}
    until = time.perf_counter() + seconds
    say(f"{readers} readers and {writes} writes a second for {seconds} s")
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=readers + 10)) as client:
        jobs = [
            _reads(client, tokens["centre"], "/centre", found["centre"], until)
            if number < CENTRES
            else _reads(client, tokens[stations[number % len(stations)]], "/orders", found["station"], until)
            for number in range(readers)
        ]
        jobs += [_writes(client, tokens[stations[number]], 1.0, found, until) for number in range(writes)]
        await asyncio.gather(*jobs)
    return {
        "cases": cases,
        "readers": readers,
        **{
            f"{name}_{label}_ms": round(percentile(times, at) * 1000)
            for name, times in found.items()
            for label, at in (("p50", 50), ("p99", 99))
        },
        **{f"{name}_count": len(times) for name, times in found.items()},
    }


async def _opened(ground: Ground, cases: int) -> None:
    await ground.send(0, cases, "medium", cells=True)
    while metric(ground.http, "forewarn_open_cases") < cases:  # noqa: ASYNC110 - a metric tells of no change
        await asyncio.sleep(0.05)


async def _reads(client: httpx.AsyncClient, token: str, path: str, found: list[float], until: float) -> None:
    chance = random.Random(path + token)
    await asyncio.sleep(chance.random() * THINKS_S)
    while time.perf_counter() < until:
        await _timed(client, "GET", path, token, found)
        await asyncio.sleep(chance.uniform(0.5, 1.5) * THINKS_S)


async def _writes(
    client: httpx.AsyncClient, token: str, every: float, found: dict[str, list[float]], until: float
) -> None:
    """Open an order as an officer and add a note to it, every ``every`` seconds."""
    headers = {"Authorization": f"Bearer {token}"}
    number = 0
    while time.perf_counter() < until:
        began = time.perf_counter()
        orders = (await client.get("/api/v1/orders?limit=20", headers=headers)).json()["orders"]
        case = orders[number % len(orders)]["case"]
        await _timed(client, "GET", f"/cases/{case}", token, found["case"])
        await _timed(client, "POST", f"/api/v1/cases/{case}/note", token, found["write"], {"note": "rang twice"})
        number += 1
        await asyncio.sleep(max(0.0, began + every - time.perf_counter()))


async def _timed(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    token: str,
    found: list[float],
    body: Mapping[str, str] | None = None,
) -> None:
    began = time.perf_counter()
    answer = await client.request(method, path, headers={"Authorization": f"Bearer {token}"}, json=body)
    if answer.status_code not in (200, 202):
        raise click.ClickException(f"{path} was answered with {answer.status_code}: {answer.text[:200]}")
    found.append(time.perf_counter() - began)


if __name__ == "__main__":
    main()
