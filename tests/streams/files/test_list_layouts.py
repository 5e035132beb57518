"""List layouts: what other programs call a list is recognised and read, or refused by its name."""

from __future__ import annotations

import io
import re

import pytest

from models.indicators.indicator import Indicator
from streams.files.indicator_files import Defaults, IndicatorFile, Refusal
from streams.files.text_lines import FileError


def opened(content: str, region: str = "CN") -> IndicatorFile:
    """A file with this content."""
    return IndicatorFile(io.BytesIO(content.encode()), Defaults(region=region))


def keys(content: str, name: str) -> list[str]:
    """The keys of the indicators of a file of this layout. A refused line appears as ``!number reason``."""
    file = opened(content)
    assert file.layout.name == name
    return [item.key if isinstance(item, Indicator) else f"!{item.line} {item.reason[:22]}" for item in file]


def test_a_hosts_file_blocks_its_hosts() -> None:
    """Its own names and the addresses that hosts are sent to are no indicators."""
    content = """# a list
127.0.0.1 localhost
::1 localhost ip6-localhost
0.0.0.0 0.0.0.0
0.0.0.0 evil.example bad.example
127.0.0.1\tloan.example # why
:: six.example
0.0.0.0 www #.odd.example
0.0.0.0glued.example
192.0.2.5 office.example
plain.example
0.0.0.0 *.wild.example
"""
    file = opened(content)

    assert keys(content, "a hosts file") == [
        "domain:evil.example",
        "domain:bad.example",
        "domain:loan.example",
        "domain:six.example",
        "!8 'www' is not a host: w",
        "!9 a blank is missing bet",
        "!10 the host is not blocke",
        "domain:plain.example",
        "domain:wild.example",
    ]
    assert len([*file]) == 9
    assert file.left_out == {"names of the machine itself": 4}


def test_rules_of_dnsmasq_block_their_hosts() -> None:
    """Servers for hosts, and what is mapped elsewhere, are no blocks."""
    content = """# Title: a list
address=/evil.example/0.0.0.0
address=/a.example/b.example/
local=/loan.example/
server=/nx.example/
server=/own.example/192.0.2.53
server=/fine.example/#
address=/nas.example/192.0.2.5
address=/#/0.0.0.0
address /smart.example/#
no-resolv
"""
    file = opened(content)

    assert keys(content, "a configuration of dnsmasq") == [
        "domain:evil.example",
        "domain:a.example",
        "domain:b.example",
        "domain:loan.example",
        "domain:nx.example",
        "!8 the host is not blocke",
        "!9 a rule for all hosts n",
        "domain:smart.example",
    ]
    assert len([*file]) == 8
    assert file.left_out == {"hosts that another server answers for": 1, "exceptions": 1, "other settings": 1}


def test_rules_of_unbound_block_their_hosts() -> None:
    content = """server:
local-zone: "evil.example" always_nxdomain
local-zone: "fine.example" transparent
local-data: "bad.example A 0.0.0.0"
local-data: "nas.example. IN A 192.0.2.5"
"""
    assert keys(content, "a configuration of Unbound") == [
        "domain:evil.example",
        "domain:bad.example",
        "!5 the host is not blocke",
    ]


def test_filter_rules_block_whole_hosts_and_addresses() -> None:
    """Exceptions, and rules for parts of pages, are left out."""
    content = """[Adblock Plus]
! Title: a list
||evil.example^
||bad.example^$all
||pay.example/login^$document
|https://page.example/a|
||*.wild.example^
||star.example/*
@@||good.example^
||cancelled.example^$badfilter
||cdn.example^$script,third-party
shop.example##.banner
##.ad
||ev*l.example^
/^ads[0-9]+/
/banner/
0.0.0.0 hosts.example
plain.example
"""
    file = opened(content)

    assert keys(content, "filter rules of Adblock or AdGuard") == [
        "domain:evil.example",
        "domain:bad.example",
        "url:pay.example/login",
        "url:page.example/a",
        "domain:wild.example",
        "domain:star.example",
        "!14 a rule with a wildcard",
        "!15 a regular expression n",
        "!16 a regular expression n",
        "domain:hosts.example",
        "domain:plain.example",
    ]
    assert len([*file]) == 11
    assert file.left_out == {"exceptions": 2, "rules about parts of pages": 3}


def test_filter_rules_need_no_first_line() -> None:
    assert keys("! a list\n||evil.example^\n@@||good.example^\n", "filter rules of Adblock or AdGuard") == [
        "domain:evil.example"
    ]


