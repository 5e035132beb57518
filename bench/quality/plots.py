"""Plots: precision against recall and against how rare fraud is, recall against what is known; always the same SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.quality.rarity import SHARES, TRUE_RATE, precision
from bench.quality.verdict import Verdict

COLOURS: Final = ("#1f6f8b", "#d1603d", "#8a8a8a")


def trade_off(curves: Mapping[str, Mapping[float, Verdict]], path: Path) -> None:
    """Draw precision against recall, for each model at several risks."""
    figure, axes = _axes("Whom officers are sent to", "knowable victims warned before they paid, %")
    for (name, by_risk), colour in zip(curves.items(), COLOURS, strict=False):
        points = [(each.all.recall * 100, each.precision * 100) for _, each in sorted(by_risk.items())]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, label=name, color=colour, linewidth=1.8)
        for risk, each in by_risk.items():
            place = each.all.recall * 100, each.precision * 100
            axes.annotate(f"{risk:g}", place, xytext=(4, 4), textcoords="offset points", fontsize=7, color=colour)
    axes.plot([95], [90], marker="*", markersize=11, color="#444444", linestyle="none", label="wanted")
    axes.set_ylabel("alerts that are right, %")
    _save(figure, axes, path)


def known(by_share: Mapping[float, Verdict], path: Path) -> None:
    """Draw recall and precision against the share of the gangs' numbers and domains that ever becomes known."""
    figure, axes = _axes("How much is known", "gangs' numbers and domains that are ever known, %")
    percent = [share * 100 for share in sorted(by_share)]
    verdicts = [by_share[share] for share in sorted(by_share)]
    series = {
        "victims warned, of all who paid": [
            _of(each.all.warned + each.all.warned_unknown, each.all.victims) for each in verdicts
        ],
        "victims warned, of the knowable": [_of(each.all.warned, each.all.knowable) for each in verdicts],
        "alerts that are right": [_of(each.right, each.alerts) for each in verdicts],
    }
    for (label, values), colour in zip(series.items(), COLOURS, strict=True):
        axes.plot(percent, values, marker="o", markersize=4, label=label, color=colour, linewidth=1.8)
    axes.set_ylabel("%")
    _save(figure, axes, path)


def rarity(verdict: Verdict, path: Path) -> None:
    """Draw the share of right alerts, with its interval, against the share of the gangs."""
    figure, axes = _axes("How rare fraud is", "share of the scripts' gangs (0.01 to 0.14: published rates)")
    found = [precision(verdict, share) for share in SHARES]
    axes.set_xscale("log")
    axes.set_xlim(SHARES[0] * 0.9, SHARES[-1] * 1.1)
    axes.set_xticks(SHARES, [f"{share:g}" for share in SHARES])
    axes.minorticks_off()
    axes.fill_between(
        SHARES, [each.low * 100 for each in found], [each.high * 100 for each in found], color=COLOURS[0], alpha=0.15
    )
    right = [each.share * 100 for each in found]
    axes.plot(SHARES, right, marker="o", markersize=4, color=COLOURS[0], linewidth=1.8, label="measured")
    axes.plot([TRUE_RATE], [80], marker="*", markersize=11, color="#444444", linestyle="none", label="wanted")
    axes.set_ylabel("alerts that are right, %")
    _save(figure, axes, path)


def _of(some: int, all_of_them: int) -> float:
    return some / all_of_them * 100 if all_of_them else float("nan")


def _axes(title: str, across: str) -> tuple[Any, Any]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.hashsalt": "forewarn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    axes.set_xlabel(across)
    axes.set_xlim(0, 102)
    axes.set_ylim(0, 102)
    axes.grid(alpha=0.25)
    return figure, axes


def _save(figure: Any, axes: Any, path: Path) -> None:
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
