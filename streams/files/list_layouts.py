"""List layouts: recognises from its first lines how a list of indicators is laid out.

To add a layout, write its reader (one line in, entries out) and its line in `LAYOUTS`; a layout that is no list of
values gets a line in `_FOREIGN`, so that it is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from models.indicators.indicator import IndicatorError, guess_type
from models.texts.deobfuscation import deobfuscated
from streams.files.blocklists import (
    COSMETIC,
    SINK,
    PolicyZone,
    adblock_line,
    dnsmasq_line,
    hosts_line,
    unbound_line,
)
from streams.files.list_entries import Entry, LeftOut, Read, Wrong, unquoted
from streams.files.tables import DELIMITERS, VALUES, Table, cells_of, heading, looks_like_a_value

HEAD: Final = 200
"""How many lines a layout is recognised from."""


class LayoutError(ValueError):
    """A file is no list of indicators that can be read; one sentence says what it is and what to do."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a file is laid out."""

    name: str
    read: Read
    is_usual: bool = False
    """Whether it is a form of the project's own: a list, a table or JSON Lines."""
    skipped: int = 0
    """How many lines come before the first that is read."""
    ignored: tuple[str, ...] = ()
    """The headings of the columns that are not read."""
    region: str | None = None
    """The country of the numbers, if the layout shows it."""


@dataclass(frozen=True)
class _Rules:
    """A layout of another program, which most of its lines show, or one line that only it has."""

    name: str
    line: re.Pattern[str]
    reader: Callable[[], Read]
    comments: tuple[str, ...] = ("#",)
    sign: re.Pattern[str] | None = None

    def fits(self, lines: Sequence[str]) -> bool:
        if self.sign is not None and any(map(self.sign.match, lines)):
            return True
        told = [line for line in lines if line.strip() and not line.startswith(self.comments)]
        return 2 * sum(self.line.match(line) is not None for line in told) > len(told)


LAYOUTS: Final = (
    _Rules(
        "filter rules of Adblock or AdGuard",
        re.compile(rf"@@|\|\||\S*?(?:{COSMETIC.pattern})\S"),
        lambda: adblock_line,
        ("!", "# "),
        re.compile(r"\[(?:Adblock|AdGuard|uBlock)", re.IGNORECASE),
    ),
    _Rules(
        "a response policy zone (RPZ)",
        re.compile(r"\S+\s.*?\bCNAME\s+(?:\.|\*\.|rpz-)", re.IGNORECASE),
        PolicyZone,
        (";", "#"),
        re.compile(r"\$(?:TTL|ORIGIN)\s|\S+\s.*?\bSOA\s", re.IGNORECASE),
    ),
    _Rules("a hosts file", re.compile(rf"{SINK}\s+\S", re.IGNORECASE), lambda: hosts_line),
    _Rules(
        "a configuration of dnsmasq",
        re.compile(r"(?:address|server|local|ipset|nftset)\s*[= ]\s*/", re.IGNORECASE),
        lambda: dnsmasq_line,
    ),
    _Rules(
        "a configuration of Unbound",
        re.compile(r"\s*(?:server:|local-zone:|local-data:)", re.IGNORECASE),
        lambda: unbound_line,
    ),
)
"""The layouts of other programs that are read."""

_FOREIGN: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"BEGIN:VCARD", "an address book (vCard)"),
        (r"BEGIN:VCALENDAR", "a calendar"),
        (r"<(?:!doctype html|html|head|body)", "a web page; was the list behind a sign-in, or is it gone?"),
        (r"<", "XML"),
        (r"\{\\rtf", "a document (RTF)"),
        (r"\{[+-]", "a list of actions of Privoxy"),
        (r'\{\s*"type"\s*:\s*"bundle"', "a STIX bundle"),
        (r'\{\s*"(?:Event|response)"\s*:', "a MISP event"),
        (r"-----BEGIN ", "a key or a signed text"),
        (r"(?:var |function )", "a program, for example for choosing a proxy"),
        (r"(?:payload:|rules:|-?\s*(?:DOMAIN|HOST)-\w+,)", "a list of rules of Clash, Surge or Quantumult"),
        (r"(?:full|domain|keyword|regexp|geosite|include):\S", "a list of domains of V2Ray"),
        (
            r"(?:sudo\s+)?ip6?tables\s|-A\s+\w+\s|(?:allow|deny)\s+(?:from\s+)?[\da-f:.]+",
            "a list of rules of a firewall",
        ),
        (r"(?:alert|drop|reject|pass)\s+(?:ip|tcp|udp|dns|http|tls)\s", "a list of rules of Suricata or Snort"),
        (r"(?:insert into|create table|-- (?:mysql|mariadb|postgresql))\b", "a dump of a database"),
        (r'zone\s+"', "a configuration of BIND"),
        (r"(?:acl|http_access)\s", "a configuration of Squid"),
        (r"(?:return-path|received|from|subject|mime-version):\s", "an e-mail"),
    )
)
"""What people take for a list, by its beginning."""


