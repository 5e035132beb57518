"""The plot: the share of the loss that is prevented against officer-hours, by the risk from which officers are sent."""

from __future__ import annotations

from pathlib import Path

from bench.quality.plots import COLOURS
from bench.quality.rarity import TRUE_RATE
from bench.quality.savings.findings import Findings
from bench.quality.savings.played import IN_FORCE


def draw(findings: Findings, path: Path) -> None:
    """Draw both curves, with intervals, and mark the policy in force; the same findings give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.hashsalt": "forewarn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    policies = sorted((name for name in findings.balances if name != IN_FORCE), key=float)
    labels = ("gangs as in the cities", f"gangs at a {'twentieth' if TRUE_RATE == 1 / 20 else TRUE_RATE}")
    for kind, (label, colour) in enumerate(zip(labels, COLOURS, strict=False)):
        curve = [findings.balances[name][kind] for name in policies]
        now = findings.balances[IN_FORCE][kind]
        shares = [each.prevented.value * 100 for each in curve]
        bars = [
            [(each.prevented.value - each.prevented.low) * 100 for each in curve],
            [(each.prevented.high - each.prevented.value) * 100 for each in curve],
        ]
        axes.errorbar(
            [each.hours for each in curve],
            shares,
            yerr=bars,
            marker="o",
            markersize=4,
            linewidth=1.8,
            elinewidth=0.6,
            color=colour,
            label=label,
        )
        for name, each, share in zip(policies, curve, shares, strict=True):
            axes.annotate(
                name,
                (each.hours, share),
                xytext=(-3, 5),
                textcoords="offset points",
                ha="right",
                fontsize=7,
                color=colour,
            )
        axes.plot(
            [now.hours],
            [now.prevented.value * 100],
            marker="*",
            markersize=12,
            color=colour,
            linestyle="none",
            label="policy.yaml" if not kind else None,
        )
    axes.set_title("What officers' time buys", loc="left")
    axes.set_xlabel("officer-hours a day for 100,000 people")
    axes.set_ylabel("loss prevented, %")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.08, y=0.3)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Date": None})
