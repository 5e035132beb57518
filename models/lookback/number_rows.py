"""Number rows: a row of the ledger for each phone number that the text of a received SMS names.

If the number becomes known later, these rows show whom a text told to ring it. Compiled code finds the runs of digits
that are long enough, and few texts have one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from models.events.batches import UNREAD, Messages
from models.events.named_numbers import numbers_at
from models.events.numbering import Sources
from models.events.scanning import OUT
from models.indicators.numbers import hotline
from models.indicators.text_numbers import long_runs
from models.lookback.contacts import LINKED, NUMBER_LINK, SMS, Rows, ids_of, named_key
from models.texts.templates import templates_of

_MOST_KEYS: Final = 1 << 14


class MetNumbers:
    """The keys of the numbers that were named lately, for one thread; ``sources`` say how numbers are written."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.key_of = lru_cache(maxsize=_MOST_KEYS)(named_key)


def rows_of_named_numbers(messages: Messages, met: MetNumbers) -> Rows | None:
    """The rows of the numbers that the texts name, keyed by those numbers; None if no text names one.

    Hotlines have no row. ``met`` belongs to the calling thread.
    """
    received = np.flatnonzero(((messages.kinds & OUT) == 0) & ((messages.traits & UNREAD) == 0))
    begins, ends = messages.text_begins[received], messages.text_ends[received]
    texts, run_begins, run_ends = long_runs(messages.texts, begins, ends)
    found: list[tuple[int, int, bytes]] = []
    for index, begin, end in zip(texts.tolist(), run_begins.tolist(), run_ends.tolist(), strict=True):
        row, first = int(received[index]), int(begins[index])
        numbering = met.sources.numbering(int(messages.sources[row]))
        for number in numbers_at(messages.texts[first : int(ends[index])], begin - first, end - first, numbering):
            if hotline(number) is None:
                found.append((row, met.key_of(number), f"{NUMBER_LINK}{number}".encode()))
    if not found:
        return None
    rows = np.array([row for row, _, _ in found], dtype=np.int64)
    named = messages[rows]
    return Rows(
        np.array([key for _, key, _ in found], dtype=np.int64),
        *(named.subscribers, named.peers, named.times, named.kinds | np.uint8(SMS | LINKED)),
        np.full(len(rows), -1.0),
        *ids_of(named),
        np.frombuffer(b"".join(link for _, _, link in found), dtype=np.uint8),
        np.cumsum([len(link) for _, _, link in found], dtype=np.int64),
        templates_of(named.texts, named.text_begins, named.text_ends),
    )
