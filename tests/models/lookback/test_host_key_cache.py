"""The cache of host keys: the same keys as the uncached function, which is called once for each host."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.lookback.host_key_cache import MetHosts

HOSTS = st.lists(st.text("ab.", min_size=1, max_size=12), max_size=60)


def keys_of(host: str) -> tuple[int, ...]:
    """As many keys as a host has dots."""
    return tuple(hash((host, number)) for number in range(host.count(".")))


def together(hosts: list[str]) -> tuple[Any, Any, Any]:
    """The hosts joined into one buffer, with the begin and the end of each."""
    sizes = np.array([len(host) for host in hosts], dtype=np.int64)
    ends = np.cumsum(sizes)
    return np.frombuffer("".join(hosts).encode(), dtype=np.uint8), ends - sizes, ends


@given(st.lists(HOSTS, min_size=1, max_size=4))
def test_each_host_has_the_keys_it_was_given_and_is_asked_for_once(batches: list[list[str]]) -> None:
    asked: Counter[str] = Counter()

    def ask(host: str) -> tuple[int, ...]:
        asked[host] += 1
        return keys_of(host)

    met = MetHosts(ask)
    for hosts in batches:
        keys, counts = met.keys(*together(hosts))
        assert counts.tolist() == [host.count(".") for host in hosts]
        assert keys.tolist() == [key for host in hosts for key in keys_of(host)]
    assert set(asked.values()) <= {1}


def test_it_grows_with_what_it_meets_and_forgets_all_in_the_end() -> None:
    met = MetHosts(keys_of)
    for batch in range(80):
        hosts = [f"h{number}.b{batch}.top" for number in range(1000)]
        keys, _ = met.keys(*together(hosts))
        assert keys.tolist() == [key for host in hosts for key in keys_of(host)]
    assert met._count < 1 << 16
