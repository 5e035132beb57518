"""Blocklists: reads the rules of hosts files, dnsmasq, Unbound, Adblock and AdGuard, and of response policy zones.

Such lists say what a resolver or a browser should block. Each reader turns a line into the hosts that it blocks.
Exceptions, rules for parts of pages and the addresses that blocked hosts are sent to are no indicators. What maps a
host to another machine is refused, because it does not say that the host is bad.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from models.indicators.indicator import guess_type
from streams.files.list_entries import EXCEPTIONS, Entry, LeftOut, Wrong

Found = Iterator[Entry | Wrong | LeftOut]

SINK: Final = (
    r"(?:0\.0\.0\.0|127(?:\.\d{1,3}){3}|::1?|(?:0{1,4}:){7}0{0,3}[01]|0|fe80::1(?:%\w+)?|255\.255\.255\.255|ff0\w::\w+)"
)
"""The addresses to which hosts are sent that nobody should reach, and those of a machine itself."""
_SINK: Final = re.compile(SINK, re.IGNORECASE)
_GLUED: Final = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)(?=[a-z])", re.IGNORECASE)
_OWN: Final = re.compile(r"(?:local|localhost|broadcasthost|ip6-\w+|localhost\d?\.localdomain\d?)", re.IGNORECASE)
_MAPS: Final = Wrong(
    "the host is not blocked, but mapped to another machine; the addresses of a block are 0.0.0.0 and ::"
)
_OWN_NAMES: Final = LeftOut("names of the machine itself")
_SETTINGS: Final = LeftOut("other settings")


def hosts_line(text: str) -> Found:
    """The hosts of a line of a hosts file: an address, and the names that lead to it."""
    fields = text.partition("#")[0].split()
    if not fields:
        return
    address, names = fields[0], fields[1:]
    if _GLUED.match(address):
        yield Wrong("a blank is missing between the address and the host")
    elif _SINK.fullmatch(address):
        for name in names:
            yield _OWN_NAMES if _OWN.fullmatch(name) or _SINK.fullmatch(name) else Entry(value=name, type="domain")
    elif names:
        yield _MAPS if _is_address(address) else Wrong("a line of a hosts file is an address and its hosts")
    else:
        yield Entry(value=address)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_DNSMASQ: Final = re.compile(r"(address|server|local)\s*[= ]\s*/(.*)/([^/]*)", re.IGNORECASE)
_BEGUN: Final = re.compile(r"(?:address|server|local)\s*[= ]\s*/", re.IGNORECASE)


def dnsmasq_line(text: str) -> Found:
    """The hosts of a line of a configuration of dnsmasq or SmartDNS: ``address=/host/0.0.0.0``, ``local=/host/``."""
    text = text.partition(" #")[0].strip()
    if not text or text.startswith("#"):
        return
    rule = _DNSMASQ.fullmatch(text)
    if rule is None:
        yield Wrong("a rule for hosts is written address=/host/0.0.0.0") if _BEGUN.match(text) else _SETTINGS
        return
    kind, names, target = rule[1].lower(), rule[2].split("/"), rule[3].strip()
    if kind == "server" and target:
        yield EXCEPTIONS if target == "#" else LeftOut("hosts that another server answers for")
    elif target not in ("", "#") and not _SINK.fullmatch(target):
        yield _MAPS
    else:
        for name in names:
            yield Wrong("a rule for all hosts names none") if name == "#" else Entry(value=name, type="domain")


_ZONE: Final = re.compile(r"""local-zone:\s*["']?([^\s"']+)["']?\s+["']?(\w+)["']?\s*(?:#.*)?""", re.IGNORECASE)
_RECORD: Final = re.compile(
    r"""local-data:\s*["'](\S+)\s+(?:\d+\s+)?(?:IN\s+)?(A|AAAA)\s+(\S+?)["'].*""", re.IGNORECASE
)
_OPEN_ZONES: Final = frozenset({"transparent", "typetransparent", "nodefault", "always_transparent", "inform"})


def unbound_line(text: str) -> Found:
    """The hosts of a line of a configuration of Unbound: ``local-zone: "host" always_nxdomain``."""
    text = text.strip()
    if not text or text.startswith("#"):
        return
    if zone := _ZONE.fullmatch(text):
        yield EXCEPTIONS if zone[2].lower() in _OPEN_ZONES else Entry(value=zone[1], type="domain")
    elif record := _RECORD.fullmatch(text):
        yield Entry(value=record[1], type="domain") if _SINK.fullmatch(record[3]) else _MAPS
    else:
        yield _SETTINGS


COSMETIC: Final = re.compile(r"#@?[$?%]*\??#|\$@?\$")
"""Between the hosts and the selector of a rule about a part of a page."""
_WHOLE_PAGES: Final = frozenset(
    {"all", "document", "doc", "popup", "important", "third-party", "3p", "subdocument", "frame", "network"}
)
"""Options of a rule that still block the host as a page; any other narrows it to images, scripts or some pages."""
_PARTS: Final = LeftOut("rules about parts of pages")


def adblock_line(text: str) -> Found:
    """The hosts and addresses of a filter rule of Adblock or AdGuard: ``||host^``, ``||host/path^$document``."""
    rule = text.strip()
    if not rule or rule.startswith("!") or (rule[0] == "[" and rule[-1] == "]"):
        return
    if rule.startswith("@@"):
        yield EXCEPTIONS
    elif COSMETIC.search(rule):
        yield _PARTS
    elif rule.startswith("#"):
        return
    elif re.fullmatch(r"/.*/(?:\$.*)?", rule):
        yield Wrong("a regular expression names no host")
    elif re.match(rf"{SINK}\s", rule):
        yield from hosts_line(rule)
    else:
        yield _of_pattern(rule)


def _of_pattern(rule: str) -> Entry | Wrong | LeftOut:
    pattern, _, options = rule.partition("$")
    narrow = {option.strip().lower() for option in options.split(",") if option} - _WHOLE_PAGES
    if narrow:
        return EXCEPTIONS if "badfilter" in narrow else _PARTS
    address = pattern.strip("|").removesuffix("*").removesuffix("^").removesuffix("/")
    if re.search(r"[*^|]", address.removeprefix("*.")):
        return Wrong("a rule with a wildcard names no host")
    if not address or address[0] in "/&?-_=:":
        return Wrong("a rule for a part of any address names no host")
    return Entry(value=address, type="url" if guess_type(address) == "url" else "domain")


_NETWORK_TRIGGERS: Final = (".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname")


class PolicyZone:
    """Reads a response policy zone (RPZ) line by line; it remembers the origin and the owner of the last record."""

    def __init__(self) -> None:
        self._origin = ""
        self._owner = "@"
        self._open = 0
        """How many brackets are open; a record goes on until all are closed."""

    def __call__(self, text: str) -> Found:
        """The hosts and addresses of a line."""
        line = text.partition(";")[0].rstrip()
        fields = line.split()
        goes_on = self._open > 0
        self._open = max(0, self._open + line.count("(") - line.count(")"))
        if goes_on or not fields:
            return
        if fields[0].startswith("$"):
            if fields[0].upper() == "$ORIGIN" and len(fields) > 1:
                self._origin = fields[1].strip(".").lower()
            return
        if not line[0].isspace():
            self._owner = fields.pop(0).lower()
        while fields and (re.fullmatch(r"(?:\d+[smhdw]?)+", fields[0], re.IGNORECASE) or fields[0].upper() == "IN"):
            fields.pop(0)
        if len(fields) < 2:
            yield Wrong("this is no record of a zone")
            return
        yield from self._record(fields[0].upper(), fields[1].lower())

    def _record(self, kind: str, target: str) -> Found:
        name = self._owner.removesuffix(".")
        if kind == "SOA" and self._owner.endswith(".") and not self._origin:
            self._origin = name
        if self._origin:
            name = name.removesuffix("." + self._origin)
        if kind not in ("CNAME", "A", "AAAA") or name in ("@", self._origin):
            return
        if target.startswith(("rpz-passthru", "rpz-tcp-only")) or target.removesuffix(".") == name:
            yield EXCEPTIONS
        elif name.endswith(_NETWORK_TRIGGERS):
            yield LeftOut("rules about clients and name servers")
        elif name.endswith(".rpz-ip"):
            yield _of_trigger(name.removesuffix(".rpz-ip").split("."))
        else:
            yield Entry(value=name, type="domain")


def _of_trigger(labels: list[str]) -> Entry | Wrong:
    """The address of an ``rpz-ip`` trigger: the length of its network, and then its parts in reverse."""
    length, parts = labels[0], labels[:0:-1]
    if len(parts) == 4 and "zz" not in parts:
        address, whole, is_name = ".".join(parts), "32", True
    else:
        address, whole, is_name = re.sub(r":?zz:?", "::", ":".join(parts)), "128", False
    if not _is_address(address):
        return Wrong("this is no address in the form of a response policy zone")
    if length != whole:
        return Wrong("this is a network of addresses; list the addresses that are known, one by one")
    return Entry(value=address, type="domain") if is_name else Entry(value=f"[{address}]", type="url")
