"""Scrape: what one program said about itself at one moment, with questions to its samples; pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from streams.printable import printable
from streams.setting_values import Target

BUILD = "forewarn_build_info"


class ForeignError(ValueError):
    """What was read is no metrics of a program of Forewarn; one sentence says what it is instead."""


class Sample(NamedTuple):
    """One line of a program's metrics."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Scrape:
    """What the program at one target said at one moment."""

    target: Target
    at: float
    """When it was asked (Unix time, s)."""
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    """The samples by name; none when the program is away."""
    away: str = ""
    """Why there is no answer; empty when there is one."""
    stuck: str = ""
    """What ``/healthz`` complains about; empty when it does not."""

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The sums of the samples of this name, by their values of these labels."""
        found: dict[tuple[str, ...], float] = {}
        for sample in self.samples.get(name, ()):
            key = tuple(sample.labels.get(label, "") for label in labels)
            found[key] = found.get(key, 0.0) + sample.value
        return found

    def value(self, name: str) -> float | None:
        """The sum of all samples of this name; None when there are none."""
        return self.by(name).get(())

    def label(self, name: str, label: str) -> str:
        """The value of a label of the sample of this name that is 1, as in ``forewarn_build_info``; empty: none is."""
        return next((each.labels.get(label, "") for each in self.samples.get(name, ()) if each.value == 1), "")


def samples_of(text: str) -> dict[str, tuple[Sample, ...]]:
    """The samples of Prometheus's text format, by name. Raises `ForeignError`.

    Names and labels come from another machine, so what would control a terminal is taken out. Values that are no finite
    numbers are left out.
    """
    found: dict[str, list[Sample]] = {}
    try:
        for name, sample in _samples(text):
            found.setdefault(name, []).append(sample)
    except (ValueError, LookupError) as error:
        raise ForeignError("its answer is not in Prometheus's text format") from error
    if BUILD not in found:
        raise ForeignError(f"its answer has no {BUILD}, so it is no program of Forewarn")
    return {name: tuple(samples) for name, samples in found.items()}


def _samples(text: str) -> Iterator[tuple[str, Sample]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if math.isfinite(sample.value):
                yield sample.name, Sample({name: printable(each) for name, each in sample.labels.items()}, sample.value)
