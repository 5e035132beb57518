"""Plain links: whatever one pass vouches for is what full extraction finds, on any text."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.records import REAL, texts
from models.lookback.link_rows import MetLinks
from models.texts.domains import is_top_level, top_levels
from models.texts.extraction import LONGEST, Reading, read_with_traits
from models.texts.parts import FULL
from models.texts.plain_links import _FULL, CLOSELY, NOTHING, plain_links
from models.texts.prefilter import DISGUISE, DOT, traits_of
from tests.models.texts.test_prefilter import TEXTS

PIECES = (
    *("https://", "http://", "//", "www.", "WWW.", ".com", ".top", ".me", ".Me", ".To", ".co.za", "evil", "a1"),
    *("/x1", "/A?b=1", "/", "?q=a.b", " ", ". ", ".", "_", "-", "1.2.3.4", "10.11.12.113", "é", "ü", "£", "\n"),
    *("查看", "，", "您的包裹", "点击", "【某行】", "ok.see", "Hi.You", "abc.xyz", ":", "@", "#", "Top2", "Com"),
)
MET = MetLinks()

LINKED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)


def linked(text: str) -> Reading | None:
    """The result that one pass vouches for; None when it vouches for nothing."""
    spelt = text.encode("utf-8", "replace")
    buffer, end = np.frombuffer(spelt, dtype=np.uint8), np.array([len(spelt)])
    traits = int(traits_of(buffer, end)[0])
    if traits & DISGUISE or not traits & DOT:
        return None
    host, after, url = (int(column[0]) for column in plain_links(buffer, np.array([0]), end))
    if host == CLOSELY:
        return None
    if host == NOTHING:
        return Reading()
    if not MET.keys_of(spelt[host:after].decode(), min(url - after, 4)):
        return None
    scheme = 8 if spelt[host - 4 : host - 3] == b"s" else 7
    return Reading((spelt[host:after].decode(),), (spelt[host - scheme : url].decode(),))


def holds(text: str) -> bool:
    """Whether one pass vouches for the text; asserts that its result equals full extraction."""
    said = linked(text)
    if said is None:
        return False
    spelt = text.encode("utf-8", "replace")
    traits = int(traits_of(np.frombuffer(spelt, dtype=np.uint8), np.array([len(spelt)]))[0])
    read = read_with_traits(text[:LONGEST], traits)
    assert (said.domains, said.urls) == (read.domains, read.urls), text
    return True


@given(LINKED | TEXTS)
@settings(max_examples=1500, deadline=None)
@example("点击2_.com/a?b=411.Me 》")
@example("asap https://9taohao_.com/a?b=4881")
@example("..10.11.12.113.")
@example("_10.11.12.113")
@example("https://a.cn查看")
@example("xhttps://evil.top/a")
def test_one_pass_says_what_the_long_way_says(text: str) -> None:
    holds(text)


def test_most_texts_with_a_link_need_no_closer_look() -> None:
    """The real texts are also damaged at random: split, glued together, or with a piece inserted."""
    chance = random.Random(1)
    plain, with_host = (list(map(json.loads, some)) for some in texts())
    vouched = sum(map(holds, with_host))
    assert vouched > (0.8 if REAL.is_dir() else 0.6) * len(with_host)  # the examples' texts have special marks
    for _ in range(5000):
        text = list(chance.choice(with_host + plain))
        for _ in range(chance.randint(1, 4)):
            text.insert(chance.randrange(len(text) + 1), chance.choice(PIECES))
        holds("".join(text))


def test_the_top_level_domains_are_those_of_the_list() -> None:
    names = top_levels()
    assert {"com", "cn", "top", "中国", "ck"} <= names
    assert {name for name in names if not is_top_level(name)} <= {"za"}  # its registrations are second-level: co.za


@pytest.mark.parametrize("text", ["ok.see you", "fine.Is it", "3.50 each", "no.Good"])
def test_a_dot_between_sentences_is_no_link(text: str) -> None:
    assert linked(text) == Reading()


@pytest.mark.parametrize("size", sorted({60, *FULL}))
@pytest.mark.parametrize("begin", ["x", "啊"])
def test_a_link_at_the_end_of_a_full_part_is_read_closely(begin: str, size: int) -> None:
    link = " https://evil.co"
    text = begin * (size - len(link)) + link
    assert (linked(text) is None) == (size in FULL)
    assert holds(f"{text}/a")


def test_the_lengths_of_full_parts_are_those_of_the_rule() -> None:
    assert _FULL == FULL
