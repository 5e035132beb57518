"""Browsers: a host is mapped as browsers map it, and a number is the address that it denotes."""

from __future__ import annotations

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.texts.browsers import PLAIN_SPELLINGS, ascii_host, ipv4


@pytest.mark.parametrize(
    ("host", "mapped"),
    [
        ("EVIL.top", "evil.top"),
        ("ｅｖｉｌ－bank．top", "evil-bank.top"),
        ("ev\u00adil\ufe0f.\u200btop", "evil.top"),
        ("%65vil%2Etop", "evil.top"),
        ("%E4%BE%8B.top", "xn--fsq.top"),
        ("evil‐bank.top", "xn--evilbank-3m3d.top"),
        ("faß.de", "xn--fa-hia.de"),
        ("i❤.ws", "xn--i-7iq.ws"),
        ("evil\u0301.top", "xn--evi-mva.top"),
    ],
)
def test_a_host_is_mapped_as_browsers_do(host: str, mapped: str) -> None:
    assert ascii_host(host) == mapped


@pytest.mark.parametrize(
    "host", ["evil\u200e.top", "%ff.top", "\u0301evil.top", "evil\u200dbank.top", "אa.top", "xn--é.top"]
)
def test_signs_that_no_browser_accepts_are_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ascii_host(host)


def test_plain_spellings_are_those_of_uts_46() -> None:
    wrong = {hex(code) for code, plain in PLAIN_SPELLINGS.items() if idna.uts46_remap(chr(code), False) != plain}
    assert wrong == set()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("3221225985", "192.0.2.1"),
        ("0xC0000201", "192.0.2.1"),
        ("0300.0.2.1", "192.0.2.1"),
        ("192.0.513", "192.0.2.1"),
        ("127.1", "127.0.0.1"),
        ("0xC0.0x.2.01", "192.0.2.1"),
    ],
)
def test_numbers_denote_an_address(host: str, address: str) -> None:
    assert ipv4(host) == address


@pytest.mark.parametrize(
    "host", ["", "1..2", "1.2.3.4.5", "256.1", "1.2.3.256", "4294967296", "08.1.1.1", "1_0.1", "a.1", "-1"]
)
def test_other_numbers_denote_none(host: str) -> None:
    with pytest.raises(ValueError, match=r"address|literal"):
        ipv4(host)


@given(st.ip_addresses(v=4), st.data())
def test_an_address_is_the_same_in_every_spelling(address: object, data: st.DataObject) -> None:
    octets = [int(part) for part in str(address).split(".")]
    first = data.draw(st.integers(0, 3))
    numbers = [*octets[:first], int.from_bytes(bytes(octets[first:]), "big")]
    spelt = (data.draw(st.sampled_from([str(number), hex(number), f"0{number:o}"])) for number in numbers)
    assert ipv4(".".join(spelt)) == str(address)
