"""The monitoring pack: promtool proves each alert, the runbook has its entry, and its metrics exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import Histogram
from prometheus_client.metrics import MetricWrapperBase

from streams import metrics
from tests.prometheus import MISSING, PACK, is_installed

ROOT = Path(__file__).parents[1]
RULES = sorted((PACK / "rules").glob("*.yaml"))
PROOFS = sorted((PACK / "tests").glob("*.yaml"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = ("For victims", "See", "Do", "Over when", "Never")
"""What each entry of the runbook says, in this order."""
ADDED: Final = frozenset({"job", "instance", "le"})
"""The labels that come with the scrape, or with a histogram's buckets."""
ALWAYS: Final = "Watchdog"
"""The only alert that is never silent."""


def rules() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every rule with the name of its file."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from ((f"monitoring/rules/{path.name}", rule) for rule in group["rules"])


ALERTS = {rule["alert"]: rule for _, rule in rules() if "alert" in rule}
RECORDED = {rule["record"] for _, rule in rules() if "record" in rule}


def labels_by_name() -> dict[str, frozenset[str]]:
    """The labels of every series that Forewarn serves, by the series' name."""
    found: dict[str, frozenset[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
            labels = frozenset(vars(metric)["_labelnames"])
            assert isinstance(metric, Histogram) == (len(endings) == 3)
            found |= {family.name + ending: labels for ending in endings}
    return found


SERVED = labels_by_name()


def unknown(expression: str) -> list[str]:
    """One sentence for each metric or recorded name in an expression that does not exist."""
    return [
        f"{name} is not a metric of streams/metrics.py, and no rule records it"
        for name in re.findall(r"\bforewarn(?:_[a-z0-9_]+|:[a-z0-9_:]+)", expression)
        if name not in SERVED and name not in RECORDED
    ]


def tool(*arguments: str | Path) -> str:
    """What a command of Debian's prometheus or prometheus-alertmanager says; it must succeed."""
    if not is_installed(str(arguments[0])):
        pytest.skip(MISSING.format(arguments[0]))
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


@pytest.mark.parametrize("proof", PROOFS, ids=lambda path: path.stem)
def test_promtool_proves_the_rules(proof: Path) -> None:
    """Each alert fires, with these words, and stays silent, at these times of these series."""
    assert "SUCCESS" in tool("promtool", "test", "rules", proof)


def test_prometheus_and_alertmanager_accept_their_files() -> None:
    """The files can be used as they are."""
    assert "SUCCESS" in tool("promtool", "check", "config", PACK / "prometheus.yaml")
    assert "SUCCESS" in tool("amtool", "check-config", PACK / "alertmanager.yaml")


def test_rules_name_metrics_that_exist() -> None:
    """A metric that was renamed would make its alert silent for ever."""
    found = [f"{file}: {sentence}" for file, rule in rules() for sentence in unknown(rule["expr"])]

    assert found == []


def test_an_unknown_metric_would_be_named() -> None:
    """In one sentence; the suffix has to fit the metric's type."""
    found = unknown("rate(forewarn_events[5m]) > forewarn:nothing and forewarn_decide_seconds_bucket > 0")

    assert found == [
        "forewarn_events is not a metric of streams/metrics.py, and no rule records it",
        "forewarn:nothing is not a metric of streams/metrics.py, and no rule records it",
    ]


def test_the_runbook_names_recorded_series_that_exist() -> None:
    """The metrics that it names are checked with those of the other pages."""
    assert [sentence for sentence in unknown(RUNBOOK) if sentence.startswith("forewarn:")] == []


@pytest.mark.parametrize("proof", PROOFS, ids=lambda path: path.stem)
def test_a_proof_has_series_as_the_programs_serve_them(proof: Path) -> None:
    """Otherwise a rule could be proved with a label that no series has."""
    for group in yaml.safe_load(proof.read_text(encoding="utf-8"))["tests"]:
        for each in group["input_series"]:
            name, _, rest = each["series"].partition("{")
            labels = set(re.findall(r"(\w+)=\"", rest))
            if name != "up":
                assert name in SERVED, f"{group['name']}: {name} is not a metric of streams/metrics.py"
                assert labels - ADDED == SERVED[name], f"{group['name']}: {name} has the labels {set(SERVED[name])}"


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_is_shown_to_fire_to_stay_silent_and_to_resolve(alert: str) -> None:
    """In one history of series: silent, then firing, then silent again."""
    histories = [
        [bool(each["exp_alerts"]) for each in group["alert_rule_test"] if each["alertname"] == alert]
        for proof in PROOFS
        for group in yaml.safe_load(proof.read_text(encoding="utf-8"))["tests"]
    ]
    told = ["".join("silent " if not fires else "fires " for fires in each) for each in histories]

    expected = "fires" if alert == ALWAYS else "silent fires silent"
    assert any(expected in each for each in told), f"monitoring/tests lacks a test of {alert}"


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_says_how_bad_it_is_and_where_its_entry_is(alert: str) -> None:
    """The runbook has an entry of five parts for it, and the link of the alert leads there."""
    rule = ALERTS[alert]
    words = rule["annotations"]
    entry = re.search(rf"^## {alert}\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)

    assert rule["labels"]["severity"] in ({"none"} if alert == ALWAYS else {"critical", "warning"})
    assert set(words) == {"summary", "description", "runbook_url"}
    assert words["runbook_url"] == "{{ $externalLabels.docs }}/runbook.md#" + alert.lower()
    assert entry, f"docs/runbook.md lacks an entry for {alert}"
    assert tuple(re.findall(r"^\*\*([^*]+)\.\*\* ", entry[1], re.MULTILINE)) == PARTS


def test_an_entry_of_the_runbook_is_about_an_alert() -> None:
    """An alert that was renamed or removed leaves no entry behind."""
    assert set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)) == set(ALERTS)


def test_inhibitions_are_about_alerts() -> None:
    """An alert that was renamed would no longer be kept quiet, or would keep nothing quiet."""
    for rule in yaml.safe_load((PACK / "alertmanager.yaml").read_text(encoding="utf-8"))["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            _, sign, pattern = matcher.replace('"', "").split(" ", 2)
            pattern = re.escape(pattern) if sign == "=" else pattern
            names = [alert for alert in ALERTS if re.fullmatch(pattern, alert)]
            alternatives = pattern.count("|") + 1
            assert len(names) == alternatives, matcher
