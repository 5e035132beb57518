"""Setting values: each function reads one kind of value from the text of a variable.

It raises a ValueError, and the message says what the variable takes.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.access.site_secret import LEAST
from streams.bundled import bundled

_LEGAL_NAME = re.compile(r"[A-Za-z0-9._-]+")


class Address(NamedTuple):
    """A TCP address to listen on."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """A ``host:port``; an IPv6 host is in brackets.

    >>> address("127.0.0.1:8890")
    Address(host='127.0.0.1', port=8890)
    >>> str(address("[::1]:8890"))
    '[::1]:8890'
    """
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed) or any(map(str.isspace, text)):
        raise ValueError("host:port, for example 127.0.0.1:9092")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("host:port with a port from 1 to 65535")
    return Address(host.strip("[]"), int(port))


def servers(text: str) -> str:
    """Kafka's bootstrap servers: each is ``host:port``; commas separate them.

    >>> servers("kafka-1:9092, kafka-2:9092")
    'kafka-1:9092,kafka-2:9092'
    """
    return ",".join(str(address(server.strip())) for server in text.split(","))


def listen_on(text: str) -> Address | None:
    """An address to listen on; None for an empty text, which means off."""
    return address(text) if text else None


PROGRAMS: Final = ("worker", "hunter", "dispatcher", "console")
"""The programs of a site that serve metrics."""


class Target(NamedTuple):
    """A program whose metrics are read, and where it serves them."""

    program: str
    address: Address

    def __str__(self) -> str:
        return f"{self.program}={self.address}"


def program_addresses(text: str) -> tuple[Target, ...]:
    """Programs and the addresses of their metrics, separated by commas.

    >>> [*map(str, program_addresses("worker=10.0.0.1:8890, worker=10.0.0.2:8890"))]
    ['worker=10.0.0.1:8890', 'worker=10.0.0.2:8890']
    """
    found = tuple(_target(each.strip()) for each in text.split(","))
    if len({each.address for each in found}) < len(found):
        raise ValueError("each address once, or a program would be counted twice")
    return found


def _target(text: str) -> Target:
    program, _, place = text.partition("=")
    if program not in PROGRAMS:
        raise ValueError(f"PROGRAM=HOST:PORT, separated by commas, with one of {', '.join(PROGRAMS)} as the program")
    return Target(program, address(place))


def hosts(text: str) -> str:
    """IP addresses or networks, separated by commas.

    >>> hosts("10.0.0.1, 10.1.0.0/16")
    '10.0.0.1,10.1.0.0/16'
    """
    try:
        return ",".join(_host(each.strip()) for each in text.split(","))
    except ValueError:
        raise ValueError("IP addresses or networks, for example 10.0.0.1 or 10.1.0.0/16") from None


def _host(text: str) -> str:
    network = ipaddress.ip_network(text)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


class RedisUrl(NamedTuple):
    """Where Redis is: servers of which one or several are named, or the Sentinels that know the primary."""

    servers: tuple[str, ...]
    """The URL of each server, with the login, database and options of the whole."""
    primary: str = ""
    """The name by which Sentinels know the primary; empty when the servers are no Sentinels."""

    @classmethod
    def parse(cls, text: str) -> RedisUrl:
        """Take the text of a URL apart. Raises ValueError.

        >>> RedisUrl.parse("redis://u:p@a:7000,b:7000/0").servers
        ('redis://u:p@a:7000/0', 'redis://u:p@b:7000/0')
        >>> RedisUrl.parse("rediss+sentinel://a,b/city/1")
        RedisUrl(servers=('rediss://a/1', 'rediss://b/1'), primary='city')
        """
        url = urlsplit(text)
        kind, plus, sentinel = url.scheme.partition("+")
        login, at, hosts = url.netloc.rpartition("@")
        path, primary = url.path, ""
        if plus:
            primary, _, database = url.path.strip("/").partition("/")
            path = f"/{database}"
        servers = tuple(urlunsplit((kind, login + at + host.strip(), path, url.query, "")) for host in hosts.split(","))
        if kind not in ("redis", "rediss") or (plus and (sentinel != "sentinel" or not primary)):
            raise ValueError("no Redis URL")
        for server in map(urlsplit, servers):
            if not server.hostname or server.port == 0:  # a port that is no number raises as well
                raise ValueError("no Redis URL")
        return cls(servers, primary)


def redis_url(text: str) -> str:
    """A Redis URL: ``redis://``, or ``rediss://`` for TLS, with an optional ``user:password@``; see `RedisUrl`."""
    try:
        RedisUrl.parse(text)
    except ValueError:
        raise ValueError(
            "a redis:// or rediss:// URL, for example redis://127.0.0.1:6379/0, redis://a:6379,b:6379/0 or "
            "redis+sentinel://a:26379,b:26379/NAME"
        ) from None
    return text


def name(text: str) -> str:
    """A name that is legal for Kafka: letters, digits, dot, underscore and hyphen, at most 200."""
    if not _LEGAL_NAME.fullmatch(text) or len(text) > 200:
        raise ValueError("letters, digits, '.', '_' and '-', at most 200 characters")
    return text


def existing_file(text: str) -> Path:
    """The path of a file that exists."""
    if not Path(text).is_file():
        raise ValueError("the path of an existing file")
    return Path(text)


def authority(text: str) -> Path | Literal["system"]:
    """A PEM file of certificate authorities, or ``system`` for those that the operating system trusts."""
    return "system" if text == "system" else existing_file(text)


def zone(text: str) -> ZoneInfo:
    """A time zone by its name in the IANA database.

    >>> zone("Asia/Urumqi").key
    'Asia/Urumqi'
    """
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("the name of a time zone, for example Asia/Shanghai") from None


def positive_int(text: str) -> int:
    """A whole number above zero."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ValueError("a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    """A duration in seconds, above zero.

    >>> seconds("2.5")
    2.5
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError("a number of seconds above 0")
    return value


def secret_key(text: str) -> str:
    """A secret of at least 16 characters, so that it cannot be guessed."""
    if len(text) < 16:
        raise ValueError("a secret of at least 16 characters")
    return text


def site_secret(text: str) -> str:
    """A secret of at least `LEAST` characters, from which no key can be guessed."""
    if len(text) < LEAST:
        raise ValueError(f"a secret of at least {LEAST} characters")
    return text


def secrets(text: str) -> tuple[str, ...]:
    """Some secrets, each as `site_secret` takes it, separated by white space."""
    return tuple(map(site_secret, text.split()))


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser that accepts only these words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(" or ".join(choices))
        return text

    return parse


def beside(filename: str) -> Path:
    """The site's own ``filename`` in the working directory, or else the one that came with Forewarn."""
    return Path(filename) if Path(filename).is_file() else bundled(filename)
