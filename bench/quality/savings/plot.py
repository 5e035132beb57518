"""The plot: the share of the loss that is prevented against officer-hours, by the risk from which officers are sent."""

from __future__ import annotations

from pathlib import Path

from bench.quality.plots import COLOURS
from bench.quality.rarity import TRUE_RATE
from bench.quality.savings.findings import Findings
from bench.quality.savings.played import IN_FORCE

_TITLES = ("Gangs as in the cities", f"Gangs at a {'twentieth' if TRUE_RATE == 1 / 20 else TRUE_RATE}")


def draw(findings: Findings, path: Path) -> None:
    """Draw a panel for each share of gangs, with intervals, and mark the policy in force.

    The panels share the scale of the loss; hours differ too much. The same findings give the same bytes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.hashsalt": "forewarn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    policies = sorted((name for name in findings.balances if name != IN_FORCE), key=float)
    for kind, (axes, title) in enumerate(zip(figure.subplots(1, 2, sharey=True), _TITLES, strict=True)):
        colour = COLOURS[kind]
        curve = [findings.balances[name][kind] for name in policies]
        now = findings.balances[IN_FORCE][kind]
        hours, shares = [each.hours for each in curve], [each.prevented.value * 100 for each in curve]
        low, high = ([getattr(each.prevented, end) * 100 for each in curve] for end in ("low", "high"))
        axes.fill_between(hours, low, high, color=colour, alpha=0.15)
        axes.plot(hours, shares, marker="o", markersize=4, linewidth=1.8, color=colour, label="from this risk on")
        for name, at, share in zip(policies, hours, shares, strict=True):
            axes.annotate(name, (at, share), xytext=(0, -13), textcoords="offset points", ha="center", fontsize=7)
        star = {"marker": "*", "markersize": 12, "linestyle": "none", "color": "#444444", "label": "policy.yaml"}
        axes.plot([now.hours], [now.prevented.value * 100], **star)
        axes.set_title(title, loc="left")
        axes.set_ylim(bottom=0)
        axes.margins(x=0.08, y=0.1)
        axes.grid(alpha=0.25)
    figure.axes[0].set_ylabel("loss prevented, %")
    figure.axes[0].legend(frameon=False, loc="lower left")
    figure.supxlabel("officer-hours a day for 100,000 people", fontsize=9)
    figure.savefig(path, metadata={"Date": None})
