"""Replay against other settings: reads what ``--against`` names, and says how the decisions differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from statistics import median
from typing import IO, Final, NamedTuple

import msgspec

from models.city.labels import Verdict, verdict
from models.comparison.difference import KINDS, Change, Counts, Orders, changes, counts
from models.comparison.intervals import wilson
from models.detection.risk import Model
from models.policy.policy import Policy
from streams.cli import InputError
from streams.files import model_file, policy_file

POLICIES: Final = (".yaml", ".yml")
"""How the names of policy files end; anything else is a model."""


class Other(NamedTuple):
    """Another setting that decides about the same records."""

    name: str
    policy: Policy
    model: Model
    orders: Orders


class Compared(msgspec.Struct, frozen=True, omit_defaults=True):
    """How another setting differs from that of the replay."""

    name: str
    policy: str
    model: str
    counts: Counts
    changes: dict[str, int]
    """Episodes by the kind of change."""
    minutes: float | None = None
    """How much later it sends officers, at the median of the episodes for which the time differs."""
    outcomes: Verdict | None = None


def others_of(names: Sequence[str], policy: Policy, model: Model) -> tuple[Other, ...]:
    """The settings that ``--against`` names: a policy file, a model as in FOREWARN_MODEL, or both joined by ``+``.

    What a name leaves out is the ``policy`` or ``model`` of the replay. Raises `PolicyError` or `ArtifactError` when a
    file cannot be used, and `InputError` when two names are the same, or a policy trusts clocks otherwise.
    """
    if len({*names}) < len(names):
        raise InputError("two of --against have the same name: nothing can differ between them")
    found = []
    for name in names:
        theirs, scores = policy, model
        for part in name.split("+"):
            if part.endswith(POLICIES):
                theirs = policy_file.load(Path(part))
            else:
                scores = model_file.load(part).model
        if theirs.clock != policy.clock:
            raise InputError(f"{name} trusts clocks otherwise (clock), so it reads other times: replay it by itself")
        found.append(Other(name, theirs, scores, Orders()))
    return tuple(found)


def counted(orders: Orders, city: tzinfo) -> Counts:
    """The counts of orders, with the days of the city."""
    return counts(orders, lambda at: datetime.fromtimestamp(at / 1000, city).date())


def differences(here: Orders, others: Sequence[Other]) -> list[list[Change]]:
    """The changes of each of the others."""
    return [list(changes(here, each.orders, each.name)) for each in others]


def compared(
    others: Sequence[Other],
    differing: Sequence[Sequence[Change]],
    found: Mapping[str, str] | None,
    city: tzinfo,
) -> list[Compared]:
    """How each of the others differs, by its changes; ``found`` are the outcomes by case, if they are known."""
    return [
        Compared(
            name=other.name,
            policy=other.policy.version,
            model=other.model.name,
            counts=counted(other.orders, city),
            changes=_by_kind(some),
            minutes=_median_minutes(some),
            outcomes=None if found is None else verdict(other.orders.keys(), found),
        )
        for other, some in zip(others, differing, strict=True)
    ]


def write_changes(differing: Sequence[Sequence[Change]], file: IO[bytes]) -> None:
    """Write every change as one line of JSON, setting by setting."""
    for some in differing:
        file.writelines(msgspec.json.encode(change) + b"\n" for change in some)


def sentences(here: Counts, theirs: Compared) -> list[str]:
    """What is said of another setting at the end of a replay."""
    if not any(theirs.changes.values()):
        return [f"against {theirs.name}: nothing changes"]
    now = theirs.counts
    said = [
        f"against {theirs.name}: {now.orders:,} orders instead of {here.orders:,} (urgent {now.urgent:,} instead of "
        f"{here.urgent:,}), at most {now.busiest_day:,} a day instead of {here.busiest_day:,}; "
        + ", ".join(f"{count:,} {kind}" for kind, count in theirs.changes.items() if count)
    ]
    if theirs.minutes is not None:
        direction = "earlier" if theirs.minutes < 0 else "later"
        said.append(f"where the time differs, officers are sent {abs(theirs.minutes):.1f} minutes {direction} (median)")
    return said


def share_right(judged: Verdict) -> str:
    """How many of the people alerted were rightly alerted, with Wilson's interval."""
    of = judged.right + judged.wrong
    if not of:
        return "nobody with an outcome was alerted"
    share, low, high = (100 * each for each in wilson(judged.right, of))
    return f"{judged.right:,} of {of:,} rightly alerted ({share:.0f} %, {low:.0f} to {high:.0f})"


def _by_kind(differing: Sequence[Change]) -> dict[str, int]:
    found = Counter(each.change for each in differing)
    return {kind: found[kind] for kind in KINDS}


def _median_minutes(differing: Sequence[Change]) -> float | None:
    minutes = [each.minutes for each in differing if each.minutes]
    return median(minutes) if minutes else None
