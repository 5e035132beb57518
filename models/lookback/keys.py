"""Keys: the keys under which the ledger's rows of numbers, prefixes, domains and URLs are found.

They are sorted ranges of 64-bit integers, so that one pass looks for one number or for a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base.number_keys import LENGTH_STEP, LONGEST_NUMBER, LONGEST_PORT, key_of
from models.indicators.url_starts import split_url
from models.lookback.contacts import host_key, named_key


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """The keys to look for, as sorted and disjoint ranges that include both ends."""

    lows: NDArray[np.int64]
    highs: NDArray[np.int64]

    @classmethod
    def of(cls, keys: Iterable[int] = (), ranges: Iterable[tuple[int, int]] = ()) -> Keys:
        """From single keys and ranges in any order; overlapping ones are merged."""
        merged: list[list[int]] = []
        for low, high in sorted([*((key, key) for key in keys), *ranges]):
            if merged and low <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], high)
            else:
                merged.append([low, high])
        columns = np.array(merged, dtype=np.int64).reshape(-1, 2)
        return cls(columns[:, 0].copy(), columns[:, 1].copy())

    def joined(self, other: Keys) -> Keys:
        """The keys of both; overlapping ranges are merged."""
        pairs = ((keys.lows.tolist(), keys.highs.tolist()) for keys in (self, other))
        return Keys.of(ranges=(each for lows, highs in pairs for each in zip(lows, highs, strict=True)))

    def __len__(self) -> int:
        return len(self.lows)

    def hold(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these keys are looked for: a mask."""
        if not len(self):
            return np.zeros(len(keys), dtype=np.bool_)
        place = np.searchsorted(self.lows, keys, side="right") - 1
        return (place >= 0) & (keys <= self.highs[np.maximum(place, 0)])

    def may_hold(self, lows: NDArray[np.int64], highs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these ranges share a key with those looked for: a mask."""
        first = np.searchsorted(self.highs, lows)
        return (first < len(self)) & (self.lows[np.minimum(first, len(self) - 1)] <= highs)


def prefix_ranges(prefix: str) -> list[tuple[int, int]]:
    """The ranges of all numbers with this prefix, one for each length that a number or a port can have."""
    value = int(prefix)
    ranges = []
    for length in range(max(len(prefix), 2), LONGEST_NUMBER + 1):
        scale = 10 ** (length - len(prefix))
        ranges.append((length * LENGTH_STEP + value * scale, length * LENGTH_STEP + (value + 1) * scale - 1))
    if prefix.startswith("10"):
        for length in range(LONGEST_NUMBER + 1, LONGEST_PORT + 1):
            behind = length - len(prefix)
            ranges.append((key_of(prefix + "0" * behind), key_of(prefix + "9" * behind)))
    return ranges


def keys_of(indicators: Iterable[str]) -> Keys:
    """The keys under which the contacts of indicators (``type:value``) are found.

    A prefix finds who had contact with a number, but not whom a text told to ring one.
    """
    keys: list[int] = []
    ranges: list[tuple[int, int]] = []
    for indicator in indicators:
        kind, _, value = indicator.partition(":")
        if kind == "number":
            keys += (key_of(value), named_key(value))
        elif kind == "number-prefix":
            ranges += prefix_ranges(value)
        else:
            keys.append(host_key(value if kind == "domain" else bare_host(value)))
    return Keys.of(keys, ranges)


def bare_host(url: str) -> str:
    """The host of a normalised URL, without its port."""
    host = split_url(url)[0]
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
