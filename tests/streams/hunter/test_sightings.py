"""Sightings of domains and of busy numbers' SMS in new segments, compared with a count by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from models.base.durations import HOUR
from models.base.number_keys import key_of
from models.indicators.path_hashes import PUBLIC
from streams.hunter.sightings import Busy, Sightings, parts_of, sightings
from streams.ledger.storage import Segment, Storage
from streams.settings import Settings
from tests.site import call
from tests.streams.ledger.test_ledger import ANN, AT, BO, put, rows, sms

BUSY = 20


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """An empty ledger."""
    return Storage(Settings(ledger=str(tmp_path / "ledger")))


def seen(storage: Storage) -> dict[str, Sightings]:
    """All sightings, by ``type:value``."""
    return {each.key: each for each in looked_through(storage, storage.segments(), Busy())}


def looked_through(storage: Storage, segments: Sequence[Segment], busy: Busy, least: int = BUSY) -> list[Sightings]:
    """All sightings in these segments, which are few."""
    (found,) = [*sightings(storage, segments, busy, least)] or [[]]
    return found


def test_a_domain_is_what_somebody_registered_whatever_lies_before_it(storage: Storage) -> None:
    texts = ["go to https://a.evil.co.uk/x", "https://b.a.evil.co.uk", "at evil.co.uk/y and https://other.top/z"]
    put(storage, 0, rows(messages=[sms(ANN, AT + at, text, f"m{at}") for at, text in enumerate(texts)]))
    found = seen(storage)
    assert {key: len(each) for key, each in found.items()} == {"domain:evil.co.uk": 3, "domain:other.top": 1}
    assert found["domain:evil.co.uk"].events == ["m0", "m1", "m2"]
    links = found["domain:evil.co.uk"].links()
    assert [hosts for hosts, _ in links] == ["a.evil.co.uk", "b.a.evil.co.uk", "evil.co.uk other.top"]
    assert all(PUBLIC.of_listed(url) in links[2][1] for url in ("evil.co.uk/y", "other.top/z"))


def test_only_what_came_to_people_by_sms_counts(storage: Storage) -> None:
    sent = sms(ANN, AT, "look: https://evil.top/a", "out") | {"direction": "out"}
    put(storage, 0, rows([call(ANN, AT)], [sent, sms(BO, AT, "https://evil.top/a", "in")]))
    assert [each.events for each in seen(storage).values()] == [["in"]]


def test_the_segments_of_all_partitions_are_counted_in_event_time(storage: Storage) -> None:
    chance = random.Random(1)
    messages = [
        sms(f"86100000000{at % 70:02}", AT + at * 1000, f"https://d{at % 3}.top/{at}", f"m{at}") for at in range(300)
    ]
    shuffled = chance.sample(messages, len(messages))
    for number in range(3):
        put(storage, number, rows(messages=shuffled[number::3]))
    found = seen(storage)
    for number in range(3):
        one, mine = found[f"domain:d{number}.top"], messages[number::3]
        assert one.times.tolist() == [each["at"] for each in mine]
        assert one.subscribers.tolist() == [key_of(each["subscriber"]) for each in mine]


def test_a_number_counts_once_it_is_busy_within_an_hour(storage: Storage) -> None:
    few = [sms(ANN, AT + at, "hi", f"f{at}", "99900000001") for at in range(BUSY - 1)]
    many = [sms(f"86100000000{at:02}", AT + at, "hi", f"g{at}", "99900000002") for at in range(BUSY)]
    slow = [sms(ANN, AT + at * HOUR, "hi", f"s{at}", "99900000003") for at in range(BUSY)]
    put(storage, 0, rows(messages=[*few, *many, *slow]))
    assert {key: len(each) for key, each in seen(storage).items()} == {"number:99900000002": BUSY}


def test_a_number_that_texts_name_counts_together_with_what_it_has_sent(storage: Storage) -> None:
    """A hotline is never evidence, nor is a number that only few texts name."""
    people = [f"86100000000{at:02}" for at in range(BUSY)]
    texts = ["请致电99900000002", "ring +999 0000 0002 or 95588", "call 010-96110 or 99900000003"]
    named = [sms(who, AT + at, texts[at % 2], f"n{at}", f"1069{at:06}") for at, who in enumerate(people[2:])]
    sent = [sms(who, AT + at, "hi", f"s{at}", "99900000002") for at, who in enumerate(people[:2])]
    few = [sms(ANN, AT, texts[2], "f")]
    put(storage, 0, rows(messages=[*named, *sent, *few]))

    found = seen(storage)

    assert {key: len(each) for key, each in found.items()} == {"number:99900000002": BUSY}
    assert {*found["number:99900000002"].subscribers} == {key_of(who) for who in people}
    assert len({*found["number:99900000002"].senders}) == BUSY - 1


def test_a_lowered_limit_applies_at_once_to_what_was_counted_before(storage: Storage) -> None:
    """The policy may change while the hunter is running."""
    busy, found = Busy(), []
    for number, least in enumerate([BUSY, BUSY // 2, BUSY]):
        some = [sms(ANN, AT + number + at, "hi", f"m{number}-{at}", "99900000001") for at in range(6)]
        segment = put(storage, number, rows(messages=some))
        found.append({each.value: len(each) for each in looked_through(storage, [segment], busy, least)})

    assert found == [{}, {"99900000001": 6}, {}]


def test_wrong_clocks_do_not_hide_a_busy_number(storage: Storage) -> None:
    busy, counted = Busy(), []
    for number in range(6):
        wrong = [
            sms(ANN, AT + (number * 20 + at) * 900 * HOUR, "hi", f"w{at}", f"9990000{at:04}") for at in range(1, 16)
        ]
        others = [sms(ANN, AT + at, "hi", f"o{at}", f"9990001{number}{at:03}") for at in range(200)]
        many = [sms(f"86100000000{at:02}", AT + at, "hi", f"g{number}-{at}", "99900000002") for at in range(10)]
        segment = put(storage, number, rows(messages=[*wrong, *others, *many]))
        counted.append({each.value: len(each) for each in looked_through(storage, [segment], busy)})
    assert counted == [{}, *[{"99900000002": 10}] * 5]


def test_texts_that_differ_in_links_and_figures_have_one_template(storage: Storage) -> None:
    texts = [f"尊敬的客户，您的卡{at}已停用 https://evil.top/{at:x}" for at in range(9)] + ["别的 https://evil.top/q"]
    put(storage, 0, rows(messages=[sms(ANN, AT + at, text, f"m{at}") for at, text in enumerate(texts)]))
    one = seen(storage)["domain:evil.top"]
    template, share = one.template(10)
    assert share == 0.9
    assert one.template(9) == (template, 1.0)


def test_parts_are_those_of_event_time(storage: Storage) -> None:
    begin = AT // HOUR * HOUR
    times = [begin, begin + HOUR - 1, begin + HOUR, begin + 5 * HOUR]
    put(storage, 0, rows(messages=[sms(ANN, at, "https://evil.top/a", f"m{at}") for at in times]))
    found = [*parts_of(seen(storage)["domain:evil.top"], HOUR)]
    assert [hour - begin // HOUR for hour, _ in found] == [0, 1, 5]
    assert [(rows.start, rows.stop) for _, rows in found] == [(0, 2), (2, 3), (3, 4)]


def test_a_segment_that_is_gone_or_broken_is_left_out(storage: Storage) -> None:
    gone = put(storage, 0, rows(messages=[sms(ANN, AT, "https://evil.top/a")]))
    put(storage, 1, rows(messages=[sms(BO, AT, "https://evil.top/a", "m2")]))
    segments = storage.segments()
    storage.remove(gone)
    assert [each.events for each in looked_through(storage, segments, Busy())] == [["m2"]]
    assert [*sightings(storage, [gone], Busy(), BUSY)] == []
