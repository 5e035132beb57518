"""Contacts: the ledger's rows of events, by which a number or domain that becomes known later finds the people reached.

All rows have the same form, and each is found by one integer key. The key of a call or SMS is its peer's number. An SMS
has another row for each host that one of its links lies below, and for each number that its text names. The key of a
context signal (verification codes, calls to a bank or to 110 around contacts) is its subscriber. The rows are made from
the columns of a batch, because every event passes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.base.compiled import compiled
from models.base.number_keys import key_of
from models.detection.kinds import LEDGER_KINDS
from models.detection.signals import Signal
from models.events.batches import NO_ID, Calls, Messages

# The kind of a row, as bits; the lowest two are those of `models.events.scanning`.
SMS: Final = 4
LINKED: Final = 8
"""An SMS, found by a host that it links to, or by a number that its text names."""
CONTEXT: Final = 16
"""A context signal of the subscriber; its kind's index in `CONTEXT_KINDS` is in the lower bits."""

CONTEXT_KINDS: Final = LEDGER_KINDS
"""The ledger stores the index of a kind in this tuple (`models.detection.kinds.Context.ledger`)."""
_INDEX: Final = {kind: index for index, kind in enumerate(CONTEXT_KINDS)}

_OWN: Final = 1 << 60
"""Added to a subscriber's number key, so that no peer has the same key."""


def own_key(subscriber: int) -> int:
    """The key of a subscriber's context rows, from the subscriber's number key."""
    return subscriber + _OWN


def host_key(host: str) -> int:
    """The key of a normalised host: always negative, unlike the keys of numbers.

    >>> host_key("evil.top") < 0
    True
    """
    return -1 - (int.from_bytes(blake2b(host.encode(), digest_size=8).digest(), "big") >> 2)


NUMBER_LINK: Final = "tel:"
"""What a number that a text names begins with in the links of its row (RFC 3966); hosts have no colon but an IPv6's."""


def named_key(number: str) -> int:
    """The key of a normalised number that a text names; the number's own key finds those who had contact with it.

    >>> named_key("99900123456") < 0
    True
    """
    return host_key(NUMBER_LINK + number)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of the ledger as columns of equal length."""

    keys: NDArray[np.int64]
    subscribers: NDArray[np.int64]
    """Number keys, as are the peers."""
    peers: NDArray[np.int64]
    times: NDArray[np.int64]
    """Epoch milliseconds, event time."""
    whats: NDArray[np.uint8]
    durations: NDArray[np.float64]
    """Talk time in seconds; -1 if there is none."""
    ids: NDArray[np.uint8]
    """The events' ids in UTF-8, one after the other."""
    id_ends: NDArray[np.int64]
    links: NDArray[np.uint8] | None = None
    """The hosts of each SMS, joined by spaces, in UTF-8 one after the other; None when no row has any."""
    link_ends: NDArray[np.int64] | None = None
    templates: NDArray[np.int64] | None = None
    """The template of each SMS (`models.texts.templates`); None when no row has any."""
    paths: NDArray[np.int64] | None = None
    """The hashes of the links of each SMS (`models.indicators.path_hashes`); None when no row has any."""
    path_ends: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.keys)


def rows_of_calls(some: Sequence[Calls]) -> Rows:
    """A row for each call record of some batches, keyed by its peer."""
    peers = np.concatenate([calls.peers for calls in some])
    ids = [ids_of(calls) for calls in some]
    shift = np.cumsum([0, *(len(gathered) for gathered, _ in ids)])
    return Rows(
        peers,
        np.concatenate([calls.subscribers for calls in some]),
        peers,
        np.concatenate([calls.times for calls in some]),
        np.concatenate([calls.kinds for calls in some]),
        np.concatenate([calls.durations for calls in some]),
        np.concatenate([gathered for gathered, _ in ids]),
        np.concatenate([ends + start for (_, ends), start in zip(ids, shift[:-1], strict=True)]),
    )


def rows_of_context(signals: Iterable[tuple[str, Signal]]) -> Rows | None:
    """A row for each context signal, keyed by its subscriber; other signals have none. None without context signals."""
    found = [(subscriber, signal) for subscriber, signal in signals if signal.kind in _INDEX]
    if not found:
        return None
    subscribers = np.array([key_of(subscriber) for subscriber, _ in found], dtype=np.int64)
    ids = [signal.event.encode() for _, signal in found]
    return Rows(
        subscribers + _OWN,
        subscribers,
        np.array([key_of(signal.peer) for _, signal in found], dtype=np.int64),
        np.array([signal.at for _, signal in found], dtype=np.int64),
        np.array([CONTEXT + _INDEX[signal.kind] for _, signal in found], dtype=np.uint8),
        np.array([signal.duration_s for _, signal in found], dtype=np.float64),
        np.frombuffer(b"".join(ids), dtype=np.uint8),
        np.cumsum([len(each) for each in ids], dtype=np.int64),
    )


def ids_of(events: Calls | Messages) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The ids in UTF-8, one after the other, and the end of each."""
    buffer, begins, ends = events.records.buffer, events.ids.begins, events.ids.ends
    unread = np.flatnonzero(begins == NO_ID)
    if len(unread):
        spelt = [events.event(row).id.encode() for row in unread.tolist()]
        begins, ends = begins.copy(), ends.copy()
        ends[unread] = len(buffer) + np.cumsum([len(each) for each in spelt])
        begins[unread] = ends[unread] - [len(each) for each in spelt]
        buffer = np.concatenate((buffer, np.frombuffer(b"".join(spelt), dtype=np.uint8)))
    return gathered(buffer, begins, ends)


def gathered(values: NDArray[Any], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> tuple[Any, NDArray[np.int64]]:
    """The values at ``begins`` to ``ends``, one after the other, and the end of each piece."""
    piece_ends = np.cumsum(ends - begins)
    found = np.empty(int(piece_ends[-1]) if len(piece_ends) else 0, dtype=values.dtype)
    _gather(values, begins, ends, found)
    return found, piece_ends


@compiled
def _gather(values: Any, begins: Any, ends: Any, found: Any) -> None:
    to = 0
    for index in range(begins.size):
        for at in range(begins[index], ends[index]):
            found[to] = values[at]
            to += 1
