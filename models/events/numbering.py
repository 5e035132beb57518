"""Numbering: how a carrier writes numbers, and the one form in which everything else compares them.

Peers come as switches write them: with ``+`` or ``00`` before foreign numbers, with a trunk prefix, with the prefix of
another carrier, without the country code. A `Numbering` says what a source does; the normal form is that of
`models.indicators.numbers`, so that records and indicators agree. `Tables` hold the ranges of numbers whose normal form
follows by arithmetic. The compiled pass of `models.events.parties` uses them for nearly all records.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import phonenumbers
from numpy.typing import NDArray

from models.base.number_keys import NOBODY, fnv1a, key_of, name_key, number_of
from models.events.number_ranges import Range, chinese_ranges
from models.indicators import written_numbers
from models.indicators.numbers import LEAST_BEHIND, normalise
from models.indicators.written_numbers import CARRIER_SELECTION

_MOST_ASKED: Final = 1 << 16
_URI: Final = re.compile(r'(?:"[^"]*"\s*)?<?sips?:([^@;>]*)', re.IGNORECASE)
_ADDRESS: Final = re.compile(r"<?(?:sips?|tel):([^@;>]*)", re.IGNORECASE)
_ABROAD: Final = re.compile(r"00")
_BETWEEN: Final = re.compile(r"[\W_]+")

WITHHELD: Final = frozenset(
    "anonymous;unknown;private;withheld;restricted;unavailable;notavailable;blocked;hidden;suppressed;none;null;nil;"  # noqa: SIM905
    "na;nan;undefined;nonumber;nocallerid;unknownnumber;privatenumber;hiddennumber;payphone;"
    "匿名;未知;未知号码;保密;隐藏;隐藏号码;私人号码;无;无号码;无主叫;无主叫号码".split(";")
)
"""What switches write when nobody is known: its letters and digits, in small letters."""
_NO_PRESENTATION: Final = frozenset({"-1", "-2", "-3"})
"""Android's and some switches' codes for an unknown, a private and a payphone's number."""

UNNAMED: Final = ("(none)", "(unknown)")
"""How records are counted that name no source, or one that the contract does not declare: such names are anybody's."""

_LONGEST_WORD: Final = 1000
"""Characters beyond ASCII that are taken for a word, with all that may stand between; each may become eighteen."""


def is_withheld(written: str) -> bool:
    """Whether a peer says that nobody is known: empty, zeros alone, or a word for it, also in the form of an address.

    >>> [is_withheld(each) for each in ("", "0", "00", "Anonymous", "N/A", "***", "USPS", "110")]
    [True, True, True, True, True, True, False, False]
    >>> is_withheld("sip:anonymous@anonymous.invalid"), is_withheld("unknown@evil.example")
    (True, False)
    """
    if len(written) > _LONGEST_WORD and not written.isascii():
        return False
    if address := _ADDRESS.match(written):
        written = address[1]
    folded = _BETWEEN.sub("", unicodedata.normalize("NFKC", written).casefold())
    return not folded.strip("0") or folded in WITHHELD or written in _NO_PRESENTATION


@dataclass(frozen=True, slots=True)
class Numbering:
    """How one source writes numbers. ``+`` always begins a country code; so does ``00`` if no longer prefix fits."""

    country_code: str = "86"
    international_prefixes: tuple[str, ...] = ("00",)
    trunk_prefix: str = "0"
    """What callers dial before a national number; empty where there is none."""
    carrier_selection: tuple[str, ...] = CARRIER_SELECTION
    """What callers dial for a cheap call, and some switches leave before the number."""

    @property
    def region(self) -> str:
        """The region (ISO 3166) of national numbers."""
        return str(phonenumbers.region_code_for_country_code(int(self.country_code)))

    def normal(self, written: str) -> str:
        """The normal form of a number; raises ``ValueError`` with one sentence when it is not one number.

        >>> china = Numbering()
        >>> [china.normal(each) for each in ("+99900123456", "17951 10000000077", "01062880000", "10086")]
        ['99900123456', '8610000000077', '861062880000', '10086']
        """
        text = written_numbers.number_of(written, self.region)
        for prefix in self.carrier_selection:
            if text.startswith(prefix) and len(text) - len(prefix) >= LEAST_BEHIND:
                text = text.removeprefix(prefix)
                break
        for prefix in ("+", *self._abroad):
            if text.startswith(prefix):
                return normalise("+" + text.removeprefix(prefix), self.region)
        if self.trunk_prefix and text.startswith(self.trunk_prefix):
            if self.country_code == "86":  # which says itself what may follow a trunk prefix
                return normalise(f"+86{text}", self.region)
            national = f"{self.country_code}{text.removeprefix(self.trunk_prefix)}"
            # No number begins with 0; many begin with 1 or 8: 12345 is a short code, and no number behind a 1.
            if self.trunk_prefix == "0" or written_numbers.is_possible(national):
                return normalise(f"+{national}", self.region)
        return normalise(text, self.region)

    @property
    def _abroad(self) -> list[str]:
        """What begins a foreign number, the longest first: 001 is not a 00 before a 1."""
        return sorted({"00", *self.international_prefixes}, key=len, reverse=True)

    @property
    def hides_a_plus(self) -> bool:
        """Whether a number with ``+`` could not be told from one with ``00``, as number keys write both."""
        return any(len(prefix) > 2 and prefix.startswith("00") for prefix in self.international_prefixes)

    def peer(self, written: str | None) -> str:
        """The number of a peer in normal form, empty when nobody is known; raises ``ValueError`` for anything else."""
        if written is None or is_withheld(written):
            return ""
        address = _URI.match(written)
        return self.normal(written if address is None else address[1])

    def is_normal(self, subscriber: str) -> bool:
        """Whether a subscriber's number is in normal form; no other form is accepted, since it is the record's key."""
        try:
            return len(subscriber) <= 15 and self.normal(subscriber) == subscriber
        except ValueError:
            return False

    def ranges(self) -> list[Range]:
        """The ranges of written numbers whose normal form is known, in order and apart from one another."""
        is_chinese = (self.country_code, self.trunk_prefix) == ("86", "0")
        return chinese_ranges() if is_chinese and all(map(_ABROAD.match, self.international_prefixes)) else []


