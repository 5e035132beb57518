"""Kafka sockets: closes what kafka-python leaves open when a client is closed in the middle of something.

A client of kafka-python 3.0 that is closed while it connects forgets the socket (seen with 8 of 240 producers that were
closed at once). The socket then waits for the garbage collector, which warns about it in whichever test runs by then.
Importing this module closes all sockets of a client with its event loop.
"""

from __future__ import annotations

import socket
from typing import Any
from weakref import WeakKeyDictionary

from kafka.net.inet import KafkaNetSocket
from kafka.net.selector import NetworkSelector

_made: WeakKeyDictionary[NetworkSelector, list[socket.socket]] = WeakKeyDictionary()
_connect = KafkaNetSocket.sock_connect
_close = NetworkSelector.close


async def _noted_connect(self: KafkaNetSocket, net: NetworkSelector, sock: socket.socket, *args: Any, **kw: Any) -> Any:
    _made.setdefault(net, []).append(sock)
    return await _connect(self, net, sock, *args, **kw)


def _close_all(self: NetworkSelector) -> None:
    _close(self)
    for sock in _made.pop(self, ()):
        sock.close()


KafkaNetSocket.sock_connect = _noted_connect
NetworkSelector.close = _close_all
