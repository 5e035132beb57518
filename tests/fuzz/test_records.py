"""Fuzz: JSON records of calls and SMS, with their texts, hosts and traits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.base.packed import Packed
from models.detection.recognition import normal_hosts, sms_signals
from models.events import parties, scanning, unescaping
from models.events.decoding import CallReader, MessageReader
from models.events.numbering import CHINA
from models.indicators import path_hashes, prefilter
from models.indicators.prefilter import HostPrefilter
from models.indicators.url_starts import DEEPEST
from models.texts import plain_links, templates
from models.texts import prefilter as traits
from models.texts.extraction import LONGEST, read
from models.texts.signs import ENDS
from tests.fuzz import FEW
from tests.fuzz.damage import damaged
from tests.fuzz.guarded import Guarded, plain
from tests.strategies import known, packed
from tests.wrong_records import GOOD, PLAIN, UNUSUAL, record

SOUND = [*GOOD, *PLAIN, *UNUSUAL]
SOUND += [record(phase=None, text=text) for text in ("code 482913 evil.example/a", "你好.公司 http://a.example", "é")]
SOUND += [record(phase=None, text="a", domains=["evil.example", "http://a.top/b"])]
RECORDS = st.lists(damaged(st.sampled_from(SOUND)), min_size=1, max_size=4)
PARTS = [*"a.:/w@%- \n你。é中W1x", "http://", "www.", ".top", "evil.example", "&amp;", "验证码"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)


def scanned(records: Packed, is_call: bool) -> tuple[Guarded, dict[str, Guarded]]:
    """The buffer of the records after the scan, their texts, and their parties, with all columns that they fill."""
    count = len(records)
    buffer = Guarded(records.buffer)
    names = "subscribers peers peer_begins source_begins times durations text_begins text_ends id_begins id_ends"
    kinds: dict[str, Any] = {"durations": np.float64, "kinds": np.uint8, "forms": np.uint8}
    columns = {
        name: Guarded(np.zeros(count, dtype=kinds.get(name, np.int64))) for name in (*names.split(), "kinds", "forms")
    }
    places = [Guarded(each) for each in (records.begins, records.ends, records.key_begins, records.key_ends)]
    plain(scanning.scan)(buffer, *places, True, is_call, *columns.values())
    texts = Guarded(np.zeros(records.buffer.size, dtype=np.uint8))
    ends, sound = (Guarded(np.zeros(count, dtype=kind)) for kind in (np.int64, np.bool_))
    plain(unescaping.spell)(buffer, columns["text_begins"], columns["text_ends"], texts, ends, sound)
    tables = [Guarded(getattr(CHINA.tables, name)) for name in ("withheld", "names", "name_ends", "table_of")]
    tables += [Guarded(getattr(CHINA.tables, name)) for name in ("begins", "lows", "highs", "deltas")]
    filled = [columns["forms"], columns["subscribers"], columns["peers"]]
    filled += [Guarded(np.zeros(count, dtype=np.uint8)) for _ in range(2)]
    begins = columns["peer_begins"], columns["source_begins"]
    plain(parties.read_parties)(buffer, *begins, is_call, *tables, *filled)
    return buffer, columns


@FEW
@given(RECORDS, st.booleans())
def test_every_record_is_read_or_refused_and_no_index_leaves_its_array(values: list[bytes], is_call: bool) -> None:
    keys = [b"8610000000001" for _ in values]
    records = packed(values, keys)
    reader: Any = CallReader() if is_call else MessageReader()

    decoded = reader.read(records)
    _, columns = scanned(records, is_call)

    assert len(decoded.events) + len(decoded.refusals) == len(values)
    assert all(event.id for event in decoded.events)
    assert columns["forms"].size == len(values)
    if not is_call:
        assert all(signal.at for _, signal in sms_signals(decoded.events, known()))


@FEW
@given(TEXTS)
def test_no_text_leads_a_scan_out_of_its_bytes(text: str) -> None:
    spelt = np.frombuffer(text.encode(), dtype=np.uint8)
    hosts = HostPrefilter()
    hosts.add_host("evil.example")
    begins, ends = np.zeros(1, dtype=np.int64), np.array([len(spelt)], dtype=np.int64)
    of_text = Guarded(spelt), Guarded(begins), Guarded(ends)
    filled = [Guarded(begins) for _ in range(3)]

    plain(plain_links._find_links)(Guarded(plain_links._ENDINGS), *of_text, *filled)
    plain(prefilter._may_hold)(Guarded(hosts.table), hosts.longest, Guarded(ENDS), of_text[0], 0, len(spelt))

    found = plain_links.plain_links(spelt, begins, ends)
    assert [[each[0]] for each in filled] == [column.tolist() for column in found]
    assert len(traits.traits_of(spelt, ends)) == len(hosts.may_hold(spelt, begins, ends)) == 1
    assert templates.templates_of(spelt, begins, ends)[0] >= 0
    assert all(host.isascii() for host in read(text).domains)


@FEW
@given(st.lists(st.text("/?a", max_size=12), min_size=1, max_size=4))
def test_no_link_leads_its_hashing_out_of_its_bytes(paths: list[str]) -> None:
    spelt = np.frombuffer("".join(f"e.top{path}" for path in paths).encode(), dtype=np.uint8)
    ends = np.cumsum([5 + len(path) for path in paths])
    begins = ends - [5 + len(path) for path in paths]
    hashes, hash_ends = path_hashes.PUBLIC.of_plain(spelt, begins, begins + 5, ends)
    most = int((np.minimum(ends - begins - 5, DEEPEST) + 2).sum())
    filled = Guarded(np.zeros(most, dtype=np.uint64)), Guarded(np.zeros_like(hash_ends))

    with np.errstate(over="ignore"):
        count = plain(path_hashes._hash_starts)(
            Guarded([0, 0]), DEEPEST, *map(Guarded, (spelt, begins, begins + 5, ends)), *filled
        )

    assert [filled[0][at] for at in range(count)] == hashes.view(np.uint64).tolist()
    assert [*filled[1]] == hash_ends.tolist()


def test_a_link_of_twice_the_size_takes_twice_the_steps() -> None:
    steps = []
    for size in (200, 400):
        spelt = Guarded(np.frombuffer(b"e.top" + b"/a" * size, dtype=np.uint8))
        hashes = Guarded(np.zeros(DEEPEST + 2, dtype=np.uint64))
        places = Guarded([0]), Guarded([5]), Guarded([spelt.size])
        with np.errstate(over="ignore"):
            plain(path_hashes._hash_starts)(Guarded([0, 0]), DEEPEST, spelt, *places, hashes, Guarded([0]))
        steps.append(spelt.reads)

    assert steps[1] <= 2.1 * steps[0]


UNITS = ("a.", "//a.", "http://", "。a", "é.", "www.", "a ", "\\u0041", "\\n", '"', "{", "9", "a.top ")


@pytest.mark.parametrize("unit", UNITS)
def test_a_record_of_twice_the_size_takes_twice_the_steps(unit: str) -> None:
    """From the JSON to the texts and parties, in a text and in a peer."""
    for field in ("text", "peer"):
        steps = []
        for size in (400, 800):
            value = unit * (size // len(unit))
            raw = record(phase=None, **{field: "T"}).replace(b'"T"', b'"' + value.encode() + b'"')
            buffer, _ = scanned(packed([raw], [b"8610000000001"]), is_call=False)
            steps.append(buffer.reads)

        assert steps[1] <= 2.1 * steps[0]


@pytest.mark.parametrize("unit", UNITS)
def test_a_text_of_twice_the_size_takes_twice_the_steps(unit: str) -> None:
    steps = []
    for size in (1000, 2000):
        spelt = np.frombuffer((unit * (size // len(unit))).encode(), dtype=np.uint8)
        text, begins, ends = Guarded(spelt), Guarded([0]), Guarded([len(spelt)])
        filled = [Guarded(np.zeros(1, dtype=np.int64)) for _ in range(3)]
        plain(plain_links._find_links)(Guarded(plain_links._ENDINGS), text, begins, ends, *filled)
        plain(prefilter._may_hold)(Guarded(np.zeros(8, dtype=np.int64)), 20, Guarded(ENDS), text, 0, len(spelt))
        steps.append(text.reads / max(len(spelt), 1))

    assert steps[1] <= 1.1 * steps[0]


def test_beyond_ten_thousand_characters_a_text_and_its_domains_cost_nothing() -> None:
    """What lies beyond is not looked at, so a megabyte costs no more."""
    beginning = "see " + "a" * (LONGEST - 4)
    listed = ["a.example"] * (LONGEST // 10)

    assert read(beginning + " evil.example" * 80_000) == read(beginning)
    assert len([*normal_hosts([*listed, *["evil.example"] * 80_000])]) == len(listed)