def sender_key(number: str, written: str | None) -> int:
    """The key of a peer: of its number if it has one, else of the name that is written, else of nobody."""
    if number:
        return key_of(number)
    return NOBODY if written is None or is_withheld(written) else name_key(written)


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The ranges of every numbering as columns, for `models.events.parties.read_parties`."""

    withheld: NDArray[np.int64]
    names: NDArray[np.uint8]
    name_ends: NDArray[np.int64]
    table_of: NDArray[np.int64]
    """The table of each source's code."""
    begins: NDArray[np.int64]
    """Where the ranges of each table begin, and the end of the last."""
    lows: NDArray[np.int64]
    highs: NDArray[np.int64]
    deltas: NDArray[np.int64]
    """What is added to a key to get that of the normal form."""


class Sources:
    """The sources of records that the contract declares, each with its numbering, and the numbering of all others.

    Shared between threads: nothing but the cache changes, which has a lock.
    """

    def __init__(self, default: Numbering, declared: Mapping[str, Numbering]) -> None:
        self._codes = {name: code for code, name in enumerate(declared, 2)}
        self._numberings = (default, default, *declared.values())
        self.normal_key = lru_cache(maxsize=_MOST_ASKED)(self._normal_key)
        """The key of the normal form, by the code of the source and the key as it is written; 0 if there is none."""

    @property
    def names(self) -> tuple[str, ...]:
        """The declared sources, in the order of their codes."""
        return tuple(self._codes)

    def code(self, source: object) -> int:
        """The code of a record's source in columns: 0 for none, 1 for an unknown one, from 2 on the declared ones."""
        if source is None:
            return 0
        return self._codes.get(source, 1) if isinstance(source, str) else 1

    def name(self, source: object) -> str:
        """The name under which the records of a source are counted: a declared one, or one of `UNNAMED`.

        >>> [CHINA.name(each) for each in (None, "8610000000001")]
        ['(none)', '(unknown)']
        """
        return (*UNNAMED, *self._codes)[self.code(source)]

    def numbering(self, code: int) -> Numbering:
        """The numbering of a source, by its code."""
        return self._numberings[code]

    def _normal_key(self, code: int, key: int) -> int:
        numbering, written = self._numberings[code], number_of(key)
        if written.startswith("00") and numbering.hides_a_plus:
            return 0  # the record itself shows which it was
        try:
            return key_of(numbering.normal(written))
        except ValueError:
            return 0

    @cached_property
    def tables(self) -> Tables:
        """What the compiled pass needs."""
        different = list(dict.fromkeys(self._numberings))
        ranges = [each.ranges() for each in different]
        spelt = [name.encode() for name in self.names]
        columns = np.array([each for some in ranges for each in some], dtype=np.int64).reshape(-1, 3)
        return Tables(
            np.array([_hash(word) for word in sorted(WITHHELD) if word.isascii()], dtype=np.int64),
            np.frombuffer(b"".join(spelt), dtype=np.uint8),
            np.cumsum([len(each) for each in spelt], dtype=np.int64),
            np.array([different.index(each) for each in self._numberings], dtype=np.int64),
            np.cumsum([0, *map(len, ranges)], dtype=np.int64),
            *(columns[:, index].copy() for index in range(3)),
        )


CHINA: Final = Sources(Numbering(), {})
"""No declared sources, and all numbers written as in China."""


def _hash(word: str) -> int:
    """The hash of a word as a signed number, as the compiled pass makes it."""
    return int(np.uint64(fnv1a(word)).astype(np.int64))
