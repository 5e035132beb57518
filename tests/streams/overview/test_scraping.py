"""Scraping: what answers, what answers something else, and what does not answer, over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streams import health, metrics
from streams.local.ports import any_free_port
from streams.overview.scrape import ForeignError, samples_of
from streams.overview.scraping import look, scrape, targets_of
from streams.setting_values import Address, Target
from streams.settings import Settings


def at(port: int) -> Target:
    """A worker at a port of this machine."""
    return Target("worker", Address("127.0.0.1", port))


@contextmanager
def answering(words: bytes) -> Iterator[Target]:
    """A server that says these words to one connection, whatever it is asked, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(words)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield at(server.getsockname()[1])
        thread.join(5)


def test_a_program_is_read_with_its_complaint() -> None:
    """The pages are those that every program serves."""
    metrics.tell_build()
    progress = health.Progress(60.0, iter((0.0, 61.0)).__next__)
    progress.tell({}, 0)
    target = at(any_free_port())
    server = health.HealthServer(health.pages(progress, dict), target.address)
    try:
        (found,) = look([target])
    finally:
        server.close()

    assert (found.away, found.stuck) == ("", "the worker has been busy with one thing for 61 s")
    assert found.label("forewarn_build_info", "version")
    assert found.value("forewarn_start_time_seconds")


def test_a_port_where_nobody_listens_is_away() -> None:
    """The reason is the system's own."""
    assert scrape(at(any_free_port())).away == "connection refused"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what it answers is not HTTP (BadStatusLine)"),
        (b"", "remote end closed connection without response"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "it answers /metrics with the status 401"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nup 1\n",
            "its answer has no forewarn_build_info, so it is no program of Forewarn",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nup 1\n", "what it answers is not HTTP (IncompleteRead)"),
        (
            b"HTTP/1.1 200 OK\r\n\r\n<html>{<body class='a'>\xff\x00 hello</html>\n",
            "its answer is not in Prometheus's text format",
        ),
    ],
)
def test_what_is_no_program_of_forewarn_is_away_with_one_reason(words: bytes, why: str) -> None:
    """Another server may have its port."""
    with answering(words) as target:
        assert scrape(target).away == why


@pytest.mark.parametrize(
    "text",
    ["a{b=", "x 1 2 3 4", "# TYPE a\n", 'forewarn_build_info{version="1"', "forewarn_build_info one\n", "\x00\x01"],
)
def test_no_text_is_a_traceback(text: str) -> None:
    with pytest.raises(ForeignError):
        samples_of(text)


def test_labels_cannot_control_the_terminal_and_values_are_finite() -> None:
    """The text comes from another machine."""
    found = samples_of('forewarn_build_info{version="1\x1b[2J"} 1\nforewarn_lag_seconds{topic="calls"} NaN\n')

    assert found["forewarn_build_info"][0].labels == {"version": "1\ufffd[2J"}
    assert "forewarn_lag_seconds" not in found


def test_the_programs_are_those_of_the_setting_or_one_of_each() -> None:
    """A program whose metrics are off is not asked."""
    several = Settings.from_environ({"FOREWARN_TARGETS": "worker=a:1, worker=[::1]:2"})
    one_less = Settings.from_environ({"FOREWARN_HUNTER_HTTP": ""})

    assert [*map(str, targets_of(several))] == ["worker=a:1", "worker=[::1]:2"]
    assert [each.program for each in targets_of(one_less)] == ["worker", "dispatcher", "console"]


@pytest.mark.parametrize("text", ["127.0.0.1:8890", "broker=a:1", "worker=a", "worker=a:1,hunter=a:1", "worker=a:1,"])
def test_a_target_that_makes_no_sense_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^FOREWARN_TARGETS takes [^\n]+$"):
        Settings.from_environ({"FOREWARN_TARGETS": text})
