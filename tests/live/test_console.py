"""The console as a process, on the real Kafka, Valkey and dispatcher: feedback counts once, is kept, shows at once."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from models.access.rights import user
from streams.access.users import Users
from streams.audit import AuditLog
from streams.audit.heads import publish
from streams.cli import cli
from streams.local.ports import any_free_port
from streams.local.process import Server
from streams.local.worker import FOREWARN, metric
from tests.certificates import certificate
from tests.consoles import GOOD
from tests.live.conftest import Servers
from tests.live.test_dispatch import cases, told
from tests.site import ROOT, Site, until, with_users


@pytest.fixture(scope="module")
def desk(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with its topics, its dispatcher and an officer of the desk's sub-bureau, without a worker."""
    folder = tmp_path_factory.mktemp("site")
    settings = with_users(stack.kafka, stack.redis, folder)
    site = Site(settings, folder)
    site.apply_topics()
    Users.of(settings).add(user("zhou", "sub-bureau", "sb-01"), GOOD, by="os:root")
    site.start_dispatcher()
    yield site
    site.tell()
    site.stop()


@pytest.fixture(scope="module")
def console(desk: Site) -> tuple[Server, str, str]:
    """The site's console: the process, and the addresses of its metrics and of its API."""
    return desk.start_console()


@pytest.fixture
def browser(console: tuple[Server, str, str]) -> Iterator[httpx.Client]:
    """A browser with the officer signed in."""
    with signed_in(console[2]) as client:
        yield client


