"""Matching: how the indicators in memory match numbers, hosts and URLs, compared with a plain form of the rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.indicators.indicator import SUSPECTED, Indicator
from models.indicators.matching import FOREVER, Indicators, Listing, Match
from models.indicators.numbers import hotlines
from models.texts.domains import normalise_url, parents
from tests.strategies import BANK, CROOK, EVIL, T0, indicator

NUMBERS = ["9990001", "99900012", "999000123", "9990001234", "9990002", BANK]
PREFIXES = ["99900", "999000", "9990001", "99900012"]
HOSTS = [EVIL, "www.evil.example", "a.b.evil.example", "notevil.example", "evil.example.invalid", "other.invalid"]
URLS = [
    "evil.example/a",
    "evil.example/a/b",
    "evil.example/ab",
    "evil.example/a?x=1",
    "evil.example",
    "evil.example:8080",
    "evil.example?x=1",
    "other.invalid/A/b.c",
]
AT = st.integers(0, 12)
HOTLINES = hotlines()


@st.composite
def any_indicator(draw: st.DrawFn) -> Indicator:
    kind, value = draw(
        st.one_of(
            st.tuples(st.just("number"), st.sampled_from([each for each in NUMBERS if each != BANK])),
            st.tuples(st.just("number-prefix"), st.sampled_from(PREFIXES)),
            st.tuples(st.just("domain"), st.sampled_from(HOSTS)),
            st.tuples(st.just("url"), st.sampled_from(URLS)),
        )
    )
    begins = draw(AT)
    return indicator(
        kind,  # type: ignore[arg-type]
        value,
        draw(st.integers(0, 100)),
        scam_type=draw(st.sampled_from(["loan", SUSPECTED])),
        valid_from=begins,
        valid_until=draw(st.one_of(st.none(), st.integers(begins + 1, 13))),
        revoked=draw(st.sampled_from([False, False, False, True])),
    )


class Naive:
    """The same rules, written as slowly and plainly as possible."""

    def __init__(self) -> None:
        self.all: dict[str, Indicator] = {}

    def put(self, new: Indicator) -> None:
        """Store an indicator, or remove it when it is revoked."""
        self.all.pop(new.key, None)
        if not new.revoked:
            self.all[new.key] = new

    def holding(self, kind: str, at: int) -> list[Indicator]:
        """The valid indicators of a type."""
        return [
            each
            for each in self.all.values()
            if each.type == kind and each.valid_from <= at < (FOREVER if each.valid_until is None else each.valid_until)
        ]

    def number(self, number: str, at: int) -> str | None:
        """The number itself, or else its longest prefix; never a hotline. A suspicion gives way to a surer prefix."""
        if number in HOTLINES:
            return None
        exact = next((each for each in self.holding("number", at) if each.value == number), None)
        covering = [each for each in self.holding("number-prefix", at) if number.startswith(each.value)]
        if exact is not None and exact.scam_type == SUSPECTED:
            covering = [each for each in covering if each.confidence > exact.confidence]
        elif exact is not None:
            return exact.key
        longest = max(covering, key=lambda each: len(each.value), default=exact)
        return longest.key if longest else None

    def host(self, host: str, at: int) -> str | None:
        """The nearest domain that equals the host or is a parent of it."""
        covering = [
            each for each in self.holding("domain", at) if host == each.value or host.endswith("." + each.value)
        ]
        nearest = max(covering, key=lambda each: len(each.value), default=None)
        return nearest.key if nearest else None

    def url(self, url: str, at: int) -> str | None:
        """The longest URL that equals the URL or is a parent of it."""
        value = normalise_url(url)
        covering = [
            each
            for each in self.holding("url", at)
            if value == each.value
            or (value.startswith(each.value) and "?" not in each.value and value[len(each.value)] in "/?")
        ]
        longest = max(covering, key=lambda each: len(each.value), default=None)
        return longest.key if longest else None


CHANGES = st.lists(st.one_of(any_indicator(), any_indicator().map(lambda each: each.key)), max_size=25)


@settings(max_examples=60)
@given(CHANGES, AT)
def test_any_set_of_indicators_matches_as_the_rules_say(changes: list[Indicator | str], at: int) -> None:
    """Stored, stored again, revoked and removed in any order, at any time, for any number, host and URL."""
    indicators, naive = Indicators(), Naive()
    for change in changes:
        if isinstance(change, Indicator):
            indicators.put(change)
            naive.put(change)
        else:
            assert indicators.remove(change) == (naive.all.pop(change, None) is not None)

    def key(match: Match | None) -> str | None:
        if match is None:
            return None
        found = naive.all[match.key]
        assert match.known[:3] == (found.scam_type, found.confidence, found.valid_from)
        return match.key

    for number in [*NUMBERS, *PREFIXES, "1", "8613"]:
        assert key(indicators.number(number, at)) == naive.number(number, at)
    for host in [*HOSTS, "example", "evil.exampl", "xevil.example"]:
        assert key(indicators.host(host, at)) == naive.host(host, at)
    for url in [*URLS, "http://evil.example/a/b/c?y", "https://evil.example:8080/x", "evil.example/a?x=2", EVIL + "/"]:
        assert key(indicators.url(url, at)) == naive.url(url, at), url
    assert len(indicators) == len(naive.all)
    assert indicators.counts == {
        kind: sum(each.type == kind for each in naive.all.values()) for kind in indicators.counts
    }
    assert indicators.prefix_lengths == tuple(
        sorted({len(each.value) for each in naive.all.values() if each.type == "number-prefix"}, reverse=True)
    )
    assert indicators.knows_urls == any(each.type == "url" for each in naive.all.values())
    for each in changes:
        name = each if isinstance(each, str) else each.key
        assert indicators.holds(name) == (name in naive.all)


@pytest.mark.parametrize("host", ["evil.example", "www.evil.example", "a.b.evil.example"])
def test_a_domain_covers_itself_and_what_lies_below(host: str) -> None:
    match = Indicators([indicator("domain", EVIL)]).host(host, T0)

    assert match is not None
    assert match.key == "domain:evil.example"


@pytest.mark.parametrize("host", ["notevil.example", "evil.example.invalid", "evil.exampl", "example", "evil-example"])
def test_a_domain_does_not_cover_its_look_alikes(host: str) -> None:
    assert Indicators([indicator("domain", EVIL)]).host(host, T0) is None


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("evil.example/pay", "http://evil.example/pay"),
        ("evil.example/pay", "https://EVIL.example/pay/?id=7"),
        ("evil.example/pay", "evil.example/pay/now"),
        ("evil.example:8080", "http://evil.example:8080"),
        ("evil.example:8080", "http://evil.example:8080/x/y"),
        ("evil.example?id=7", "http://evil.example/?id=7#top"),
        ("[2001:db8::1]:8443/a", "https://[2001:DB8::1]:8443/a/b"),
    ],
)
def test_a_url_covers_what_lies_below_its_path(listed: str, url: str) -> None:
    match = Indicators([indicator("url", normalise_url(listed))]).url(url, T0)

    assert match is not None
    assert match.key == f"url:{normalise_url(listed)}"


@pytest.mark.parametrize(
    "url",
    ["http://evil.example/payment", "http://evil.example/", "http://www.evil.example/pay", "http://evil.example/PAY"],
)
def test_a_url_does_not_cover_its_neighbours(url: str) -> None:
    assert Indicators([indicator("url", "evil.example/pay")]).url(url, T0) is None


def test_an_indicator_holds_from_its_first_moment_to_before_its_last() -> None:
    indicators = Indicators([indicator("number", CROOK, valid_from=T0, valid_until=T0 + 10)])

    assert [indicators.number(CROOK, T0 + after) is not None for after in (-1, 0, 9, 10)] == [False, True, True, False]


def test_a_prefix_covers_a_number_whose_own_indicator_has_run_out() -> None:
    indicators = Indicators([indicator("number", CROOK, valid_until=T0), indicator("number-prefix", CROOK[:6])])

    match = indicators.number(CROOK, T0)

    assert match is not None
    assert match.key == f"number-prefix:{CROOK[:6]}"


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    indicators = Indicators([indicator("number", CROOK, 50), indicator("number", CROOK, 70, scam_type="fake-prize")])

    assert indicators.number(CROOK, T0) == Match(f"number:{CROOK}", Listing("fake-prize", 70, 0, FOREVER))
    assert len(indicators) == 1


def test_lengths_of_prefixes_follow_what_is_listed() -> None:
    """Each length costs one look-up per event."""
    indicators = Indicators([indicator("number-prefix", each) for each in ("99900", "9990055", "9990066")])
    lengths = [indicators.prefix_lengths]
    for prefix in ("9990055", "9990066", "99900"):
        indicators.remove(f"number-prefix:{prefix}")
        lengths.append(indicators.prefix_lengths)

    assert lengths == [(7, 5), (7, 5), (5,), ()]


def test_equal_knowledge_is_kept_once() -> None:
    """A million numbers from one source differ only in their value."""
    indicators = Indicators([indicator("number", f"9990000{each:04}") for each in range(100)])

    assert len({id(indicators.watched[f"9990000{each:04}"]) for each in range(100)}) == 1


def test_hotlines_are_watched_but_never_match_even_under_a_prefix() -> None:
    indicators = Indicators([indicator("number-prefix", "955"), indicator("number-prefix", "86")])

    assert BANK in indicators.watched
    assert [indicators.number(number, T0) for number in (BANK, "86" + BANK, "110")] == [None, None, None]


def test_a_hotline_cannot_be_removed() -> None:
    indicators = Indicators()

    assert not indicators.remove(f"number:{BANK}")
    assert not indicators.holds(f"number:{BANK}")
    assert BANK in indicators.watched


@pytest.mark.parametrize("key", ["", ":", "url:", "url", "evil.example/a", "URL:evil.example/a", "foo:evil.example/a"])
def test_a_tombstone_of_anything_else_changes_nothing(key: str) -> None:
    """Any writer may use any key: an unknown type must not stop the worker."""
    indicators = Indicators([indicator("url", "evil.example/a")])

    assert not indicators.holds(key)
    assert not indicators.remove(key)
    assert (len(indicators), indicators.counts["url"]) == (1, 1)
    assert indicators.url("evil.example/a", T0) is not None


def test_asking_for_a_url_that_is_not_known_leaves_nothing_behind() -> None:
    """Otherwise every link of every text would stay in memory as long as the worker runs."""
    indicators = Indicators()

    assert not indicators.remove("url:evil.example/a")
    assert not indicators.holds("url:evil.example/a")
    assert not indicators.knows_urls


@given(st.one_of(st.text(max_size=30), st.text(alphabet="ab.-:/?[]#@é\u3002", max_size=30)))
def test_nothing_that_stands_in_a_text_makes_a_look_up_fail(anything: str) -> None:
    indicators = Indicators([indicator("domain", EVIL), indicator("url", "other.invalid/a")])

    assert indicators.host(anything.lower(), T0) is None
    assert indicators.url(anything, T0) is None
    assert indicators.number(anything, T0) is None


def test_the_naive_reading_and_the_public_suffix_list_agree_on_the_hosts_used_here() -> None:
    """The reference implementation knows no public suffixes; the hosts used here have one-label suffixes."""
    assert all(parents(host)[-1].count(".") == 1 for host in HOSTS)
