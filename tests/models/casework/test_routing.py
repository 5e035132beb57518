"""Routing: which station gets an order, and which mistakes in a file of stations are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.casework import routing
from models.casework.routing import RoutingError, parse
from models.city.population import CELLS, STATIONS
from streams.dispatch import stations_file
from tests.casework import ROOT

CONTENT = (ROOT / "stations.yaml").read_bytes()
CITY = parse(CONTENT)

SMALL = """
id: centre
name: {zh: 中心, en: Centre}
desk: sb-01
sub_bureaux:
  - id: sb-01
    name: {zh: 分局, en: Bureau}
    stations:
      - {id: ps-01, name: {zh: 一所, en: One}, cells: ["a-{8..12..2}-*", "b"]}
      - {id: ps-02, name: {zh: 二所, en: Two}, cells: ["a-1*"]}
"""


def test_everybody_of_the_simulated_city_has_the_station_of_his_cell() -> None:
    for home in range(CELLS):
        assert CITY.route(f"001-01-{home}-{home % 3}", "") == STATIONS[home * len(STATIONS) // CELLS]


def test_every_cell_of_the_examples_is_some_stations() -> None:
    found = set()
    for line in (ROOT / "examples" / "calls.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "cell" in record:
            found.add(CITY.route(record["cell"], ""))

    assert found == set(STATIONS)
    assert CITY.route("001-01-1300-0", "") == CITY.desk


def test_where_somebody_is_comes_before_where_he_lives_and_both_before_the_desk() -> None:
    assert CITY.route("001-01-0-0", "ps-0205") == "ps-0101"
    assert CITY.route("nowhere", "ps-0205") == "ps-0205"
    assert CITY.route("", "ps-0205") == "ps-0205"
    assert CITY.route("nowhere", "no-station") == CITY.desk


@pytest.mark.parametrize(
    ("cell", "station"),
    [("a-8-1", "ps-01"), ("a-9-1", "home"), ("a-10-1", "ps-01"), ("a-11-1", "ps-02"), ("b", "ps-01"), ("b1", "home")],
)
def test_of_several_beginnings_the_longest_decides(cell: str, station: str) -> None:
    small = parse(SMALL.encode())

    assert small.route(cell, "ps-02" if station == "home" else "") == (station if station != "home" else "ps-02")


def test_above_a_station_are_its_sub_bureau_and_the_centre() -> None:
    assert CITY.path("ps-0304") == ("ps-0304", "sb-03", "centre")
    assert (CITY.above("ps-0304"), CITY.above("centre")) == ("sb-03", None)
    assert (CITY.path("gone"), CITY.above("gone")) == ((), "centre")


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("desk: sb-01", "desk: ps-01", "one of the sub-bureaux"),
        ("desk: sb-01", "", "desk"),
        ("id: ps-02", "id: ps-01", "is listed twice"),
        ('"a-1*"', '"b"', "given to both ps-01 and ps-02"),
        ("{8..12..2}", "{12..8}", "empty or longer"),
        ("{8..12..2}", "{0..999999999}", "empty or longer"),
        ("{8..12..2}", "{8..12..0}", "empty or longer"),
        ("a-{8..12..2}-*", "a-{1..2}-{3..4}", "more than one range"),
        ("a-{8..12..2}-*", "a-*-b", "asterisk before its end"),
        ("zh: 一所", "zh: ''", "length >= 1"),
        ("id: ps-01", "id: PS 01", "matching regex"),
        ("cells: [", "areas: [", "unknown field"),
        ("stations:", "stations: []\n    others:", "length >= 1"),
        ("id: centre", "id: [", "not YAML"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(tmp_path: Path, old: str, new: str, hint: str) -> None:
    assert old in SMALL
    path = tmp_path / "stations.yaml"
    path.write_text(SMALL.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(RoutingError) as raised:
        stations_file.load(path)

    assert str(path) in str(raised.value)
    assert hint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_patterns_stand_for_no_more_cells_than_a_city_could_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pattern of twenty characters could stand for 100,000 cells, however many patterns there were."""
    monkeypatch.setattr(routing, "MOST_IN_ALL", 5)

    assert parse(SMALL.encode()).route("b", "") == "ps-01"
    with pytest.raises(RoutingError, match="more than 5 cells in all"):
        parse(SMALL.replace('"b"', '"b", "c"').encode())


def test_a_file_that_is_not_there_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(RoutingError, match="FOREWARN_STATIONS_FILE"):
        stations_file.load(tmp_path / "none.yaml")