@contextmanager
def signed_in(api: str) -> Iterator[httpx.Client]:
    """A browser in which the officer has signed in."""
    with httpx.Client(base_url=f"http://{api}", timeout=15) as client:
        answer = client.post("/api/v1/sign-in", json={"name": "zhou", "password": GOOD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def order(desk: Site, browser: httpx.Client, number: int) -> str:
    """Publish an alert, and wait until the console shows its case."""
    desk.send("alerts", told(number))
    until(lambda: browser.get(f"/api/v1/cases/e{number}").status_code == 200)
    return f"/api/v1/cases/e{number}"


def records(desk: Site, case: str) -> list[dict[str, Any]]:
    """The feedback on a case that is in Kafka."""
    found = (json.loads(record.value) for record in desk.read("dispatch-feedback") if record.key == case.encode())
    return list(found)


def test_from_an_order_to_its_outcome_with_a_browser(
    desk: Site, browser: httpx.Client, console: tuple[Server, str, str]
) -> None:
    path = order(desk, browser, 1)
    assert browser.get("/api/v1/orders").json()["orders"][0]["case"] == "e1"
    unproved = browser.post(f"{path}/outcome", json={"outcome": "dissuaded"})
    assert (unproved.status_code, unproved.json()["error"]) == (409, "not-reached")
    for kind, body, status in (
        ("acknowledged", {}, "acknowledged"),
        ("attempt", {"means": "call", "reached": True, "answered": "person"}, "in-progress"),
        ("outcome", {"outcome": "dissuaded"}, "closed"),
    ):
        answer = browser.post(f"{path}/{kind}", json=body)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    said = records(desk, "e1")

    assert [record["kind"] for record in said] == ["acknowledged", "attempt", "outcome"]
    assert {(record["unit"], record["officer"]) for record in said} == {("sb-01", "zhou")}
    assert cases(desk)["e1"]["status"] == "closed"
    where = {"route": "/api/v1/cases/{case}/outcome", "status": "200"}
    assert metric(console[1], "forewarn_console_requests_total", **where) == 1
    log = console[0].launch.log.read_text(encoding="utf-8")
    assert "8610000000001" not in log
    assert "8610000000001" not in desk.settings.audit_log.read_text(encoding="utf-8")


def test_the_same_button_twice_is_one_record(desk: Site, browser: httpx.Client) -> None:
    path = order(desk, browser, 2)
    key = {"Idempotency-Key": "form-2"}
    answers = [browser.post(f"{path}/acknowledged", headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(records(desk, "e2")) == 1


def test_a_change_is_told_at_once_to_who_listens(desk: Site, browser: httpx.Client) -> None:
    path = order(desk, browser, 3)
    after = browser.get("/api/v1/orders").json()["last_change"]
    with browser.stream("GET", f"/api/v1/changes?after={after}") as stream:
        lines = stream.iter_lines()
        next(lines)
        began = time.monotonic()
        assert browser.post(f"{path}/acknowledged").status_code == 200
        event = next(line for line in lines if line.startswith("data: "))
        took = time.monotonic() - began

    case = json.loads(event.removeprefix("data: "))
    assert (case["case"], case["status"]) == ("e3", "acknowledged")
    assert took < 2


def test_what_was_answered_is_in_kafka_however_the_console_ends(desk: Site) -> None:
    """The console is killed right after its answer. Another console, beside it or after it, shows the same."""
    process, _, api = desk.start_console()
    with signed_in(api) as browser:
        path = order(desk, browser, 4)
        assert browser.post(f"{path}/acknowledged", headers={"Idempotency-Key": "form-4"}).status_code == 200
        process.kill()
    assert [record["id"] for record in records(desk, "e4")] == ["form-4"]
    _, _, api = desk.start_console()
    with signed_in(api) as browser:
        again = browser.post(f"{path}/acknowledged", headers={"Idempotency-Key": "form-4"})

    assert (again.status_code, again.json()["status"]) == (200, "acknowledged")
    assert len(records(desk, "e4")) == 1


def test_a_console_that_is_told_to_stop_ends_soon_although_somebody_listens(desk: Site) -> None:
    process, _, api = desk.start_console()
    with signed_in(api) as browser, browser.stream("GET", "/api/v1/changes") as stream:
        lines = stream.iter_lines()
        next(lines)
        began = time.monotonic()
        process.stop()
        list(lines)  # read to the end: a browser would reconnect after a stream that was cut off
    assert time.monotonic() - began < 5


def test_with_a_certificate_it_speaks_tls_and_nothing_else(desk: Site, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    _, _, api = desk.start_console(FOREWARN_CONSOLE_TLS_CERT=str(cert), FOREWARN_CONSOLE_TLS_KEY=str(key))
    with httpx.Client(base_url=f"https://{api}", verify=ssl.create_default_context(cafile=cert)) as client:
        answer = client.post("/api/v1/sign-in", json={"name": "zhou", "password": GOOD})
        assert "Secure" in answer.headers["Set-Cookie"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{api}/api/openapi.json")


def refusal(desk: Site, **environ: str) -> str:
    """The output of the command when it refuses to start."""
    done = subprocess.run(
        [*FOREWARN, "console"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "FOREWARN_CONSOLE_HEALTH": ""} | desk.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_it_cannot_begin_with_is_one_sentence(desk: Site, tmp_path: Path) -> None:
    assert "FOREWARN_CONSOLE_PROXY" in refusal(desk, FOREWARN_CONSOLE_HTTP=f"0.0.0.0:{any_free_port()}")
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", encoding="utf-8")
    variables = {f"FOREWARN_CONSOLE_TLS_{what}": str(broken) for what in ("CERT", "KEY")}
    assert "PEM files that belong together" in refusal(desk, **variables)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "set FOREWARN_CONSOLE_HTTP to another" in refusal(desk, FOREWARN_CONSOLE_HTTP=f"127.0.0.1:{port}")
    no_topic = refusal(desk, FOREWARN_TOPIC_PREFIX="nowhere.", FOREWARN_CONSOLE_HTTP=f"127.0.0.1:{any_free_port()}")
    assert "forewarn topics apply" in no_topic


def test_the_published_head_shows_that_the_end_of_the_audit_log_was_cut_off(desk: Site) -> None:
    """As who owns the file and has the key might do it."""
    log = desk.settings.audit_log
    cut = log.read_bytes()
    AuditLog.of(desk.settings).note("look-up", who="os:root", case="A-1")
    asyncio.run(publish(desk.settings))
    kept = log.read_bytes()

    def verify(*options: str) -> Result:
        return CliRunner().invoke(cli, ["audit", "verify", *options], env=desk.environ)

    assert "up to line" in verify("--published").stderr
    log.write_bytes(cut)
    assert verify().exit_code == 0
    refused = verify("--published")
    log.write_bytes(kept)
    assert refused.exit_code == 1
    assert "was cut off after line" in refused.stderr
