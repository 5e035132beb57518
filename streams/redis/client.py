"""Client: Redis as sites run it, which is one server, a cluster, or the primary that Sentinel names.

`FOREWARN_REDIS` says where to ask, and the server says what it is, so no setting can contradict it. After a failure
the next question finds the servers anew: a name may lead to another server by then, a replica may have been promoted,
and a single server may have become a cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import redis.asyncio as redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.commands import AsyncCoreCommands
from redis.event import EventDispatcher
from redis.exceptions import (
    AskError,
    ClusterError,
    ConnectionError,
    NoScriptError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    SlotNotCoveredError,
    TimeoutError,
)

from streams.redis.answers import FAILURES, RedisRefusedError, code_of
from streams.setting_values import RedisUrl
from streams.settings import Settings

TIMEOUT_S = 5.0
"""Seconds for a connection and for an answer."""

_MISLED = (ConnectionError, TimeoutError, ReadOnlyError, AskError, ClusterError, RedisClusterException, OSError)
"""The errors after which the servers are found anew; `MovedError` is an `AskError`."""


Kind = Literal["primary", "replica", "cluster", "sentinel"]


class Script:
    """A Lua script; it is sent whole only to a server that does not know it yet, such as a promoted replica."""

    def __init__(self, client: Redis, text: str) -> None:
        self._client = client
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        """The script's answer. Raises one of `FAILURES`."""
        try:
            return await self._client.execute_command("EVALSHA", self._sha, len(keys), *keys, *args)
        except NoScriptError:
            return await self._client.execute_command("EVAL", self._text, len(keys), *keys, *args)


@dataclass(eq=False)
class _Connection:
    """A client of redis-py, closed when it has been replaced and the last question to it is answered."""

    client: Any
    close: Callable[[], Awaitable[None]]
    users: int = 0


class _Cluster(RedisCluster):
    """A cluster to whose new servers a question can be redirected before they own any slot."""

    def get_node(self, host: str | None = None, port: int | None = None, node_name: str | None = None) -> Any:
        """The server; redis-py would know only those that own slots, and fail at the redirection."""
        node = super().get_node(host, port, node_name)
        if node is None and node_name is not None:
            host, _, number = node_name.rpartition(":")
            node = ClusterNode(host, int(number), **self.connection_kwargs)
            self.nodes_manager.set_nodes(self.nodes_manager.nodes_cache, {node.name: node})
        return node

    async def initialize(self, *arguments: Any, **options: Any) -> RedisCluster:
        """Find the servers. Raises SlotNotCoveredError, so that a failure is told from a command that never works."""
        try:
            return await super().initialize(*arguments, **options)
        except RedisClusterException as error:
            raise SlotNotCoveredError(str(error)) from error

    async def end(self) -> None:
        """Close all connections; redis-py leaves them open after it has lost one of them."""
        self._initialize = False
        await self.aclose()


