"""Hosts in texts: where a host begins and ends, and which words around a full stop are none; every text is made up."""

from __future__ import annotations

import time

import pytest

from models.texts.extraction import read
from models.texts.hosts import find_hosts
from models.texts.names import ordinary
from models.texts.tlds import Ending, ending
from models.texts.vocabulary import is_plain_word

WITH_AND_WITHOUT_SCHEME = [
    ("evil.top", "evil.top"),
    ("http://evil.top", "evil.top"),
    ("HTTPS://Evil.Top/A", "evil.top"),
    ("Pay at:evil-fee.top", "evil-fee.top"),
    ("www.evil.me is ours", "www.evil.me"),
    ("usps.com-track.top/us", "usps.com-track.top"),
    ("thetollroads.com-abc.vip/us", "thetollroads.com-abc.vip"),
    ("sbi-kyc.in update", "sbi-kyc.in"),
    ("Dear customer, click sbikyc.in", "sbikyc.in"),
    ("Go to abc-bank.co.in now", "abc-bank.co.in"),
    ("maybank-x.com.my log in", "maybank-x.com.my"),
    ("Votre colis : suivi-colis.fr/x", "suivi-colis.fr"),
    ("Pague en correos-es.com ahora", "correos-es.com"),
    ("お荷物はevil.topでご確認ください", "evil.top"),
    ("[국제발신] evil.kr/x 확인", "evil.kr"),
    ("Ваш заказ: evil.ru/x", "evil.ru"),
    ("bit.ly/3xYz", "bit.ly"),
    ("wa.me/99900123", "wa.me"),
    ("see is.gd/abc or v.gd/abc", "is.gd v.gd"),
    ("gov.uk/refund", "gov.uk"),
    ("post.at/x1", "post.at"),
    ("8899.com", "8899.com"),
    ("kunjungi dana-x.my.id sekarang", "dana-x.my.id"),
    ("now evilx.web.id then", "evilx.web.id"),
    ("now evilx.co.za then", "evilx.co.za"),
    ("now 16868.live then", "16868.live"),
    ("now evilx.pages.dev then", "evilx.pages.dev"),
    ("now login.hxq.live then", "login.hxq.live"),
    ("now evilx.uk.com then", "evilx.uk.com"),
    ("Check 835981.site?", "835981.site"),
    ("see (hxq.me) or <hxr.me>", "hxq.me hxr.me"),
    ("Update\nhxq.me\nThanks", "hxq.me"),
]
GLUED_TO_CHINESE = [
    ("【某行】请登录evil.top处理", "evil.top"),
    ("登陆10000kxb.com兑换", "10000kxb.com"),
    ("登陆手机网站wap.evil.cc进行", "wap.evil.cc"),
    ("官网:88.com", "88.com"),
    ("网址【evil.top】（bad.cn）《worse.vip》", "evil.top bad.cn worse.vip"),
    ("点evil.com退订回T", "evil.com"),
    ("点evil.com/abc退订回T", "evil.com"),
    ("送88.88元,登录www.88888.com", "www.88888.com"),
    ("1.2元evil.com", "evil.com"),
    ("你好.abc.com", "abc.com"),
    ("加V信abc123.官网abc.vip", "abc.vip"),
]
PUNCTUATION = [
    (f"Visit evil.top{mark} Now", "evil.top")
    for mark in (".", ",", "!", "?", ";", ":", "...", "…", "。", "，", "、", ")", "]", "~", "*")
]
SENTENCES_BEHIND = [
    ("evil.com.Reply STOP", "evil.com"),
    ("evil.com.reply STOP", "evil.com"),
    ("evil.top.Reply STOP", "evil.top"),
    ("http://evil.comReply STOP", "evil.com"),
    ("evil.co.uk.Text STOP", "evil.co.uk"),
    ("www.a-b.com www.b-c.net", "www.a-b.com www.b-c.net"),
    ("a-b.com,b-c.net|c-d.org", "a-b.com b-c.net c-d.org"),
    ("http://evil.comhttp://bad.cn", "evil.com bad.cn"),
    ("http://evil.com;http://bad.cn", "evil.com bad.cn"),
    ("evil.com/?u=http://bad.cn", "evil.com bad.cn"),
    ("http://evil.com/x)http://bad.cn", "evil.com bad.cn"),
]
BEFORE_AN_AT = [
    ("https://bank.com@evil.top/x", "evil.top"),
    ("https://bank.com:443@evil.top/x", "evil.top"),
    ("https://bank.com%2Flogin@evil.top", "evil.top"),
    ("https://user:word@evil.top", "evil.top"),
    ("bank.com@evil.top/login", "evil.top"),
    ("https://t.me/@user", "t.me"),
    ("info@evil.com", ""),
    ("a.b@mail.evil.co.uk.", ""),
    ("明天见.info@evil.com", ""),
    ("邮箱客服@evil.com", ""),
    ("a@evil.com/b@evil.com", ""),
    ("Email a@evil.com or visit evil.com", "evil.com"),
]
MANGLED = """
hxxp:// hxxps:// HXXP:// h**p:// htp:// htttp:// ttp:// https:/ https// // http://_ https:_// http:\\\\
"""
MANGLED_SCHEMES = [(f"{scheme.replace('_', ' ')}evil.invalid/x", "evil.invalid") for scheme in MANGLED.split()]
ADDRESSES = [
    ("http://192.0.2.7/a", "192.0.2.7"),
    ("192.0.2.71:8080", "192.0.2.71"),
    ("192.0.2.7/a", "192.0.2.7"),
    ("登录198.51.100.27领取", "198.51.100.27"),
    ("version 10.0.0.12", ""),
    ("v1.2.3.4", ""),
    ("ip是10.0.0.1", ""),
    ("01.02.03.04", ""),
    ("999.1.1.1:80", ""),
]
OTHER_SCRIPTS = [
    ("xn--fsqu00a.xn--fiqs8s", "xn--fsqu00a.xn--fiqs8s"),
    ("例子.中国", "xn--fsqu00a.xn--fiqs8s"),
    ("请登录例子.中国", "xn--fsqu00a.xn--fiqs8s"),
    ("网址：例子.中国", "xn--fsqu00a.xn--fiqs8s"),
    ("【例子.中国】", "xn--fsqu00a.xn--fiqs8s"),
    ("例子.中国/x", "xn--fsqu00a.xn--fiqs8s"),
    ("几点到.公司?", ""),
    ("好的.公司见", ""),
    ("我们去看.电影", ""),
    ("好，明天去.香港", ""),
    ("微信.QQ都行", ""),
    ("APP.下载一下", ""),
    ("http://例子.中国/x", "xn--fsqu00a.xn--fiqs8s"),
    ("bücher-x.de", "xn--bcher-x-n2a.de"),
    ("中国工商银行.com", "xn--fiqw6ovnbc8m0l1d04p.com"),
    ("сайт.рф", "xn--80aswg.xn--p1ai"),
    ("我在用.net开发", ""),
    ("买个.com后缀", ""),
    ("网站打开了.中国队赢了", ""),
    ("电影好看.游戏也好玩", ""),
]


