"""The console's service: runs the app under uvicorn in our own loop, together with its Kafka and Redis clients."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from fastapi import FastAPI

from models.casework.deadlines import Office
from models.policy.policy import Policy
from streams import health, metrics
from streams.access.authentication import Authenticator
from streams.access.store import Store
from streams.access.users import Users
from streams.audit import AuditLog, heads, operator, pace
from streams.console import case_topic
from streams.console.app import make_app
from streams.console.bulletins import Bulletins
from streams.console.console import Console
from streams.console.feedback_topic import FeedbackTopic
from streams.console.pages import PAGES
from streams.console.patience import PatientProtocol, room_for_connections
from streams.console.reporter import Reporter
from streams.console.risk_desk import RiskDesk
from streams.console.view import View
from streams.dispatch import stations_file
from streams.files import policy_file
from streams.files.playbook_files import read_playbooks
from streams.ledger.inquiry import Inquiry
from streams.redis.answers import answered
from streams.redis.site_secret import check_secret
from streams.service import STOP_WITHIN, AddressTakenError, serve
from streams.setting_values import Address
from streams.settings import Settings

log = structlog.get_logger(__name__)

DRAINED_WITHIN: Final = int(STOP_WITHIN) - 3
"""Seconds that running requests have to finish when the console stops."""


class ConsoleError(Exception):
    """The console cannot serve; the message says in one sentence what is wrong and what to do."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises the error if something else ended it.

    Raises `AuditError` when the audit log cannot be written: nothing could be shown.
    """
    policy = policy_file.load(settings.policy_file)
    stations = stations_file.load(settings.stations_file)
    check_tls(settings)
    for part in ("kafka", "redis", "cases"):
        metrics.READY.labels(part).set(0)
    progress = health.Progress(settings.stall_seconds)
    store, view, topic, audit = Store(settings), View(), FeedbackTopic(settings), AuditLog.of(settings)
    note_policy(audit, policy)
    console = Console(
        office=Office(policy.dispatch, stations),
        view=view,
        reporter=Reporter(view, topic.send),
        door=Authenticator.of(settings, store),
        users=Users.of(settings),
        audit=audit,
        playbooks=read_playbooks(settings.playbooks),
        inquiry=Inquiry(settings),
        bulletins=Bulletins(settings),
        risks=RiskDesk(settings),
        secret=settings.key_of_pseudonyms(),
        ask_to_stop=topic.ask_to_stop,
        heads=partial(heads.published_heads, settings),
        secure=settings.console_tls_cert is not None or settings.console_proxy is not None,
    )

    def follow(new: Policy) -> None:
        note_policy(audit, new)
        console.office = Office(new.dispatch, stations)

    beside = (
        case_topic.follow(settings, view),
        heads.follow(settings),
        pace.follow(settings.audit_log),
        _connected(topic),
        _redis_answers(store, settings),
        policy_file.watch(settings.policy_file, policy, follow),
        _tick(progress),
    )

    async def work(stop: asyncio.Event) -> None:
        try:
            await _serve(settings, console, beside, stop)
        finally:
            await store.close()

    await serve(settings.console_health, "FOREWARN_CONSOLE_HEALTH", progress, work)


def note_policy(audit: AuditLog, policy: Policy) -> None:
    """Record the policy that is in force from now on; raises `AuditError`, and then the console does not follow it.

    A file has no user who changes it, so the line is about whoever runs the console.
    """
    audit.note("policy-followed", who=operator(), details={"version": policy.version})


async def _serve(
    settings: Settings, console: Console, beside: tuple[Coroutine[Any, Any, None], ...], stop: asyncio.Event
) -> None:
    """Serve the app and run the background tasks until ``stop`` is set or one of them fails; then drain."""
    tasks = [asyncio.ensure_future(each) for each in beside]
    stopped = asyncio.create_task(stop.wait())
    try:
        with _listening(settings.console_http) as listening:
            server = _Server(_config(settings, make_app(console, PAGES)))
            serving = asyncio.create_task(server.serve([listening]))
            log.info("serving", address=str(settings.console_http), secure=console.secure)
            done, _ = await asyncio.wait({*tasks, serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            console.view.close()  # a listener's request would never end by itself
            server.should_exit = True
            await serving
            for each in done:
                each.result()
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)


class _Server(uvicorn.Server):
    """A server that leaves signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


def _config(settings: Settings, app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        limit_concurrency=room_for_connections(),
        loop="none",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,  # the middleware logs requests, without paths that hold ids
        server_header=False,
        proxy_headers=settings.console_proxy is not None,
        forwarded_allow_ips=settings.console_proxy,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAINED_WITHIN,
        ssl_certfile=settings.console_tls_cert,
        ssl_keyfile=settings.console_tls_key,
    )


def check_tls(settings: Settings) -> None:
    """Raise `ConsoleError` if the certificate cannot be used, or if passwords could cross the network without TLS."""
    if settings.console_tls_cert is not None:
        try:
            # An empty password instead of OpenSSL's prompt, which would hang a service.
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                settings.console_tls_cert, settings.console_tls_key, password=""
            )
        except (OSError, ValueError) as error:
            raise ConsoleError(
                f"FOREWARN_CONSOLE_TLS_CERT or FOREWARN_CONSOLE_TLS_KEY cannot be used ({error}): use PEM files "
                "that belong together."
            ) from None
    elif settings.console_proxy is None and not _is_loopback(settings.console_http.host):
        raise ConsoleError(
            f"{settings.console_http} can be reached from other machines, so it needs TLS to protect passwords: set "
            "FOREWARN_CONSOLE_TLS_CERT and FOREWARN_CONSOLE_TLS_KEY, or FOREWARN_CONSOLE_PROXY where a proxy does TLS."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=512)
    except OSError as error:
        raise AddressTakenError(
            f"The console cannot listen at {address} ({error.strerror}): set FOREWARN_CONSOLE_HTTP to another address."
        ) from None


async def _connected(topic: FeedbackTopic) -> None:
    """Stay connected to the feedback topic until cancelled."""
    async with topic:
        await asyncio.Event().wait()


async def _redis_answers(store: Store, settings: Settings) -> None:
    """Report Redis as ready once it has answered, so that users can sign in.

    Raises `OtherSecretError` when the site's other programs have another secret.
    """
    if settings.secret is None:  # a site that still has only a key for pseudonyms
        await answered(store.redis.ping, settings)
    else:
        await check_secret(store.redis, settings)
    await asyncio.Event().wait()


async def _tick(progress: health.Progress) -> None:
    """Report once a second that the event loop is running."""
    while True:
        progress.tell({}, 0)
        await asyncio.sleep(1.0)