def test_a_policy_zone_blocks_hosts_and_addresses() -> None:
    """Names may be relative or not; a network is no address."""
    content = """; a list
$TTL 30
$ORIGIN rpz.test.
@ IN SOA rpz.test. hostmaster.rpz.test. (
  1760000000 86400
  3600 604800 30 )
 NS localhost.
evil.example CNAME .
*.evil.example 60 IN CNAME .
bad.example.rpz.test. CNAME *.
wall.example IN A 192.0.2.1
good.example CNAME rpz-passthru.
same.example CNAME same.example.
32.7.2.0.192.rpz-ip CNAME .
24.0.2.0.192.rpz-ip CNAME .
128.7.zz.db8.2001.rpz-ip CNAME .
evil.example TXT "why"
ns.bad.example.rpz-nsdname CNAME .
"""
    file = opened(content)

    assert keys(content, "a response policy zone (RPZ)") == [
        "domain:evil.example",
        "domain:evil.example",
        "domain:bad.example",
        "domain:wall.example",
        "domain:192.0.2.7",
        "!15 this is a network of a",
        "url:[2001:db8::7]",
    ]
    assert len([*file]) == 7
    assert file.left_out == {"exceptions": 2, "rules about clients and name servers": 1}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("WEBSITE_NM,WEBURL,CNT\n網站名稱,網址,件數\n某,www.evil.example,1\n", ["domain:www.evil.example"]),
        ('# id,dateadded,url,status\n"1","2026-03-01","http://evil.example/a","online"\n', ["url:evil.example/a"]),
        ("phish_id,url,phish_detail_url\n1,http://evil.example/a,http://about.example/1\n", ["url:evil.example/a"]),
        ("2026年3月1日至3月31日涉诈号码表,,\n序号,手机号码（必填）,备注\n1,10000000001,x\n", ["number:8610000000001"]),
        ("sep=;\nDomain;Source\nevil.example;x\n", ["domain:evil.example"]),
        (
            "domain,source\nevil.example,x\ndomain,source\nbad.example,x\n",
            ["domain:evil.example", "domain:bad.example"],
        ),
        ("날짜,홈페이지주소\n2026-01-02,evil.example\n", ["domain:evil.example"]),
        ("id|domain\n1|evil.example\n", ["domain:evil.example"]),
        ("ＵＲＬ,来电号码\nevil.example/a,99900123456\n", ["url:evil.example/a", "number:99900123456"]),
        ("value,type\nevil.example,URL\n99900123456,电话\n", ["url:evil.example", "number:99900123456"]),
    ],
)
def test_a_table_has_its_headings_where_lists_have_them(content: str, found: list[str]) -> None:
    """Twice, in a comment, below a title, with remarks, and in the languages of the region."""
    assert keys(content, "a table") == found


def test_complaints_of_the_united_states_have_numbers_of_that_country() -> None:
    """Numbers of ten digits would be read as others in China."""
    content = 'Company_Phone_Number,Created_Date,Subject\n2005550100,2026-08-25 00:04:31,"One (two, three)"\n'

    assert keys(content, "a table") == ["number:12005550100"]


def test_a_comment_that_mentions_a_heading_is_no_heading() -> None:
    assert keys("# url, domain and so on\nevil.example\nbad.example\n", "a list of one value a line") == [
        "domain:evil.example",
        "domain:bad.example",
    ]


@pytest.mark.parametrize("sign", [",", ", ", "，", "、", ";", " | "])
def test_values_on_one_line_are_read(sign: str) -> None:
    assert keys(sign.join(["evil.example", "+999 00 123456", "bad.example/a"]) + "\n", "one line of values") == [
        "domain:evil.example",
        "number:99900123456",
        "url:bad.example/a",
    ]


