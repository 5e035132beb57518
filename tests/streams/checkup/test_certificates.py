"""Certificates: their ends are read from files and from servers, and told in time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.checkup.certificates import Certificate, certificates, ending, valid_until
from streams.settings import Settings
from tests.certificates import certificate

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of one day, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"))


@contextmanager
def served(cert: Path, key: Path) -> Iterator[int]:
    """A TLS server for one connection on this machine; yields its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            plain, _ = server.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(1)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_the_end_is_what_the_standard_library_reads_of_a_trusted_certificate(pair: tuple[Path, Path]) -> None:
    """It decodes only those that it trusts, so this one is trusted."""
    trusting = ssl.create_default_context(cafile=pair[0])
    with (
        served(*pair) as port,
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        decoded, der = connection.getpeercert(), connection.getpeercert(binary_form=True)

    assert decoded is not None
    assert der is not None
    assert valid_until(der).timestamp() == ssl.cert_time_to_seconds(str(decoded["notAfter"]))


def test_certificates_of_files_and_servers_are_told_before_they_end(pair: tuple[Path, Path]) -> None:
    """The server's is looked at without being trusted."""
    with served(*pair) as port:
        site = Settings(redis=f"rediss://127.0.0.1:{port}/0", console_tls_cert=pair[0], console_tls_key=pair[1])
        found = [*certificates(site)]

    assert [each.state for each in found] == ["look", "look"]
    assert f"FOREWARN_CONSOLE_TLS_CERT ({pair[0]})" in found[0].says
    assert f"Redis at 127.0.0.1:{port} ends on" in found[1].says


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """A file without a certificate, and a server that is away."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    site = Settings(redis=f"rediss://127.0.0.1:{port}/0", redis_tls_ca=empty)
    found = [*certificates(site)]

    assert [each.state for each in found] == ["look", "look"]
    assert "it holds no certificate in PEM" in found[0].says
    assert "Connection refused" in found[1].says


def test_without_certificates_nothing_is_said() -> None:
    """A stack on one machine has none."""
    assert [*certificates(Settings())] == []


@pytest.mark.parametrize(("days", "state"), [(-1, "bad"), (29, "look"), (31, "good")])
def test_an_end_is_told_a_month_before(days: int, state: str) -> None:
    """After it, nobody connects."""
    (found,) = ending([Certificate("the console", NOW + timedelta(days=days))], NOW)

    assert found.state == state
    assert "the console" in found.says


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x82", b"hello, this is no certificate at all", bytes(100)])
def test_bytes_that_are_no_certificate_are_refused(der: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it is no X\.509 certificate$"):
        valid_until(der)