@pytest.mark.parametrize(
    ("text", "hosts"),
    WITH_AND_WITHOUT_SCHEME
    + GLUED_TO_CHINESE
    + PUNCTUATION
    + SENTENCES_BEHIND
    + BEFORE_AN_AT
    + MANGLED_SCHEMES
    + ADDRESSES
    + OTHER_SCRIPTS,
)
def test_hosts_are_found_whole_and_nothing_else(text: str, hosts: str) -> None:
    assert read(text).domains == tuple(hosts.split())


ORDINARY = """
ok.so see you.now | Yes.ok | thanks.me too | tomorrow.is that ok | home.now | up.to | love.you | Hi.it's me
...so | ok..call me | im home.wat u doing | gud nite.sweet dreams | sorry.i was asleep.in bed
Ok.im on my way.be there at 5.30 | busy.in a meeting | Meet at the cafe.top floor
Meet at the mall.shop till we drop | Buy it online.cheap | in the house.club tonight | Are you free.today
Love you.mum | Thank you.Sir | yes.no.maybe | so.many.words.here | happy bday.god bless | lol.ok | am.in.bed
brb.be | fyi.do not | St.John's | J.K.Rowling | J.R.R.Tolkien | Mr.Lee | Mrs.Smith | Dr.Who | Prof.Ma | No.1
Lt.Col.Smith | W.Shakespeare | R.I.P | e.g. | i.e.this | U.S.A | U.S. | a.m.to | 10a.m.tomorrow | 9p.m.at home
P.S.call | asap.it is | etc.and | etc.so | w.e.f.01.01.2024 | photo.jpg | report.pdf | Node.js | README.md
setup.py | index.html | a.zip | song.mp3 | Vue.js很好用 | 附件.pdf | Excel表.xlsx | pay.php | 12.30 | 12.30pm
v2.1 | v2.1.3 | iOS 17.5.1 | 12.03.2024 | 2024.03.12 | 31.12.99 | 1.5kg | 2.4GHz | £2.99 | $1.50 | 0.5%
24.7 support | Rs.500.Avl Bal Rs.1,200.00 | Rs.199/28days | Txn.of Rs.500 | Bal.Rs.500 | Ref.No.12345
No.of items 3 | debited.If not you call | B.Com student | M.Tech | B.Sc.in | Ph.D.in physics | Ltd.in
A.S.A.P.pls | B'day.in | x'mas.is | I'll.be | don't.do | can't.be | 3.5元 | 价格12.50元 | 版本2.0.1 | 5.20快乐
11.11大促 | 今天3.15日 | 编号A.12 | 时间8.30到9.30 | 尺寸3.5x4.2 | PM2.5 | P.M.2.5 | 用Python3.11 | 你好.我到了
好的.在家 | 好的...在家 | ok.好的 | 好的.ok | 收到.thanks | 哈哈.笑死 | T.T哭 | K.O.了 | V.I.P客户 | 好的。ok。
明天下午3点见。ok | J·K·罗琳 | 开通ABC，VIP客户 | 拨打400.123.4567 | 嗯. | ... | 。。。 | -.- | o.o | T_T.ok
^.^ | Landed.in Delhi | Rahul.is coming | Priya.in school | Password.is abc | Cricket.is on | Manchester.is cold
Christopher.at 5 | Supermarket.is open | Unfortunately.it broke | assignment.is due | Hyderabad.in april
Kuala Lumpur.my home | homework.is done | Merci.de rien | Gracias.si | hola.que tal | bien.y tu | ciao.come stai
danke.es geht | Nein.am Montag | para mi.no se | Oui.je | terima kasih.sama | iya.di rumah | ok.ke sana
belum.ni | haan.main | theek hai.tu aa | Salaam.me | play.store | big.deal | great.news | house.party | at.work
lap.top | buying.online | more.info | Contact.info | sold. top/bottom | ok. com lab | later .how | see you . com
is it ,com | 12点top up | ABC，CN地区
"""


