"""The page on unseen scripts: each alert counts for one family, and each share has its interval."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.quality.unseen.__main__ import SCRIPTS, main
from bench.quality.unseen.judging import NOBODY, Judged, Share, family
from bench.quality.unseen.page import page
from bench.quality.verdict import Tally, Verdict
from models.city.acting import Touched, Truth
from streams.files.scam_scripts import parse


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [(Share(0, 10), 0.0, 0.278), (Share(10, 10), 0.722, 1.0), (Share(50, 100), 0.404, 0.596), (Share(0, 0), 0.0, 1.0)],
)
def test_a_share_has_wilsons_interval(share: Share, low: float, high: float) -> None:
    assert share.interval == pytest.approx((low, high), abs=0.001)


def test_an_alert_belongs_to_the_family_that_touched_the_person_last() -> None:
    early = Truth("999", "other", "toll-text", "g1", 100, indicators=[Touched("domain", "a.example", 400, 100)])
    late = Truth("999", "loan", "loan-app", "g2", 200, stages={"deep": 600})

    assert family([early, late], 50) == NOBODY
    assert family([early, late], 300) == "loan-app"
    assert family([early, late], 500) == "toll-text"
    assert family([early, late], 700) == "loan-app"


def test_the_page_shows_each_family_and_the_alerts_about_people_whom_no_gang_had_touched() -> None:
    path = SCRIPTS / "toll-text.yaml"
    scripts = [(path.stem, parse(path.read_bytes(), path.name))]
    tally = Tally(victims=5, knowable=3, warned=2, warned_unknown=1)
    judged = Judged(Verdict(by_script={"toll-text": tally}, alerts=10, right=8, person_days=1000))
    judged.alerts["toll-text"] = Verdict(alerts=8, right=8)
    judged.alerts[NOBODY] = Verdict(alerts=2)
    made = page(judged, scripts, "risk@1", "one city")

    assert "| knowable victims warned before they paid | 2 of 3: 67% | 21% to 94% | 95% |" in made
    assert "| other | 2 of 3: 67% | 21% to 94% | 1 of 2: 50% | 9% to 91% | 8 of 8: 100% | 68% to 100% |" in made
    assert "2 of the 10 alerts were wrong, 2 of these about people whom no gang had touched." in made


def test_a_folder_without_scripts_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--scripts", str(tmp_path)])

    assert result.exit_code == 2
    assert "contains no script" in result.stderr
