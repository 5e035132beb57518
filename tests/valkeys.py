"""Valkeys: several Valkey servers on loopback for tests, as a cluster or as a primary with a replica."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry

from streams.local.guard import Guard
from streams.local.ports import LOOPBACK, any_free_port
from streams.local.process import Launch, ProcessId, Server
from streams.local.valkey import answers, find_valkey, valkey_command

SLOTS = 16384
FAILURES = (RedisError, RedisClusterException, OSError)


@dataclass(eq=False)
class Valkey:
    """One server and its port."""

    port: int
    server: Server

    @classmethod
    def at(cls, folder: Path, watch: Callable[[ProcessId], None], *options: str) -> Valkey:
        """A server with its data in a folder of its own, started and answering."""
        port = any_free_port()
        folder = folder / f"valkey-{port}"
        folder.mkdir(parents=True)
        launch = Launch(
            name=f"Valkey {port}",
            command=(*valkey_command(find_valkey(), port), "--repl-diskless-sync-delay", "0", *options),
            folder=folder,
            log=folder / "server.log",
            answers=partial(answers, port),
        )
        valkey = cls(port, Server(launch, watch))
        valkey.server.start()
        valkey.server.wait()
        return valkey

    def ask(self, *command: object) -> Any:
        """The answer of this very server to a command."""
        with redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=5, decode_responses=True) as client:
            return client.execute_command(*command)

    @property
    def address(self) -> str:
        """The server's ``host:port``."""
        return f"{LOOPBACK}:{self.port}"


class ValkeyCluster:
    """A cluster of three primaries, each with so many replicas; a failed primary is replaced within some seconds."""

    def __init__(self, folder: Path, watch: Callable[[ProcessId], None], replicas: int = 0) -> None:
        """Start the servers and wait until the cluster serves."""
        self._folder, self._watch = folder, watch
        self.valkeys = [self._new() for _ in range(3 * (1 + replicas))]
        primaries = self.valkeys[:3]
        for number, valkey in enumerate(primaries):
            valkey.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
            first, last = SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1
            valkey.ask("CLUSTER ADDSLOTSRANGE", first, last)
        for valkey in self.valkeys[1:]:
            self._meet(valkey)
        self.wait()
        for number, valkey in enumerate(self.valkeys[3:]):
            valkey.ask("CLUSTER REPLICATE", id_of(primaries[number % 3]))
        for valkey in self.valkeys[3:]:
            self.wait_for(partial(follows, valkey))

    def _new(self) -> Valkey:
        return Valkey.at(
            self._folder,
            self._watch,
            *("--cluster-enabled", "yes"),
            *("--cluster-port", str(any_free_port())),
            *("--cluster-node-timeout", "1000"),
            *("--cluster-replica-validity-factor", "0"),  # a replica may lag: that is what the tests are about
        )

    def _meet(self, valkey: Valkey) -> None:
        bus = valkey.ask("CONFIG GET", "cluster-port")["cluster-port"]
        self.valkeys[0].ask("CLUSTER MEET", LOOPBACK, valkey.port, bus)

    @property
    def url(self) -> str:
        """The URL that names every server."""
        return f"redis://{','.join(valkey.address for valkey in self.valkeys)}/0"

    def add(self) -> Valkey:
        """Add a server that owns no slots yet."""
        valkey = self._new()
        self._meet(valkey)
        self.valkeys.append(valkey)
        self.wait()
        return valkey

    def running(self) -> list[Valkey]:
        """The servers that run at present."""
        return [valkey for valkey in self.valkeys if valkey.server.runs]

    def primary_of(self, key: str) -> Valkey | None:
        """The server that answers for a key now, if any does; the others would point to it."""
        for valkey in self.running():
            with contextlib.suppress(*FAILURES):
                valkey.ask("EXISTS", key)
                return valkey
        return None

    def serves(self, valkey: Valkey, key: str) -> bool:
        """Whether this server answers for a key now."""
        return self.primary_of(key) is valkey

    def replica_of(self, primary: Valkey) -> Valkey:
        """A server that follows this primary."""
        return next(
            valkey
            for valkey in self.running()
            if (about := valkey.ask("INFO", "replication"))["role"] == "slave" and about["master_port"] == primary.port
        )

    def wait(self) -> None:
        """Wait until every running server knows all of them and finds the cluster whole."""

        def whole() -> bool:
            told = [valkey.ask("CLUSTER INFO") for valkey in self.running()]
            return all(
                about["cluster_state"] == "ok" and int(about["cluster_known_nodes"]) == len(self.valkeys)
                for about in told
            )

        self.wait_for(whole)

    @staticmethod
    def wait_for(true: Callable[[], object], patience: float = 20.0) -> None:
        """Wait until something is true; servers that do not answer yet are asked again."""
        deadline = time.monotonic() + patience
        while True:
            with contextlib.suppress(*FAILURES):
                if true():
                    return
            assert time.monotonic() < deadline, "the cluster does not come about"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop all servers."""
        for valkey in self.valkeys:
            valkey.server.kill()


def follows(valkey: Valkey) -> bool:
    """Whether a server is a replica that has everything of its primary."""
    return bool(valkey.ask("INFO", "replication").get("master_link_status") == "up")


def id_of(valkey: Valkey) -> str:
    """The name of a server within its cluster."""
    return str(valkey.ask("CLUSTER MYID"))


@contextlib.contextmanager
def guarded() -> Iterator[Callable[[ProcessId], None]]:
    """A guard's ``watch`` for servers, which end with this program at the latest."""
    guard = Guard()
    try:
        yield guard.watch
    finally:
        guard.close()


def opened(url: str) -> Any:
    """A client that does not wait, for looking into Redis: of a cluster when the URL names several servers."""
    addresses = url.removeprefix("redis://").partition("/")[0].split(",")
    if len(addresses) == 1:
        return redis.Redis.from_url(url, socket_timeout=1, retry=Retry(NoBackoff(), 1))
    return RedisCluster(startup_nodes=_nodes(addresses), socket_timeout=1, retry=Retry(NoBackoff(), 1))


def _nodes(addresses: Sequence[str]) -> list[ClusterNode]:
    node: Any = ClusterNode  # it has no types
    return [node(host, int(port)) for host, _, port in (each.rpartition(":") for each in addresses)]