@pytest.mark.parametrize("text", [text for line in ORDINARY.strip().splitlines() for text in line.split(" | ")])
@pytest.mark.parametrize("around", ["Well hello {} and so on", "Hey. {}, ok", "so {}"])
def test_sloppy_sentences_have_no_host(text: str, around: str) -> None:
    assert read(around.format(text)).domains == ()


FIRST = "thanks sorry tomorrow home love walked dinner cousin 10am 2nite sooooo hahaha meeting Office".split()  # noqa: SIM905
NEXT = "is it in at so to me my no now how you are do be pls can here like was u ur the then call please".split()  # noqa: SIM905


def test_words_that_begin_sentences_are_no_endings_after_ordinary_words() -> None:
    false = [f"{a}.{b}" for a in FIRST for b in NEXT if read(f"ok {a}.{b} then").domains]
    assert false == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("evil.top", None),
        ("http://evil.top", "http://evil.top"),
        ("http://evil.top/", "http://evil.top"),
        ("HTTPS://Evil.Top/Pay?Id=1#a", "https://evil.top/Pay?Id=1"),
        ("evil.top:8443", "http://evil.top:8443"),
        ("evil.top:99999", None),
        ("evil.top/a,", "http://evil.top/a"),
        ("(evil.top/a)", "http://evil.top/a"),
        ("evil.top/(a)", "http://evil.top/(a)"),
        ("hxxps://evil.top\\a", "https://evil.top/a"),
        ("https://user:word@evil.top/a", "https://evil.top/a"),
        ("evil.top?a=1", "http://evil.top?a=1"),
        ("evil.top/a办理", "http://evil.top/a"),
        ("evil.top/ahttp://bad.cn", "http://evil.top/a"),
    ],
)
def test_a_url_has_scheme_host_port_path_and_query(text: str, url: str | None) -> None:
    assert find_hosts(text)[0][:2] == ("evil.top", url)


