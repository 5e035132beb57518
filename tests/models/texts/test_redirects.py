"""Redirects: a host in the query of a link is found as well, however it is encoded."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from urllib.parse import quote

import pytest

from models.texts.extraction import read

TARGET = "https://evil-bank.top/a?b=1"


def encoded(url: str, times: int) -> str:
    """A URL that is percent-encoded several times."""
    return url if times == 0 else encoded(quote(url, safe=""), times - 1)


@pytest.mark.parametrize("times", range(1, 4))
@pytest.mark.parametrize(
    "link",
    [
        "https://www.google.com/url?q={}&sa=D",
        "https://www.google.com/url?sa=t&url={}",
        "https://l.facebook.com/l.php?u={}&h=AT0",
        "https://www.youtube.com/redirect?event=x&q={}",
        "https://link.zhihu.com/?target={}",
        "https://c.pc.qq.com/middlem.html?pfurl={}",
        "https://weixin110.qq.com/security/readtemplate?t=w&url={}",
        "https://www.baidu.com/link?url={}",
        "https://href.li/?{}",
        "https://t.example.com/r?u={}",
    ],
)
def test_a_link_that_leads_on_gives_both_hosts(link: str, times: int) -> None:
    found = read(f"点击 {link.format(encoded(TARGET, times))} 领取")
    assert found.domains[1:] == ("evil-bank.top",)
    assert found.urls[1:] == (TARGET,)


@pytest.mark.parametrize(
    "link",
    [
        "https://t.example.com/r?u=http://evil-bank.top/a",
        "https://t.example.com/r?u=//evil-bank.top/a",
        "https://t.example.com/r?u=%2F%2Fevil-bank.top%2Fa",
        "https://www.bing.com/ck/a?p=1&u=a1" + urlsafe_b64encode(TARGET.encode()).decode().rstrip("="),
        "https://www.google.com/amp/s/evil-bank.top/a",
        "https://www.google.com/url?q=" + encoded("https://t.example.com/r?u=" + encoded(TARGET, 1), 1),
    ],
)
def test_other_ways_to_lead_on_give_the_last_host(link: str) -> None:
    assert read(f"see {link} now").domains[-1] == "evil-bank.top"


@pytest.mark.parametrize(
    "link", ["https://shop.example.com/a?b=c%20d", "https://shop.example.com/a?next=%2Fa%2Fevil.top"]
)
def test_a_query_without_a_url_gives_no_second_host(link: str) -> None:
    assert read(link).domains == ("shop.example.com",)


def test_redirects_within_redirects_have_an_end() -> None:
    url = "https://last.top/"
    for depth in range(6):
        url = f"https://r{depth}.example.com/?u={quote(url, safe='')}"
    assert len(read(url).domains) <= 4
