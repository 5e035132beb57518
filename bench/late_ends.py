"""Late ends: how often a call that has ended counts as in progress, because its end record was late, by the wait.

``python -m bench.late_ends`` prints the table of ``docs/decisions/0018-the-brokers-clock.md``. A milestone is judged
when the broker's clock has gone on from the arrival of the start record by as much as the milestone lies after the
start, plus the wait (`models.detection.calls_in_progress.known_until`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from streams.files import policy_file
from streams.setting_values import beside

Seconds = NDArray[np.float64]
Chance = np.random.Generator

CALLS: Final = 200_000
WAITS: Final = (0, 10, 20, 30, 45, 60, 120, 180)
"""Seconds."""


def _file_a_minute(chance: Chance, at: Seconds) -> Seconds:
    """The delays of a carrier that sends a file at the end of each minute."""
    return 60.0 - at % 60.0


def _exponential(mean: float, least: float = 0.0) -> Callable[[Chance, Seconds], Seconds]:
    """Delays of ``least`` seconds and an exponential rest."""
    return lambda chance, at: least + chance.exponential(mean, len(at))


CARRIERS: Final[Mapping[str, tuple[Callable[[Chance, Seconds], Seconds], Callable[[Chance, Seconds], Seconds]]]] = {
    "prompt, 2 s in the mean": (_exponential(2), _exponential(2)),
    "10 s in the mean": (_exponential(10), _exponential(10)),
    "30 s in the mean": (_exponential(30), _exponential(30)),
    "5 min late, 10 s in the mean more": (_exponential(10, 300), _exponential(10, 300)),
    "a file a minute": (_file_a_minute, _file_a_minute),
    "starts prompt, ends 60 s in the mean": (_exponential(2), _exponential(60)),
    "starts prompt, ends 3 min late": (_exponential(2), _exponential(2, 180)),
}
"""The delays of start and of end records by carrier."""


def wrongly_in_progress(
    begun: Seconds, talked: Seconds, delays: tuple[Seconds, Seconds], milestones: Seconds, wait: float
) -> float:
    """The share of calls that count as in progress at a milestone after their end; all in seconds."""
    of_start, of_end = delays
    wrong = np.zeros(len(begun), dtype=np.bool_)
    for milestone in milestones:
        judged = of_start + milestone + wait  # after the start
        wrong |= (talked < milestone) & (talked + of_end > judged)
    return float(wrong.mean())


@click.command()
def main() -> None:
    """Print the share of calls that wrongly count as in progress, by carrier and wait."""
    chance = np.random.default_rng(18)
    milestones = np.array(policy_file.load(beside("policy.yaml")).windows.watched) * 60.0
    begun = chance.uniform(0, 86_400, CALLS)
    # A third is hung up soon; the others last four minutes in the median, one in six over eleven minutes.
    talked = np.where(
        chance.random(CALLS) < 1 / 3,
        chance.lognormal(np.log(15), 0.8, CALLS),
        chance.lognormal(np.log(240), 1.0, CALLS),
    )
    click.echo("| delay of the records | " + " | ".join(f"{wait} s" for wait in WAITS) + " |")
    click.echo("|---|" + "---|" * len(WAITS))
    for name, (of_start, of_end) in CARRIERS.items():
        delays = of_start(chance, begun), of_end(chance, begun + talked)
        shares = [wrongly_in_progress(begun, talked, delays, milestones, wait) for wait in WAITS]
        click.echo(f"| {name} | " + " | ".join(f"{share * 100:.1f} %" for share in shares) + " |")


if __name__ == "__main__":
    main()