class Redis(AsyncCoreCommands):
    """All commands of redis-py on the site's Redis, whatever it is; belongs to one event loop.

    A command with several keys needs them in one slot of a cluster: their names share a part in braces. Nothing is
    repeated here but ``retries`` times over a lost connection; see `streams.redis.answers.answered`.
    """

    # redis-py's declarations ask for these two.
    _is_async_client: Literal[True] = True
    _event_dispatcher = EventDispatcher()

    def __init__(self, settings: Settings, retries: int = 0, timeout: float = TIMEOUT_S) -> None:
        """Nothing is connected before the first question."""
        self._settings = settings
        self._url = RedisUrl.parse(settings.redis)
        self._options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        self._options |= settings.redis_options() | {"retry": Retry(NoBackoff(), retries)}
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None
        self._learned: tuple[tuple[str, int], ...] = ()
        """The servers of the cluster that was asked last: one of them may answer when none of the URL does."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """The answer to one command. Raises one of `FAILURES`."""
        async with self._connected() as client:
            return await client.execute_command(*args, **options)

    async def answers(self, fill: Callable[[Any], object]) -> list[Any]:
        """The answers to the commands that ``fill`` gives to a pipeline, sent together but not as a transaction.

        The commands of one key are carried out in their order. Raises the first of the errors, one of `FAILURES`.
        """
        async with self._connected() as client:
            pipe = client.pipeline(transaction=False)
            fill(pipe)
            found: list[Any] = await pipe.execute(raise_on_error=False)  # else the error would quote the command
            for each in found:
                if isinstance(each, Exception):
                    raise each
            return found

    def register_script(self, script: str) -> Script:  # type: ignore[override]  # redis-py's would load it everywhere
        """A Lua script, ready to be called."""
        return Script(self, script)

    async def shape(self) -> str:
        """What Redis is, in words for a person, for example ``a cluster of 3 primaries and 3 replicas``."""
        async with self._connected() as client:
            if not isinstance(client, RedisCluster):
                return "a primary behind Sentinel" if self._url.primary else "one server"
            await client.initialize()
            return f"a cluster of {len(client.get_primaries())} primaries and {len(client.get_replicas())} replicas"

    async def infos(self, *sections: str) -> list[dict[str, Any]]:
        """These sections of INFO of each server that takes writes, together. Raises one of `FAILURES`."""
        async with self._connected() as client:
            if not isinstance(client, RedisCluster):
                return [await _info(client, sections)]
            await client.initialize()
            return [await _info(client, sections, target_nodes=node) for node in client.get_primaries()]

    async def aclose(self) -> None:
        """Close the connections; another question would open new ones."""
        if (connection := self._connection) is not None:
            self._connection = None
            await connection.close()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        """The client for one question; after an error that a change of servers explains, the next one is new."""
        async with self._connecting:
            connection = self._connection = self._connection or await self._connect()
        connection.users += 1
        try:
            yield connection.client
        except _MISLED:
            if self._connection is connection:
                self._connection = None
            if isinstance(connection.client, RedisCluster) and (nodes := connection.client.get_nodes()):
                self._learned = tuple((node.host, int(node.port)) for node in nodes)
            raise
        finally:
            connection.users -= 1
            if self._connection is not connection and not connection.users:
                with contextlib.suppress(*FAILURES):
                    await connection.close()

    async def _connect(self) -> _Connection:
        """Find out what Redis is. Raises the first server's error when none of them can be used."""
        if self._url.primary:
            return self._behind_sentinels()
        servers = [self._options | _options_of(server) for server in self._url.servers]
        servers += [servers[0] | {"host": host, "port": port} for host, port in self._learned]
        failures: list[Exception] = []
        for options in servers:
            try:
                async with redis.Redis(**options | {"db": 0}) as asked:  # a cluster would refuse another database
                    kind = await _kind_of(asked)
            except FAILURES as error:
                failures.append(error)
                continue
            if kind == "primary":
                client = redis.Redis(**options)
                return _Connection(client, client.aclose)
            if kind == "cluster":
                return self._to_cluster(servers)
            if kind == "sentinel":
                raise RedisRefusedError(
                    f"{self._settings.redis_shown} is a Sentinel: write FOREWARN_REDIS as "
                    "redis+sentinel://HOST:PORT/NAME, with the name by which the Sentinel knows the primary."
                )
            failures.append(ReadOnlyError("It is a replica.", status_code="READONLY"))
        raise failures[0]

    def _to_cluster(self, servers: Sequence[Mapping[str, Any]]) -> _Connection:
        shared = {name: value for name, value in servers[0].items() if name not in ("host", "port", "db")}
        if servers[0].get("db"):
            raise RedisRefusedError(
                f"Redis at {self._settings.redis_shown} is a cluster, which has only the database 0: end "
                "FOREWARN_REDIS with /0."
            )
        client = _Cluster(startup_nodes=[ClusterNode(*_address(server, 6379)) for server in servers], **shared)
        return _Connection(client, client.end)

    def _behind_sentinels(self) -> _Connection:
        servers = [self._options | _options_of(server) for server in self._url.servers]
        shared = {name: value for name, value in servers[0].items() if name not in ("host", "port")}
        own = {name: value for name, value in shared.items() if name not in ("username", "db")}
        hosts = [_address(server, 26379) for server in servers]
        sentinels = Sentinel(hosts, sentinel_kwargs=own)  # type: ignore[no-untyped-call]
        client = sentinels.master_for(self._url.primary, **shared)

        async def close() -> None:
            await client.aclose()
            await sentinels.aclose()

        return _Connection(client, close)


def _options_of(server: str) -> dict[str, Any]:
    """The keyword arguments of redis-py's clients for the URL of one server."""
    options: dict[str, Any] = dict(parse_url(server))
    if options.pop("connection_class", None) is SSLConnection:
        options["ssl"] = True
    return options


def _address(server: Mapping[str, Any], usual_port: int) -> tuple[str, int]:
    return server["host"], server.get("port", usual_port)


async def _kind_of(client: redis.Redis) -> Kind:
    """What a server is, by its own word; a primary if it may not say."""
    try:
        said: Any = await client.execute_command("HELLO")  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if code_of(error) in ("ERR", "NOPERM"):  # unknown, or an ACL forbids it
            return "primary"
        raise
    about = _texts(said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=True)))
    match about.get("mode"):
        case "cluster":
            return "cluster"
        case "sentinel":
            return "sentinel"
    return "replica" if about.get("role") in ("replica", "slave") else "primary"


async def _info(client: Any, sections: Sequence[str], **where: Any) -> dict[str, Any]:
    """The sections of INFO one after the other: Redis before 7 gives only one at a time."""
    found: dict[str, Any] = {}
    for section in sections:
        found |= await client.info(section, **where)
    return found


def _texts(said: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in said.items()}


def _text(said: Any) -> str:
    return said.decode() if isinstance(said, bytes) else str(said)
