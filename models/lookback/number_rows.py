"""Number rows: a row of the ledger for each phone number that the text of a received SMS names.

If the number becomes known later, these rows show whom a text told to ring it. Compiled code finds the runs of digits
are long enough, and few texts have one. Mass mailings repeat their texts, so each is read once and remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np

from models.events.batches import UNREAD, Messages
from models.events.named_numbers import numbers_at
from models.events.numbering import Sources
from models.events.scanning import OUT
from models.indicators.numbers import hotline
from models.indicators.text_numbers import long_runs
from models.lookback.contacts import LINKED, NUMBER_LINK, SMS, Rows, ids_of, named_key
from models.texts.prefilter import DIGITS
from models.texts.templates import templates_of

_MOST_KEYS: Final = 1 << 14
_MOST_READ: Final = 1 << 14

Named = tuple[Sequence[int], Sequence[bytes]]
"""The keys of the numbers that a text names, and their links."""


class MetNumbers:
    """The texts that were read lately, with the numbers that they name; ``sources`` say how numbers are written.

    For one thread, as `models.lookback.link_rows.MetLinks` is. No text is kept, only its digest.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._key_of = lru_cache(maxsize=_MOST_KEYS)(named_key)
        self._read: OrderedDict[bytes, Named] = OrderedDict()

    def read_once(self, spelt: bytes, source: int, runs: Sequence[tuple[int, int]]) -> Named:
        """The numbers of a text of a source that are no hotlines, by where its runs of digits begin and end."""
        digest = blake2b(spelt, digest_size=16, salt=source.to_bytes(2, "little")).digest()
        known = self._read.get(digest)
        if known is None:
            numbering = self._sources.numbering(source)
            text = np.frombuffer(spelt, dtype=np.uint8)
            numbers = [
                number
                for begin, end in runs
                for number in numbers_at(text, begin, end, numbering)
                if hotline(number) is None
            ]
            links = [f"{NUMBER_LINK}{number}".encode() for number in numbers]
            known = self._read[digest] = ([*map(self._key_of, numbers)], links)
            if len(self._read) > _MOST_READ:
                self._read.popitem(last=False)
        return known


def rows_of_named_numbers(messages: Messages, met: MetNumbers) -> Rows | None:
    """The rows of the numbers that the texts name, keyed by those numbers; None if no text names one.

    Hotlines have no row. ``met`` belongs to the calling thread.
    """
    received = np.flatnonzero(((messages.kinds & OUT) == 0) & ((messages.traits & (DIGITS | UNREAD)) == DIGITS))
    begins, ends = messages.text_begins[received], messages.text_ends[received]
    in_text, run_begins, run_ends = long_runs(messages.texts, begins, ends)
    read, firsts = np.unique(in_text, return_index=True)
    spans = [*zip((run_begins - begins[in_text]).tolist(), (run_ends - begins[in_text]).tolist(), strict=True)]
    bounds = [*firsts.tolist(), len(spans)]
    texts = messages.texts.tobytes() if len(read) else b""
    named = received[read]
    columns = named, messages.sources[named], begins[read], ends[read]
    rows: list[int] = []
    keys: list[int] = []
    links: list[bytes] = []
    for index, (row, source, begin, end) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        runs = spans[bounds[index] : bounds[index + 1]]
        its_keys, its_links = met.read_once(texts[begin:end], source, runs)
        rows += [row] * len(its_keys)
        keys += its_keys
        links += its_links
    if not rows:
        return None
    linked = messages[np.array(rows, dtype=np.int64)]
    return Rows(
        np.array(keys, dtype=np.int64),
        *(linked.subscribers, linked.peers, linked.times, linked.kinds | np.uint8(SMS | LINKED)),
        np.full(len(rows), -1.0),
        *ids_of(linked),
        np.frombuffer(b"".join(links), dtype=np.uint8),
        np.cumsum([len(link) for link in links], dtype=np.int64),
        templates_of(linked.texts, linked.text_begins, linked.text_ends),
    )
