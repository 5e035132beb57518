"""Path hashes: SipHash as it is published, of exactly those beginnings of a link that a listed URL may be."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.indicators.matching import Indicators
from models.indicators.path_hashes import NEXT_LINK, PathHashes
from models.indicators.url_starts import DEEPEST, split_url, starts_of
from models.texts.domains import normalise_url
from tests.strategies import T0, indicator

VECTORS = {
    0: "310e0edd47db6f72",
    1: "fd67dc93c539f874",
    8: "6224939a79f5f593",
    15: "e545be4961ca29a1",
    63: "724506eb4c328a95",
}
"""By length: the hash of the bytes 0, 1, 2, ... under the key 0 to 15 (the authors' own vectors)."""

HASHES = PathHashes(b"a key that only these tests have")
PATHS = st.text("/ab?=.%_-é&", max_size=24) | st.integers(0, 2 * DEEPEST).map("/a".__mul__)
LINKS = st.tuples(
    st.sampled_from(("https://", "HTTP://", "", "ftp://", "https://user:word@")),
    st.sampled_from(("evil.top", "A.evil.TOP", "evil.top:8443", "evil.top:443", "[2001:db8::1]:80", "192.0.2.1", "x")),
    PATHS,
    st.sampled_from(("", "#fragment")),
).map("".join)


@pytest.mark.parametrize("length", VECTORS)
def test_the_hash_is_siphash(length: int) -> None:
    end = np.array([length])

    hashes, _ = PathHashes(bytes(range(16))).of_plain(np.arange(length, dtype=np.uint8), np.array([0]), end, end)

    assert hashes.tobytes().hex() == VECTORS[length]


@given(LINKS)
@settings(deadline=None)
def test_a_link_has_the_hash_of_each_of_its_beginnings(link: str) -> None:
    try:
        host, path = split_url(normalise_url(link))
    except ValueError:
        assert HASHES.of_links([link]) == []
        return

    assert HASHES.of_links([link]) == [HASHES.of_listed(f"{host}{start}") for start in reversed([*starts_of(path)])]


@given(st.lists(st.sampled_from(("evil.top", "b.top")), min_size=1, max_size=3), PATHS)
@settings(deadline=None)
def test_a_plain_link_has_the_same_hashes_as_when_it_is_read(hosts: list[str], path: str) -> None:
    """Within a text, and with a slash before its query, which the normal form leaves out."""
    whole = path if not path or path[0] == "/" else f"/{path}"
    links = [f"{host}{whole if whole.isascii() and '//' not in whole else '/x/?a'}".rstrip("/") for host in hosts]
    spelt = [f"see {link} now" for link in links]
    ends = np.cumsum([len(text) for text in spelt])
    begins = ends - [len(text) for text in spelt] + 4
    texts = np.frombuffer("".join(spelt).encode(), dtype=np.uint8)

    hashes, hash_ends = HASHES.of_plain(texts, begins, begins + [len(host) for host in hosts], ends - 4)

    parts = [part.tolist() for part in np.split(hashes, hash_ends[:-1])]
    assert parts == [HASHES.of_links([f"http://{link}"]) for link in links]


def test_nobody_finds_a_link_without_the_key() -> None:
    link = ["https://evil.top/a?token=1"]
    guesses = [PathHashes(guess.encode()) for guess in ("", *string.ascii_letters)]

    assert not {*HASHES.of_links(link)} & {each for guess in guesses for each in guess.of_links(link)}


def test_a_link_has_only_so_many_hashes_however_long_it_is() -> None:
    assert len(HASHES.of_links(["evil.top" + "/a" * 4000 + "?x"])) == DEEPEST + 2


def test_links_are_kept_apart_and_what_is_none_has_no_hash() -> None:
    one, other = HASHES.of_links(["evil.top/a"]), HASHES.of_links(["b.top"])

    assert HASHES.of_links(["evil.top/a", "no link", "b.top"]) == [*one, NEXT_LINK, *other]


def test_what_is_listed_and_revoked_later_counts_for_hashes_as_well() -> None:
    known = Indicators([indicator("url", "evil.top/a")], HASHES)
    paths = HASHES.of_links(["https://b.top/x/y", "https://evil.top/a/b/c"])
    found = []
    for change in (
        lambda: None,
        lambda: known.put(indicator("url", "evil.top/a/b")),
        lambda: known.remove("url:evil.top/a/b"),
        lambda: known.put(indicator("url", "evil.top/a", revoked=True)),
        lambda: known.put(indicator("url", "b.top")),
    ):
        change()
        found.append([(listed, match.key) for listed, match in known.hashed_links(paths, T0)])

    assert found == [
        [("evil.top/a", "url:evil.top/a")],
        [("evil.top/a/b", "url:evil.top/a/b")],
        [("evil.top/a", "url:evil.top/a")],
        [],
        [("b.top", "url:b.top")],
    ]
