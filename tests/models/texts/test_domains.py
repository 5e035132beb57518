"""Hosts and URLs as values: one spelling for each, their owners, and which hosts are shared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.texts.domains import (
    SHARED_HOSTS,
    is_address,
    is_public_suffix,
    is_shared_host,
    is_top_level,
    normalise_host,
    normalise_url,
    parents,
    registrable,
)

LABEL = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (" WWW.Evil.TOP. ", "www.evil.top"),
        ("Bücher.de", "xn--bcher-kva.de"),
        ("xn--bcher-kva.de.", "xn--bcher-kva.de"),
        ("例子.中国", "xn--fsqu00a.xn--fiqs8s"),
        ("例子。中国", "xn--fsqu00a.xn--fiqs8s"),
        ("ＥＶＩＬ．ＣＯＭ", "evil.com"),
        ("a_b.evil.com", "a_b.evil.com"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::1]", "2001:db8::1"),
    ],
)
def test_a_host_has_one_spelling(value: str, host: str) -> None:
    assert normalise_host(value) == host
    assert normalise_host(host) == host


NO_HOSTS = [
    *("", ".", "evil", "evil..com", "-evil.com", "evil-.com", "evil.com/x", "http://evil.com", "evil.com:80"),
    *("evil com.de", "1.2.3.4.5", "999.0.2.7", "a" * 64 + ".com", ".".join(["a" * 60] * 5)),
    *("\ud800.com", "evil.com\0", "xn--.中国"),
]


@pytest.mark.parametrize("value", NO_HOSTS)
def test_what_is_no_host_is_refused_with_a_sentence_that_names_it(value: str) -> None:
    with pytest.raises(ValueError, match=r"is not a host|is neither a name nor") as refused:
        normalise_host(value)
    assert repr(value)[1:-1] in str(refused.value)


@given(st.lists(LABEL, min_size=2, max_size=5).map(".".join))
def test_a_normal_form_is_its_own_normal_form(value: str) -> None:
    try:
        host = normalise_host(value)
    except ValueError:  # the last label consists of digits only
        assert value.rpartition(".")[2].isdigit()
        return
    assert normalise_host(host) == host
    assert host == value.lower() or is_address(host)


@given(st.text(max_size=30))
def test_any_string_is_a_host_or_refused(value: str) -> None:
    try:
        host = normalise_host(value)
    except ValueError:
        return
    assert normalise_host(host) == host
    assert host.isascii()


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("HTTPS://user@Evil.TOP:443/Pay/?a=1#top", "evil.top/Pay?a=1"),
        ("http://evil.top:443/", "evil.top"),
        ("ftp://evil.top:21/", "evil.top"),
        ("evil.top:8443", "evil.top:8443"),
        ("evil.top/支付?a=é", "evil.top/%E6%94%AF%E4%BB%98?a=%C3%A9"),
        ("http://evil.top:80/", "evil.top"),
        ("evil.top:080", "evil.top"),
        ("bit.ly/3AbC/", "bit.ly/3AbC"),
        ("//evil.top/a", "evil.top/a"),
        ("evil.top?a=/", "evil.top?a=/"),
        ("http://[2001:DB8::1]:8080/x", "[2001:db8::1]:8080/x"),
        ("evil.top\\a", "evil.top/a"),
    ],
)
def test_a_url_has_one_spelling(value: str, url: str) -> None:
    assert normalise_url(value) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize("value", ["", "evil", "http://", "evil.top:99999", "http:///x", "evil.top:x/y"])
def test_what_is_no_url_is_refused_with_a_sentence(value: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (URL|host)"):
        normalise_url(value)


def test_addresses_are_told_from_names() -> None:
    assert [is_address(host) for host in ("192.0.2.7", "2001:db8::1", "7.example.com")] == [True, True, False]


@pytest.mark.parametrize(
    ("host", "suffix", "owned"),
    [
        ("co.uk", True, None),
        ("github.io", True, None),
        ("evil.co.uk", False, "evil.co.uk"),
        ("pay.evil.co.uk", False, "evil.co.uk"),
        ("evil.github.io", False, "evil.github.io"),
        ("a.b.evil.com.cn", False, "evil.com.cn"),
        ("192.0.2.7", False, None),
    ],
)
def test_what_one_party_registered_ends_below_the_public_suffix(host: str, suffix: bool, owned: str | None) -> None:
    assert is_public_suffix(host) is suffix
    assert registrable(host) == owned


def test_parents_go_down_to_what_was_registered() -> None:
    assert parents("a.b.evil.co.uk") == ("a.b.evil.co.uk", "b.evil.co.uk", "evil.co.uk")
    assert parents("192.0.2.7") == ("192.0.2.7",)
    assert parents("github.io") == ()


def test_a_host_is_shared_with_all_below_it() -> None:
    hosts = ("bit.ly", "m.weibo.com", "github.io", "docs.google.com", "evil.top", "evil.github.io", "notbit.ly")
    assert [is_shared_host(host) for host in hosts] == [True, True, True, True, False, False, False]


def test_shared_hosts_are_in_their_normal_form() -> None:
    """Any other spelling would never match."""
    assert [host for host in SHARED_HOSTS if normalise_host(host) != host] == []


def test_top_level_domains_are_those_of_the_list() -> None:
    assert [is_top_level(label) for label in ("top", "中国", "ck", "txt", "")] == [True, True, True, False, False]
