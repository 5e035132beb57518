"""Domains: one spelling for each host and URL, the domain it belongs to, and whether strangers share it.

Both sides of matching use this module: indicators at import, and hosts read from a text. So `Bücher.de.` and
`xn--bcher-kva.de` are the same host. The public suffixes come from the list inside `publicsuffixlist`. The list is
loaded at first use (0.1 s), and nothing is ever fetched.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from urllib.parse import quote

from publicsuffixlist import PublicSuffixList

from models.texts.browsers import ascii_host, ipv4, is_number
from models.texts.signs import MARK

_SHARED = """
0rz.tw 1drv.ms adf.ly aka.ms b.link bit.do bit.ly bitly.com bitly.ws bl.ink buff.ly chilp.it clck.ru
clicky.me cli.gs cutt.ly cutt.us dlvr.it dub.sh dwz.cn dwz.date dwz.mk fb.me fb.watch gg.gg goo.by
goo.gl goo.su han.gl hyperurl.co ift.tt is.gd j.mp kutt.it l.ead.me lihi.cc lihi.io lihi.tv lihi1.cc
lihi1.com lihi1.me lihi2.cc lihi2.com lihi2.me lihi3.cc lihi3.com lihi3.me linkd.in lnk.bio lnkd.in
lnk.to me2.do mrw.so mz.cm n9.cl naver.me onl.la ouo.io ow.ly p.tl page.link picsee.co pics.ee pse.is
psee.io qr.ae qrco.de r.mtw.so rb.gy rebrand.ly reurl.cc risu.io s.id s.yam.com shor.by short.gy
short.io shorten.asia shorturl.asia shorturl.at shrtco.de smarturl.it sourl.cn suo.im suo.nz surl.li
sz.je t.cn t.co t.hk.uy t.ly t.ne.jp t1p.de tb.cn tiny.cc tiny.one tinyurl.com tny.im tr.ee trib.al u.nu
u.to u8k.cn url.cn url.ie urlzs.com urluno.com utm.to v.gd v.ht vk.cc w.url.cn wee.so x.co x.gd xurl.es
yep.it yip.su zpr.io zurl.to 3.cn 985.so 980.so c7.gg dlj.bz ddnsto.com ppt.cc tinyl.io t2m.io u.jd.com
m.tb.cn tinylink.onl vo.la iii.im ssur.cc maac.io
forms.gle docs.google.com forms.office.com forms.microsoft.com surveymonkey.com typeform.com jotform.com
form.jotform.com wjx.cn wjx.top jinshuju.net jinshuju.com surveycake.com wufoo.com tally.so
123formbuilder.com cognitoforms.com formstack.com mikecrm.com
drive.google.com sites.google.com storage.googleapis.com firebasestorage.googleapis.com maps.app.goo.gl
maps.google.com play.google.com translate.google.com google.com dropbox.com onedrive.live.com
sharepoint.com wetransfer.com mediafire.com mega.nz pan.baidu.com yun.baidu.com lanzou.com lanzoux.com
kdocs.cn docs.qq.com feishu.cn notion.so notion.site telegra.ph linktr.ee beacons.ai bio.link portaly.cc
campsite.bio taplink.cc canva.com medium.com github.com raw.githubusercontent.com gitee.com
s3.amazonaws.com apps.apple.com itunes.apple.com testflight.apple.com
t.me telegram.me telegram.org wa.me wa.link whatsapp.com chat.whatsapp.com api.whatsapp.com line.me
lin.ee page.line.me m.me messenger.com facebook.com instagram.com instagr.am twitter.com x.com
youtube.com youtu.be tiktok.com vt.tiktok.com douyin.com kuaishou.com v.kuaishou.com weibo.com weibo.cn
xiaohongshu.com xhslink.com zhihu.com bilibili.com b23.tv qq.com weixin.qq.com jq.qq.com qm.qq.com
u.wechat.com wechat.com open.kakao.com discord.gg discord.com signal.me signal.group skype.com
join.skype.com zoom.us meet.google.com zalo.me viber.com invite.viber.com linkedin.com pinterest.com
pin.it reddit.com redd.it snapchat.com baidu.com taobao.com tmall.com jd.com
"""
# Link shorteners; forms and surveys; files, pages and sites under one roof; chats, groups and feeds.
SHARED_HOSTS = frozenset(_SHARED.split())
"""Hosts that strangers share: only the path distinguishes a fraudster's page from the others.