def test_a_comma_in_an_address_separates_nothing() -> None:
    assert keys("https://evil.example/a,b.html\n", "a list of one value a line") == ["url:evil.example/a,b.html"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (r"(^|\.)evil\.example$", "regular expression"),
        ("/^evil[0-9]+/", "regular expression"),
        ("evil.*", "wildcard|regular"),
        ("*evil*.example", "wildcard"),
        ("*evil.example", "wildcard"),
        ("999*00123456", "wildcard"),
        ("100****0001", "masked"),
        ("evil.example/a - why", "blank"),
        ("evil.example/a http://bad.example/b", "blank"),
        ("evil.example/a（备注）", "note"),
        ("evil.example/a，http://bad.example/b", "more than one address"),
        ("evil.example→bad.example", "mark of a sentence"),
        ("192.0.2.010", "zeros"),
        ("192.000.002.018", "zeros"),
        ("2001:db8::7", "IPv6"),
        ("192.0.2.0/24 ; why", "network"),
        ("192.0.2.0\t192.0.2.255", "network"),
        ("192.0.2.0-192.0.2.255", "network"),
        ("192.0.2.0-255", "network"),
        ("0.0.0.0", "blocked hosts"),  # noqa: S104 - not bound to
        ("127.0.0.1", "blocked hosts"),
        ("1.38E10", "spreadsheet"),
        ("someone@evil.example", "not a host"),
        ("10000000001 转 8001", "no letters"),
    ],
)
def test_a_value_that_is_none_says_what_it_is(line: str, why: str) -> None:
    (item,) = opened(line + "\n")

    assert isinstance(item, Refusal)
    assert re.search(why, item.reason), item.reason


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("evil.example/*", "domain:evil.example"),
        ("*.evil.example", "domain:evil.example"),
        ("+999 00*", "number-prefix:99900"),
        ("192.0.2.7/32", "domain:192.0.2.7"),
        ("evil.example ; why", "domain:evil.example"),
        ('"evil.example"', "domain:evil.example"),
        ("'99900123456", "number:99900123456"),
        ('="99900123456"', "number:99900123456"),
        ("“99900123456”", "number:99900123456"),
        ("'evil.example'", "domain:evil.example"),
        ("+.evil.example", "domain:evil.example"),
        ("192.0.2.07", "domain:192.0.2.7"),
        ("http://192.0.2.010/", "domain:192.0.2.8"),
        ("[2001:db8::7]", "url:[2001:db8::7]"),
    ],
)
def test_a_plain_wildcard_or_remark_is_understood(line: str, key: str) -> None:
    assert keys(line + "\n", "a list of one value a line") == [key]


def test_a_list_that_is_put_together_from_several_is_read_line_by_line() -> None:
    """Plain values, lines of a hosts file, filter rules, and signs that somebody left at the end."""
    content = "evil.example,\nbad.example;\n0.0.0.0 hosts.example\n||rule.example^\n@@||good.example^\n+999 00 123456\n"

    assert keys(content, "a list of one value a line") == [
        "domain:evil.example",
        "domain:bad.example",
        "domain:hosts.example",
        "domain:rule.example",
        "number:99900123456",
    ]


def test_a_range_of_numbers_becomes_prefixes_in_lists_and_tables() -> None:
    """But not one that is protected, or no whole numbers."""
    wanted = ["number-prefix:861000000", "number-prefix:861000001"]

    assert keys("10000000000-10000019999\n", "a list of one value a line") == wanted
    assert keys("号码,来源\n10000000000-10000019999,x\n", "a table") == wanted
    assert keys("95000-95099\n", "a list of one value a line") == ["!1 this is a range of num"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("BEGIN:VCARD\nTEL:1\nEND:VCARD\n", "vCard"),
        ("<!DOCTYPE html>\n<html>\n", "web page"),
        ("<?xml version='1.0'?>\n", "XML"),
        ("payload:\n  - '+.evil.example'\n", "Clash"),
        ("DOMAIN-SUFFIX,evil.example,REJECT\n", "Clash"),
        ("full:evil.example\nkeyword:evil\n", "V2Ray"),
        ("iptables -A INPUT -s 192.0.2.7 -j DROP\n", "firewall"),
        ("alert dns any any -> any any (msg:x)\n", "Suricata"),
        ("INSERT INTO numbers VALUES (1);\n", "dump of a database"),
        ("From: a@evil.example\n\nhello\n", "e-mail"),
        ("function FindProxyForURL(url, host) {\n", "program"),
        ('{\n  "value": "evil.example"\n}\n', "one JSON document"),
        ('[\n  {"value": "evil.example"}\n]\n', "JSON array"),
        ('{"type": "bundle", "objects": []}\n', "STIX"),
        ("{+block}\n.evil.example\n", "Privoxy"),
        ("evil.example,5\nbad.example,6\n", "needs headings"),
        ("99900123456\t2026-03-01\n99900123457\t2026-03-02\n", "needs headings"),
        ("姓名,地址,备注\na,b,c\n", "the first row has 姓名, 地址, 备注"),
    ],
)
def test_what_is_no_list_is_refused_by_its_name(content: str, why: str) -> None:
    """In one message, not one for each line."""
    with pytest.raises(FileError, match=why):
        opened(content)


def test_a_file_of_which_no_line_is_an_indicator_is_refused_in_one_message() -> None:
    """After a thousand lines, or at its end."""
    for count in (21, 170_000):
        with pytest.raises(
            FileError, match=r"none of the first .* lines is an indicator.*one value a line, and line 1 was refused"
        ):
            next(iter(opened("not a value\n" * count)))


def test_few_wrong_lines_and_wrong_lines_before_right_ones_are_reported_one_by_one() -> None:
    assert len([*opened("not a value\n" * 20)]) == 20
    assert len([*opened("not a value\n" * 500 + "evil.example\n" + "not a value\n" * 5000)]) == 5501