@pytest.mark.parametrize(
    "unit",
    [
        "a.",
        "a@",
        "//a",
        "你.",
        "a.top ",
        "http://",
        "。a",
        "a。",
        "www.",
        "你好.com",
        "x.com@y.top/",
        "é.",
        "a.comhttp://",
        "a-",
    ],
)
def test_a_text_made_to_be_slow_is_read_in_a_moment(unit: str) -> None:
    """The 10,000 characters that are read took 0.05 s at most; a quadratic expression would take seconds."""
    text = unit * (10_000 // len(unit))
    started = time.perf_counter()
    read(text)
    assert time.perf_counter() - started < 1


def test_a_host_beyond_doubt_needs_a_scheme_when_its_ending_is_a_word() -> None:
    assert ordinary("Evil.com", False) == "evil.com"
    assert ordinary("evil.shop", False) is None
    assert ordinary("evil.shop", True) == "evil.shop"


@pytest.mark.parametrize(
    ("tld", "kind"),
    [
        ("com", Ending.NAME),
        ("cn", Ending.NAME),
        ("xn--fiqs8s", Ending.NAME),
        ("top", Ending.OPEN),
        ("live", Ending.WORD),
        ("me", Ending.SENTENCE),
        ("barclays", Ending.SENTENCE),
        ("zip", Ending.FILE),
        ("txt", Ending.UNKNOWN),
        ("example", Ending.UNKNOWN),
    ],
)
def test_an_ending_proves_as_much_as_it_is_no_word(tld: str, kind: Ending) -> None:
    assert ending(tld) is kind


def test_no_ending_stands_in_two_lists() -> None:
    """An ending in two lists would have no effect in one of them."""
    from models.texts import tlds

    lists = [tlds._SENTENCE, tlds._WORDS, tlds._OPEN, tlds._NAMES, tlds._FILES]
    endings = [one for text in lists for one in text.split()]
    assert sorted({one for one in endings if endings.count(one) > 1}) == []


@pytest.mark.parametrize("word", "stopped loves making buying biggest informations zzzz hahaha rs500 10am 7 x".split())  # noqa: SIM905
def test_inflected_and_sloppy_words_are_plain(word: str) -> None:
    assert is_plain_word(word)


@pytest.mark.parametrize("word", "hxq usps icbc re-login sbikyc evil88 dhl".split())  # noqa: SIM905
def test_names_are_not_plain_words(word: str) -> None:
    assert not is_plain_word(word)