def recognised(head: Sequence[str], is_whole: bool) -> Layout:
    """The layout of a file with these first lines; ``is_whole`` says whether they are all.

    Raises `LayoutError` for a file that is no list, or a table without a heading that stands for a value.
    """
    lines = [line for line in head if line.strip() and not line.startswith("#")]
    first = lines[0].strip() if lines else ""
    for beginning, name in _FOREIGN:
        if beginning.match(first):
            raise LayoutError(f"this is no list of indicators, but {name}")
    if first.startswith("{"):
        if first == "{":
            raise LayoutError("this is one JSON document; write one object on each line (JSON Lines) instead")
        return Layout(name="JSON Lines", read=_record, is_usual=True)
    for rules in LAYOUTS:
        if rules.fits([*filter(str.strip, head)]) and lines:
            return Layout(name=rules.name, read=rules.reader())
    if first.startswith("[") and re.match(r"\[\s*(?:$|[\[{\"'\d])", first) and not re.match(r"\[[\da-f]*:", first):
        raise LayoutError("this is one JSON array; write one object on each line (JSON Lines) instead")
    try:
        found = heading(head)
    except ValueError as error:
        raise LayoutError(str(error)) from None
    if found is not None:
        return Layout(
            name="a table",
            read=Table(found),
            is_usual=True,
            skipped=found.line,
            ignored=found.ignored,
            region=found.region,
        )
    if is_whole and len(lines) == 1 and (cells := _values_of_one_line(first)):
        return Layout(name="one line of values", read=lambda text: map(_plain, cells) if text.strip() == first else ())
    _check_no_table(lines)
    return Layout(name="a list of one value a line", read=_value, is_usual=True)


def _values_of_one_line(line: str) -> list[str]:
    """The values that stand on one line with commas or other signs between; empty if they are no such line."""
    for sign in (",", "，", "、", ";", "；", "|", "\t"):
        cells = [cell.strip().strip("\"'") for cell in line.split(sign) if cell.strip()]
        # An address may contain a comma: https://evil.example/a,b.html
        if len(cells) > 1 and all(map(looks_like_a_value, cells)) and len({"://" in cell for cell in cells}) == 1:
            return cells
    return []


def _check_no_table(lines: Sequence[str]) -> None:
    """Refuse the rows of a table that has no headings for values: lines that all have as many cells."""
    first = next(iter(lines), "")
    may_be_an_address = "/" in first  # which may have any sign in it
    delimiter = next(
        (
            sign
            for sign in DELIMITERS[:3]
            if (first.count(sign) >= 2 and not may_be_an_address) or _are_rows(lines, sign)
        ),
        None,
    )
    if delimiter is None:
        return
    heads = [head.strip() for head in cells_of(first, delimiter) if head.strip()]
    named = "" if any(any(map(str.isdigit, head)) for head in heads) else f"; the first row has {', '.join(heads[:8])}"
    raise LayoutError(f"the table needs headings, one of them for a value: {', '.join(VALUES)}{named}")


def _are_rows(lines: Sequence[str], delimiter: str) -> bool:
    rows = [_without_remark(line) for line in lines]
    return len(rows) > 1 and all(delimiter in row for row in rows)


_decoder = msgspec.json.Decoder(Entry)


def _record(text: str) -> Iterator[Entry | Wrong]:
    if not text.strip():
        return
    try:
        yield _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        yield Wrong(str(IndicatorError(f"this is not an indicator record: {error}")))  # which may quote the line


def _without_remark(line: str) -> str:
    """A line without the remark at its end, which needs a space before its sign, because a URL may contain one."""
    return line.partition(" #")[0].partition(" ;")[0].strip().rstrip(",;")


_MAYBE_HOSTS: Final = re.compile(rf"{SINK}\s")
_MAYBE_RULE: Final = ("||", "@@||")


def _value(text: str) -> Iterator[Entry | Wrong | LeftOut]:
    value = _without_remark(text)
    if not value or value.startswith(("#", ";", "//")):
        return
    # Lists that are put together from several contain lines of other layouts.
    if _MAYBE_HOSTS.match(value):
        yield from hosts_line(value)
    elif value.startswith(_MAYBE_RULE):
        yield from adblock_line(value)
    else:
        yield _plain(unquoted(value).strip('"'))


_BLANK: Final = re.compile(r"\s")
_SIGNS: Final = re.compile(r"[*^$\\＊]")
_EXPRESSION: Final = re.compile(r"/.*/[a-z]*|.*(?:\\.|\(\?|\.[*+]|\][*+?{]|\$$).*|\^.*", re.DOTALL)
_MASKED: Final = re.compile(r"[+\d\s-]*\d[\s-]*[*＊]{2,}[\d\s-]*\d")


def _plain(value: str) -> Entry | Wrong:
    """The entry of a value that stands by itself, or what it is if it names no number and no host."""
    if _BLANK.search(value) and guess_type(value) == "url" and _BLANK.search(deobfuscated(value)):
        return Wrong("a blank is in the address; list one address in a line, and leave out notes")
    value = value.removeprefix("+") if value.startswith("+.") else value  # a host with its subdomains, as in Clash
    if _SIGNS.search(value) is None:
        return Entry(value=value)
    if _EXPRESSION.fullmatch(value):
        return Wrong("this is a regular expression; list the numbers and hosts that it stands for")
    if _MASKED.fullmatch(value):
        return Wrong("this number is masked; ask for the whole number")
    value = value.removesuffix("/*")  # everything below an address, which is what an address means
    rest = value.removeprefix("*.")
    if "*" in (rest[:-1] if rest[:1] in "+(0123456789" else rest):
        return Wrong("a wildcard can only be the last sign of a number, or stand before a host: *.evil.example")
    return Entry(value=value)
