"""Replay inputs: the files of ``forewarn replay``, and what is said of their lines that are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from models.detection.engine import Engine
from models.detection.risk import Model
from models.events.decoding import RareReader
from models.indicators.indicator import Indicator
from models.indicators.matching import Indicators
from models.policy.policy import Policy
from streams.cli.ids import site_ids
from streams.cli.replay_against import Other
from streams.files.indicator_files import IndicatorFile
from streams.files.records import RecordFiles, RefusedLine
from streams.files.text_lines import FileError
from streams.kafka.contracts import Contracts
from streams.kafka.reference_data import SubscriberRecord, VulnerableSubscribers
from streams.replay.replay import Variant
from streams.settings import Settings

SHOWN_REFUSALS: Final = 20


@dataclass(frozen=True, slots=True)
class Deciding:
    """What a replay decides by, apart from the records."""

    settings: Settings
    contracts: Contracts
    policy: Policy
    model: Model
    indicators: tuple[Path, ...]
    """Files; of a replay of topics or a recording, those that are to count in the place of the recorded ones."""
    subscribers: tuple[Path, ...]
    """The same of vulnerable subscribers."""
    others: tuple[Other, ...] = ()
    """Further settings that decide about the same records."""

    def engine(self, indicators: Indicators, vulnerable: Mapping[str, int]) -> Engine:
        """An engine that decides as the site's worker would, knowing these indicators and vulnerable subscribers."""
        return self._engine(self.policy, self.model, indicators, vulnerable)

    def variants(self, indicators: Indicators, vulnerable: Mapping[str, int]) -> list[Variant]:
        """The engines of the other settings, which know the same; their orders are noted."""
        return [
            Variant(self._engine(each.policy, each.model, indicators, vulnerable), each.orders.hear)
            for each in self.others
        ]

    def _engine(self, policy: Policy, model: Model, indicators: Indicators, vulnerable: Mapping[str, int]) -> Engine:
        ids = site_ids(self.settings)
        return Engine(indicators, policy, model, vulnerable, ids=ids, sources=self.contracts.sources)


class Refusals:
    """Reports refused lines: the first ones one by one, the rest as a number."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, refused: RefusedLine | str) -> None:
        """Report a refused line."""
        self.count += 1
        if self.count <= SHOWN_REFUSALS:
            click.echo(str(refused), err=True)

    def conclude(self) -> None:
        """Report the number of refused lines that were not shown."""
        if self.count > SHOWN_REFUSALS:
            click.echo(f"and {self.count - SHOWN_REFUSALS:,} more lines refused", err=True)


def indicators_of(paths: Iterable[Path], refused: Callable[[str], None]) -> Iterator[Indicator]:
    """The indicators of these files, one after the other; raises `FileError`."""
    for path in paths:
        with path.open("rb") as raw:
            try:
                for item in IndicatorFile(raw):
                    if isinstance(item, Indicator):
                        yield item
                    else:
                        refused(f"{path}:{item.line}: wrong-indicator: {item.reason}")
            except FileError as error:
                raise FileError(f"{path}: {error}") from None


def subscribers_of(paths: tuple[Path, ...], refused: Callable[[RefusedLine], None]) -> dict[str, int]:
    """How many flags each vulnerable subscriber in these files has; raises `FileError`."""
    known = VulnerableSubscribers()
    for chunk in RecordFiles(paths, RareReader(SubscriberRecord, keyed=False).read, refused).chunks():
        for record in chunk:
            known.put(record)
    return known.flags