A host below such a host (`m.weibo.com`) is shared as well. Collected by hand from the pages of the services."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
_MARK = re.compile(f"(?![。｡・]){MARK}")  # two of them are dots, and one looks like a hyphen
_URL = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*):(?![0-9]+(?:[/?#\\]|\Z)))?(?P<slashes>[/\\]{2,})?(?:[^/?#\\]*@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[^/?#\\:\[\]]+)(?::(?P<port>[0-9]*))?(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_UNSAFE = re.compile(r"[^!-~]")
_SAFE = "".join(map(chr, range(0x21, 0x7F)))


@cache
def _suffixes() -> PublicSuffixList:
    """The bundled public suffix list with its private part, read once."""
    return PublicSuffixList()


def normalise_host(value: str) -> str:
    """Normalise a host: lower-case ASCII as browsers map it, without a trailing dot; an IP address in its usual form.

    Underscores are kept, since real hosts have them. Raises ValueError with a sentence that names the value when it is
    neither a host of at least two labels nor an address. A scheme, a port or a path is refused too.

    >>> normalise_host(" WWW.Evil.TOP. "), normalise_host("0xC0.0.513")
    ('www.evil.top', '192.0.2.1')
    >>> normalise_host("例子.中国")
    'xn--fsqu00a.xn--fiqs8s'
    """
    if not value.isascii() and _MARK.search(value):  # between two hosts, or before a note; no text has a host with it
        raise ValueError(f"{value!r} is not a host: it has a mark of a sentence.")
    try:
        host = ascii_host(value.strip()).removesuffix(".")
    except ValueError as error:
        raise ValueError(f"{value!r} is not a host: {error}.") from error
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host.removeprefix("[").removesuffix("]")))
        except ValueError as error:
            raise ValueError(
                f"{value!r} is not a host: leave out the scheme and the port, or write an IPv6 address."
            ) from error
    if _HOST.fullmatch(host) is None:
        raise ValueError(
            f"{value!r} is not a host: write labels of letters, digits and hyphens joined by dots: example.com."
        )
    if is_number(host[host.rfind(".") + 1 :]):
        try:
            return ipv4(host)
        except ValueError as error:
            raise ValueError(f"{value!r} is neither a name nor an IPv4 address.") from error
    return host


def is_address(host: str) -> bool:
    """Whether a normalised host is an IP address rather than a name.

    >>> is_address("192.0.2.7"), is_address("2001:db8::1"), is_address("7.example.com")
    (True, True, False)
    """
    return ":" in host or host[host.rfind(".") + 1 :].isdigit()


def is_top_level(label: str) -> bool:
    """Whether a lower-case label, in Unicode or ASCII form, is a top-level domain of the public suffix list.

    >>> is_top_level("top"), is_top_level("中国"), is_top_level("ck"), is_top_level("txt")
    (True, True, True, False)
    """
    return _suffixes().publicsuffix(f"example.{label}", accept_unknown=False) is not None


def top_levels() -> frozenset[str]:
    """Every top-level domain of the public suffix list, in lower-case Unicode and ASCII forms.

    >>> {"top", "ck", "xn--fiqs8s"} <= top_levels()
    True
    """
    # The library has no public way to list them; a test compares this set with the library's answer for each name.
    return frozenset(suffix.rpartition(".")[2] for suffix in _suffixes()._publicsuffix)


def is_public_suffix(host: str) -> bool:
    """Whether anybody can register a name right below this host: `com`, `co.uk`, and also `github.io`.

    >>> is_public_suffix("co.uk"), is_public_suffix("github.io"), is_public_suffix("example.com")
    (True, True, False)
    """
    return not is_address(host) and _suffixes().is_public(host)


def registrable(host: str) -> str | None:
    """The part of a normalised host that one party registered; None for a public suffix and for an address.

    >>> registrable("pay.hmrc.refund-claim.co.uk")
    'refund-claim.co.uk'
    """
    if is_address(host):
        return None
    owned: str | None = _suffixes().privatesuffix(host)
    return owned


@lru_cache(maxsize=1 << 16)
def parents(host: str) -> tuple[str, ...]:
    """A normalised host and each parent down to the registrable domain; an address has no parents.

    A public suffix has no owner, so it is never included: the result for a public suffix is empty. Cached.

    >>> parents("a.b.example.co.uk")
    ('a.b.example.co.uk', 'b.example.co.uk', 'example.co.uk')
    >>> parents("co.uk")
    ()
    """
    if is_address(host):
        return (host,)
    owned = registrable(host)
    if owned is None:
        return ()
    found = [host]
    while len(host) > len(owned):
        host = host.partition(".")[2]
        found.append(host)
    return tuple(found)


def is_shared_host(host: str) -> bool:
    """Whether strangers share this normalised host; a shared host may be matched only together with its path.

    >>> [is_shared_host(host) for host in ("bit.ly", "m.weibo.com", "github.io", "evil.top")]
    [True, True, True, False]
    """
    lines = parents(host)
    return host in SHARED_HOSTS or not lines or not SHARED_HOSTS.isdisjoint(lines)


def normalise_url(value: str) -> str:
    """Normalise a URL: host, port and path with the query, without scheme, user, fragment and last slash.

    The host is normalised and the default ports are dropped. Path and query keep their case, because servers
    distinguish it, and their characters beyond ASCII are percent-encoded. Raises ValueError with a sentence that names
    the value when its host or port is invalid.

    >>> normalise_url("HTTPS://user@Evil.TOP:443/Pay/?a=1#top")
    'evil.top/Pay?a=1'
    >>> normalise_url("bit.ly/3AbC/"), normalise_url("evil.top:8443")
    ('bit.ly/3AbC', 'evil.top:8443')
    """
    parts = _URL.fullmatch(value.strip())
    if parts is None or (parts["path"] and parts["path"][0] not in "/\\"):
        raise ValueError(f"{value!r} is not a URL: write it as host/path, with or without http:// before it.")
    # Without slashes before it, one number is no address: it may be a phone number.
    host = (
        ipv4(parts["host"]) if parts["slashes"] and is_number(parts["host"].lower()) else normalise_host(parts["host"])
    )
    scheme = parts["scheme"].lower() if parts["scheme"] else None
    port = (parts["port"] or "").lstrip("0")
    if port and int(port) > 65535:
        raise ValueError(f"{value!r} is not a URL: its port is above 65535.")
    # Without its scheme a URL does not say whether the port is http's or https's; both belong to the same owner.
    if port in ("80", "443") or (scheme == "ftp" and port == "21"):
        port = ""
    if ":" in host:
        host = f"[{host}]"
    path = parts["path"].replace("\\", "/").rstrip("/") + (parts["query"] or "")
    if _UNSAFE.search(path):  # browsers percent-encode these, and so do copied addresses
        path = quote(path, safe=_SAFE)
    return f"{host}{':' if port else ''}{port}{path}"


def host_of(url: str) -> str:
    """The normalised host of a URL, or of a host alone; raises ValueError like `normalise_url`.

    >>> host_of("http://user@Evil.TOP:8080/Pay"), host_of("evil.top"), host_of("http://[2001:DB8::1]/x")
    ('evil.top', 'evil.top', '2001:db8::1')
    """
    host = re.split("[/?]", normalise_url(url), maxsplit=1)[0]
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
