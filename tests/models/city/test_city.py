"""The simulated city: reproducible byte for byte, with sound records that do not reveal who is being defrauded."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from models.base.durations import DAY
from models.city.chance import BEGIN
from models.city.city import City
from models.city.scripts import Script, Spread
from models.city.texts import TEXTS
from models.indicators.indicator import SCAM_TYPES, check
from models.indicators.numbers import hotline
from models.policy.stages import STAGES
from streams.files.scam_scripts import OURS, read_scripts

SHIPPED = read_scripts(OURS)


def busy(times: float, tries: float) -> list[tuple[str, Script]]:
    """Forewarn's scripts with ``times`` as many gangs, each of which tries ``tries`` people (the median)."""
    return [
        (name, replace(script, gangs=script.gangs * times, tries=Spread(median=tries, factor=1.2)))
        for name, script in SHIPPED
    ]


def played(city: City) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All call records and all SMS records."""
    calls: list[dict[str, Any]] = []
    sms: list[dict[str, Any]] = []
    for call_lines, sms_lines in city.hours():
        calls += map(json.loads, call_lines)
        sms += map(json.loads, sms_lines)
    return calls, sms


@pytest.fixture(scope="module")
def city() -> City:
    return City(3000, 3, 9, busy(40, 30), 0.4, 6)


@pytest.fixture(scope="module")
def records(city: City) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return played(city)


def test_the_same_seed_makes_the_same_bytes_and_another_one_others() -> None:
    def all_of(seed: int) -> tuple[Any, ...]:
        city = City(400, 2, seed, busy(40, 30), 0.4, 6)
        return [*city.hours()], [*city.residents()], city.truths, city.indicators()

    assert all_of(1) == all_of(1)
    assert all_of(1) != all_of(2)


def test_records_come_in_event_time_and_each_call_ends_once(
    records: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    calls, sms = records
    for some in records:
        assert [each["at"] for each in some] == sorted(each["at"] for each in some)
        assert all(BEGIN <= each["at"] < BEGIN + 3 * DAY for each in some)
    begun = {call["id"]: call for call in calls if call["phase"] == "start"}
    ended = {call["id"]: call for call in calls if call["phase"] == "end"}
    assert len(begun) + len(ended) == len(calls)
    assert len(begun) - len(ended) < 100  # calls that are still running at the end
    for call, end in ended.items():
        assert end["at"] >= begun[call]["at"] + 1000 * end["duration_s"]
        assert begun[call] | end == end | {"phase": "end"}
    assert len({message["id"] for message in sms}) == len(sms)


def test_what_is_true_shows_in_the_records(
    city: City, records: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    met = Counter((each["subscriber"], each["peer"]) for some in records for each in some)
    texts = [each["text"] for each in records[1] if ".example/" in each["text"]]
    told = {(each["subscriber"], number) for each in records[1] for number in re.findall(r"8610000\d{8}", each["text"])}
    assert any(truth.paid_at is not None for truth in city.truths)
    for truth in city.truths:
        assert truth.indicators
        for used in truth.indicators:
            if used.type == "number":
                assert met[truth.subscriber, used.value] or (truth.subscriber, used.value) in told
            else:
                assert any(f"https://{used.value}/" in text for text in texts)
        reached = [truth.stages[stage] for stage in STAGES if stage in truth.stages]
        assert reached == sorted(reached)
        assert (truth.paid_at is None) == ("harmed" not in truth.stages) == (truth.loss == 0) == (not truth.accounts)
        assert truth.paid_at is None or truth.paid_at == truth.stages["harmed"]
    assert any((truth.subscriber, used.value) in told for truth in city.truths for used in truth.indicators)


def test_a_share_becomes_known_some_hours_after_first_use(city: City) -> None:
    used = {each.value: each for truth in city.truths for each in truth.indicators}.values()
    late = [(each.known_at - each.first_used) / 3_600_000 for each in used if each.known_at is not None]
    assert 0.3 < len(late) / len(used) < 0.5
    assert 3 < np.median(late) < 12
    for indicator in city.indicators():
        assert check(indicator) == indicator
        assert indicator.valid_from < city.end
    assert not City(400, 2, 1, busy(40, 30), 0.0, 6).indicators()[5:]  # a few that accuse the innocent remain


def test_prevalence_scales_the_gangs_and_leaves_ordinary_life_as_it_was() -> None:
    """The whole of them is the same city, byte for byte; with none of them, only what gangs caused is gone."""
    asked = 400, 2, 1, busy(400, 10), 0.4, 6

    def written(*prevalence: float) -> tuple[list[Any], set[tuple[Any, ...]], int]:
        city = City(*asked, *prevalence)
        calls, sms = played(city)
        happened = {(each["at"], each["subscriber"], each["peer"]) for each in calls + sms}
        return [calls, sms, city.truths, city.indicators()], happened, len(city.truths)

    usual, all_of_it, tried = written()
    _, ordinary, nobody = written(0.0)
    _, some, fewer = written(0.5)

    assert written(1.0)[0] == usual
    assert nobody == 0
    assert ordinary < some
    assert ordinary < all_of_it
    assert 0.3 * tried < fewer < 0.7 * tried


def test_nothing_but_behaviour_tells_a_gangs_number_from_others() -> None:
    """Ids, order within a minute, cells and digits of numbers give nothing away. Each number counts with one record."""
    city = City(6000, 3, 11, busy(900, 3), 0.4, 6)
    calls, sms = played(city)
    gangs = {used.value for truth in city.truths for used in truth.indicators}
    first: dict[str, tuple[list[float], bool]] = {}
    for some in ([call for call in calls if call["phase"] == "start"], sms):
        in_minute = Counter(record["at"] // 60_000 for record in some)
        seen: Counter[int] = Counter()
        for record in some:
            seen[record["at"] // 60_000] += 1
            if record["direction"] == "in" and record["peer"] not in first and record["peer"].startswith("8610000"):
                figures = [*map(int, record["peer"][7:]), *map(int, record["subscriber"][7:])]
                spelt = [int(record["id"][1:5], 16), int(record["id"][-4:], 16), record["at"] % 1000]
                order = seen[record["at"] // 60_000] / in_minute[record["at"] // 60_000]
                cell = map(int, record["cell"].split("-")[2:])
                first[record["peer"]] = [*figures, *spelt, order, *cell], record["peer"] in gangs
    rng = np.random.default_rng(1)
    bad = [features for features, is_gang in first.values() if is_gang]
    good = [features for features, is_gang in first.values() if not is_gang]
    assert len(bad) > 500
    good = [good[place] for place in rng.choice(len(good), len(bad), replace=False)]
    columns, labels = np.array(bad + good), np.repeat([1, 0], len(bad))
    order_of = rng.permutation(len(labels))
    train, test = np.array_split(order_of, 2)
    model = HistGradientBoostingClassifier(max_iter=60, random_state=1).fit(columns[train], labels[train])
    assert roc_auc_score(labels[test], model.predict_proba(columns[test])[:, 1]) < 0.57


def test_a_scripts_own_texts_are_written_as_they_stand() -> None:
    said = 'Reply "Y" {n2} \\ 5 % {link}'
    prize = dict(SHIPPED)["fake-prize"]
    told = replace(prize, texts={"prize": (said,)}, gangs=1000.0, tries=Spread(median=30, factor=1.2))
    _, sms = played(City(300, 1, 4, [("fake-prize", told)], 0.4, 6))
    pattern = re.compile(r'Reply "Y" \d\d \\ 5 % https://[a-z]+\d+\.example/[0-9a-f]+')

    assert any(pattern.fullmatch(each["text"]) for each in sms)


def test_forewarns_own_scripts_cover_every_scam_type() -> None:
    assert {script.scam_type for _, script in SHIPPED} == set(SCAM_TYPES)
    used = {step.text for _, script in SHIPPED for step in script.steps if step.text}
    assert used <= TEXTS.keys()


def test_texts_fit_into_json_and_numbers_into_nobodys_hands(
    records: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    for text in (text for some in TEXTS.values() for text in some):
        assert json.loads(f'"{text}"') == text
    peers = {each["peer"] for some in records for each in some}
    assert all(peer.startswith(("8610000", "999", "1069000")) or hotline(peer) for peer in peers)


def test_a_city_can_be_as_small_as_a_village(tmp_path: Path) -> None:
    calls, sms = played(City(100, 1, 1, SHIPPED, 0.4, 6))
    assert calls
    assert sms
