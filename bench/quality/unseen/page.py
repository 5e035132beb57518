"""The page: docs/unseen.md, made from the measured figures and the scripts' own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.quality.playing import KNOWN, KNOWN_AFTER_H
from bench.quality.unseen.judging import NOBODY, Judged, Share
from models.city.scripts import Script

WANTED = {"knowable victims warned before they paid": 0.95, "right alerts": 0.90, "unknown victims warned": 0.35}
"""The shares to reach on scripts that nobody tuned to."""


def totals(judged: Judged) -> list[tuple[str, Share]]:
    """The three figures of all families together, with their names."""
    return list(zip(WANTED, (judged.warned(), judged.right(), judged.warned_unknown()), strict=True))


def page(judged: Judged, scripts: Sequence[tuple[str, Script]], model: str, asked: str) -> str:
    """The page's Markdown. ``model``: the name of the model; ``asked``: the cities, in words."""
    return "\n".join([*_head(scripts, model, asked), *_all(judged), *_families(judged, scripts), *_reading(judged), ""])


def _head(scripts: Sequence[tuple[str, Script]], model: str, asked: str) -> Iterator[str]:
    yield from (
        "# Unseen scripts",
        "",
        "**Never tuned with.** Most of the scripts behind [quality](quality.md) also trained the model. The "
        f"{len(scripts)} scripts behind this page did not. They were written from published accounts and from "
        "[the format](city.md#a-script) alone, without a look at the detector, and were finished before they were "
        "first played. None has been changed since its figures were seen. No model is trained on them and nobody tunes "
        "with them. Whoever wants to know more writes a set of their own and plays it with `--scripts`.",
        "",
        "The scripts are in [`bench/quality/unseen/`](../bench/quality/unseen). Each begins with the accounts that it "
        "was written from, what it takes from them, and what is our guess.",
        "",
        f"`python -m bench.quality.unseen` writes this page. It played {asked}, with the model `{model}` and "
        f"`policy.yaml`. {KNOWN:.0%} of the gangs' numbers and domains become known, half of these within "
        f"{KNOWN_AFTER_H:g} hours of their first use.",
        "",
    )


def _all(judged: Judged) -> Iterator[str]:
    yield from ("| | measured | 95 % interval | to reach |", "|---|---|---|---|")
    for name, share in totals(judged):
        yield f"| {name} | {said(share)} | {said_interval(share)} | {WANTED[name]:.0%} |"
    yield from (
        "",
        "The words mean what they mean in [quality](quality.md). An **alert** is one for officers. It is **right** if "
        "the person had at least kept talking to a gang, or had paid. A victim is **knowable** if something that was "
        "known by then had touched them before they first paid, and otherwise **unknown**. **Warned** means before "
        "that payment.",
        "",
    )


def _families(judged: Judged, scripts: Sequence[tuple[str, Script]]) -> Iterator[str]:
    yield from (
        "## By family",
        "",
        "An alert belongs to the family whose gang had touched the person last. A dash means that there was nobody to "
        "count, since a small city does not meet gangs of each family.",
        "",
        "| family | type | knowable victims warned | 95 % | unknown victims warned | 95 % | right alerts | 95 % |",
        "|---|---|---|---|---|---|---|---|",
    )
    for name, script in scripts:
        shares = (judged.warned(name), judged.warned_unknown(name), judged.right(name))
        cells = " | ".join(f"{said(share)} | {said_interval(share)}" for share in shares)
        yield f"| `{name}`: {script.en} | {script.scam_type} | {cells} |"
    yield ""


def _reading(judged: Judged) -> Iterator[str]:
    verdict, total = judged.verdict, judged.verdict.all
    untouched = judged.alerts[NOBODY].alerts - judged.alerts[NOBODY].right
    victims = total.victims / verdict.person_days * 100_000
    yield from (
        "## How to read the figures",
        "",
        "- The intervals are Wilson's, which treat victims and alerts as independent. Victims of one gang have its "
        "numbers in common, so the true intervals are wider, above all those of a single family.",
        f"- {verdict.alerts - verdict.right} of the {verdict.alerts} alerts were wrong, {untouched} of these about "
        "people whom no gang had touched. Those would be as many with fewer gangs, so where victims are rarer, a "
        "larger share of the alerts is wrong.",
        f"- Victims are far more frequent than in life, so that each family has some: {victims:.0f} in a day for "
        "100,000 people, all families together.",
        "- Texts are in Chinese and English, sums are in yuan, and everybody lives in the same "
        "[simulated city](city.md), whatever the country of the account. What happens in messengers and meeting apps "
        "leaves no records, as it leaves none with a carrier.",
    )


def said(share: Share) -> str:
    """A share in words."""
    return f"{share.some} of {share.of}: {share.some / share.of:.0%}" if share.of else "–"


def said_interval(share: Share) -> str:
    """The interval of a share in words."""
    low, high = share.interval
    return f"{low:.0%} to {high:.0%}" if share.of else "–"
