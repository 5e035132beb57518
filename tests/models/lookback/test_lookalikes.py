"""Lookalike domains: which name a domain imitates, and which domains belong to an organisation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.lookback.lookalikes import OWN, is_own, resembled
from models.texts.domains import normalise_host

DATA = Path(os.environ.get("FOREWARN_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("icbc-vip.top", "ICBC"),
        ("www.icbc.com.cn.evil.top", "ICBC"),
        ("icbc95588.top", "ICBC"),
        ("1cbc.top", "ICBC"),
        ("al1pay.xyz", "Alipay"),
        ("myunionpaysafe.top", "UnionPay"),
        ("unionpai.top", "UnionPay"),
        ("unoinpay.top", "UnionPay"),
        ("cmbchlna.cc", "China Merchants Bank"),
        ("12306-refund.top", "China Railway"),
        ("chinatax.top", "State Taxation Administration"),
        (normalise_host("аlipay.top"), "Alipay"),  # the first letter is Cyrillic
    ],
)
def test_a_borrowed_name_is_known(domain: str, owner: str) -> None:
    assert resembled(domain).endswith(owner)


@pytest.mark.parametrize(
    "domain", ["banana.top", "example.com", "bocce.top", "accblog.top", "192.0.2.7", "com", "supreme-court.example"]
)
def test_an_ordinary_name_borrows_none(domain: str) -> None:
    assert resembled(domain) == ""


def test_what_is_an_organisations_own_borrows_nothing() -> None:
    assert [domain for domain in OWN if domain != normalise_host(domain)] == []
    assert [domain for domain in OWN if not is_own(f"www.{domain}") or resembled(f"www.{domain}")] == []
    assert is_own("beijing.gov.cn")
    assert not is_own("gov.cn.evil.top")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-.xn", min_size=1, max_size=60))
def test_any_name_can_be_asked_for(name: str) -> None:
    assert isinstance(resembled(name), str)


@pytest.mark.skipif(not DATA.is_dir(), reason="real domains are not here")
def test_few_ordinary_domains_borrow_a_name() -> None:
    domains = (DATA / "benign-domains.txt").read_text().split()
    borrowed = sum(bool(resembled(domain)) for domain in domains)
    assert borrowed < len(domains) / 200
