"""Scraping: asks all programs of a site for their metrics and their health, side by side."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final

import msgspec

from streams.overview.scrape import ForeignError, Scrape, samples_of
from streams.printable import printable
from streams.setting_values import PROGRAMS, Target
from streams.settings import Settings

TIMEOUT_S: Final = 3.0
"""Seconds that a program may take to take the connection, and between two parts of its answer."""
LONGEST: Final = 16_000_000
"""The longest answer (bytes) that is read; a worker's has about 60,000."""


class _Health(msgspec.Struct, frozen=True):
    """What ``/healthz`` says."""

    healthy: bool
    why: str = ""


def targets_of(settings: Settings) -> tuple[Target, ...]:
    """The programs of the site: those in ``FOREWARN_TARGETS``, or one of each at its address in these settings."""
    own = (settings.http, settings.hunter_http, settings.dispatcher_http, settings.console_health)
    return settings.targets or tuple(
        Target(program, address) for program, address in zip(PROGRAMS, own, strict=True) if address is not None
    )


def look(targets: Sequence[Target]) -> tuple[Scrape, ...]:
    """What each program says now, in the order of the targets; one that is away takes some seconds and says why."""
    if not targets:
        return ()
    with ThreadPoolExecutor(max_workers=min(len(targets), 32)) as pool:
        return tuple(pool.map(scrape, targets))


def scrape(target: Target) -> Scrape:
    """What one program says now. It raises nothing: a program that is away says why."""
    now = time.time()
    try:
        status, body = _get(target, "/metrics")
        if status != HTTPStatus.OK:
            return Scrape(target, now, away=f"it answers /metrics with the status {status}")
        return Scrape(target, now, samples_of(body.decode(errors="replace")), stuck=_complaint(target))
    except ForeignError as error:
        return Scrape(target, now, away=str(error))
    except TimeoutError:
        return Scrape(target, now, away=f"no answer for {TIMEOUT_S:.0f} s")
    except OSError as error:
        return Scrape(target, now, away=(error.strerror or str(error)).lower())
    except http.client.HTTPException as error:
        return Scrape(target, now, away=f"what it answers is not HTTP ({type(error).__name__})")


def _complaint(target: Target) -> str:
    """What the program's ``/healthz`` complains about; empty when it does not."""
    _, body = _get(target, "/healthz")
    try:
        health = msgspec.json.decode(body, type=_Health)
    except msgspec.DecodeError:
        return ""
    return "" if health.healthy else printable(health.why)


def _get(target: Target, path: str) -> tuple[int, bytes]:
    """The status and the body of a page. A proxy of the environment is not asked, as Prometheus asks none."""
    connection = http.client.HTTPConnection(*target.address, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(LONGEST)
        if answer.length:
            raise http.client.IncompleteRead(body, answer.length)
        return answer.status, body
    finally:
        connection.close()
