"""Cities: the records that a simulated site works on, from a city simulated on the fly or from a folder.

A folder is the output of ``forewarn city``, or a site's own export with the same files. ``truth.jsonl`` and
``city.json`` may be missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from models.base.durations import DAY, HOUR
from models.base.packed import Packed
from models.city.acting import Truth
from models.city.chance import BEGIN
from models.city.city import City
from models.events.batches import Calls, Messages
from models.events.decoding import CallReader, Decoded, MessageReader
from models.indicators.indicator import Indicator
from streams.files.indicator_files import IndicatorFile
from streams.files.records import RecordFiles, RefusedLine, packed_lines
from streams.kafka.reference_data import SubscriberRecord, VulnerableSubscribers

E = TypeVar("E", Calls, Messages)
S = TypeVar("S", bound=Any)

ASKED = "city.json"
FILES = ("calls.jsonl", "sms.jsonl", "indicators.jsonl", "subscribers.jsonl")


class Asked(Struct, frozen=True, omit_defaults=True):
    """The parameters of a simulated city, as in its ``city.json``."""

    people: int
    days: int
    seed: int
    known: float
    """The share of fraud numbers and domains that ever become known."""
    known_after: float
    """Hours from first use until half of these are known."""
    scripts: list[str]
    prevalence: float = 1.0
    """The share of the scripts' gangs that there are."""
    drawn: int = 0
    """How many of the scripts were drawn at random (`models.city.grammar`)."""


class CityError(ValueError):
    """A city's folder cannot be used; the message is one sentence with the file, the line and what to do."""


class CityRecords(Protocol):
    """The records of a city, hour by hour."""

    @property
    def begin(self) -> int:
        """When the first hour begins, in epoch milliseconds."""
        ...

    def flags(self) -> dict[str, int]:
        """The number of vulnerability flags of each subscriber with at least one."""
        ...

    def hours(self) -> Iterator[tuple[Calls, Messages]]:
        """The calls and SMS of each hour, in event time."""
        ...

    def indicators(self) -> Sequence[Indicator]:
        """The indicators, each valid from the time at which it becomes known, in that order.

        The operation reads them again after each midnight.
        """
        ...


class Simulated:
    """The records of a city that is simulated while they are read."""

    def __init__(self, city: City) -> None:
        self._city = city

    @property
    def begin(self) -> int:
        """See `CityRecords`."""
        return BEGIN

    def flags(self) -> dict[str, int]:
        """See `CityRecords`."""
        return {resident.subscriber: len(resident.flags) for resident in self._city.residents() if resident.flags}

    def hours(self) -> Iterator[tuple[Calls, Messages]]:
        """See `CityRecords`."""
        calls, sms = CallReader(keyed=False), MessageReader(keyed=False)
        for call_lines, sms_lines in self._city.hours():
            yield (
                calls.read(packed_lines("".join(call_lines).encode())).events,
                sms.read(packed_lines("".join(sms_lines).encode())).events,
            )

    def indicators(self) -> Sequence[Indicator]:
        """See `CityRecords`."""
        return self._city.indicators()


class CityFolder:
    """The records of a folder; raises `CityError` at once if the folder does not contain a city."""

    def __init__(self, folder: Path) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise CityError(f"{folder} lacks {', '.join(missing)}: name a folder written by `forewarn city`.")
        self.folder = folder
        self.told: Callable[[int], object] = lambda count: None
        """Gets the number of bytes of calls and SMS that have been read, for a progress bar."""
        firsts = [first for first in (self._calls().first, self._sms().first) if first is not None]
        if not firsts:
            raise CityError(f"{folder} contains no records: name a folder written by `forewarn city`.")
        self._begin = min(firsts) // DAY * DAY
        self.asked = _asked(folder / ASKED) if (folder / ASKED).exists() else None
        """The city's parameters; None if it was not simulated or they are not known."""
        self.truths = _structs(folder / "truth.jsonl", Truth) if (folder / "truth.jsonl").exists() else []
        self._indicators = sorted(
            _indicators(folder / "indicators.jsonl"), key=lambda each: (each.valid_from, each.key)
        )

    @property
    def records(self) -> list[Path]:
        """The files of calls and SMS."""
        return [self.folder / name for name in FILES[:2]]

    def flags(self) -> dict[str, int]:
        """See `CityRecords`; raises `CityError`."""
        known = VulnerableSubscribers()
        for record in _structs(self.folder / "subscribers.jsonl", SubscriberRecord):
            known.put(record)
        return known.flags

    @property
    def begin(self) -> int:
        """See `CityRecords`."""
        return self._begin

    def hours(self) -> Iterator[tuple[Calls, Messages]]:
        """See `CityRecords`; raises `CityError` and `streams.files.text_lines.FileError`."""
        calls, sms = self._calls(), self._sms()
        end = self._begin
        while not (calls.ended and sms.ended):
            end += HOUR
            yield calls.upto(end), sms.upto(end)

    def _calls(self) -> _Hours[Calls]:
        return _Hours(self.folder / "calls.jsonl", CallReader(keyed=False).read, Calls.joined, self.told)

    def _sms(self) -> _Hours[Messages]:
        return _Hours(self.folder / "sms.jsonl", MessageReader(keyed=False).read, Messages.joined, self.told)

    def indicators(self) -> Sequence[Indicator]:
        """See `CityRecords`."""
        return self._indicators


class _Hours(Generic[E]):
    """One file of records in event time, cut into hours."""

    def __init__(
        self,
        path: Path,
        read: Callable[[Packed], Decoded[E]],
        join: Callable[[Sequence[E]], E],
        told: Callable[[int], object],
    ) -> None:
        self._path = path
        self._join: Callable[[Sequence[E]], E] = join
        self._chunks: Iterator[E] = RecordFiles([path], read, _refuse, told).chunks()
        self._none: Any = read(packed_lines(b"")).events[:0]
        self._waiting: list[E] = []
        self._read = 0
        self._newest = 0
        self._fill()

    @property
    def ended(self) -> bool:
        """Whether all records have been returned."""
        return not self._waiting

    @property
    def first(self) -> int | None:
        """The time of the first record that has not been returned yet; None if there is none."""
        return int(self._waiting[0].times[0]) if self._waiting else None

    def upto(self, end: int) -> E:
        """The records before a time that have not been returned yet."""
        while self._waiting and self._waiting[-1].times[-1] < end and self._fill():
            pass
        due: list[E] = []
        while self._waiting:
            some: Any = self._waiting.pop(0)
            cut = int(np.searchsorted(some.times, end))
            if cut:
                due.append(some[:cut])
            if cut < len(some):
                self._waiting.insert(0, some[cut:])
                break
        return self._join(due) if due else self._none

    def _fill(self) -> bool:
        """Read the next records; returns False when there are no more."""
        for some in self._chunks:
            if not len(some):
                continue
            if some.times[0] < self._newest or (np.diff(some.times) < 0).any():
                raise CityError(
                    f"{self._path} is not in event time (among records {self._read + 1:,} to "
                    f"{self._read + len(some):,}): sort its lines by `at`."
                )
            self._read += len(some)
            self._newest = int(some.times[-1])
            self._waiting.append(some)
            return True
        return False


def _refuse(refused: RefusedLine) -> None:
    raise CityError(f"{refused}: correct or remove the line.")


def _asked(path: Path) -> Asked:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Asked)
    except msgspec.MsgspecError as error:
        raise CityError(f"{path}: {error}: remove the file if it is not known how the city was made.") from None


def _structs(path: Path, kind: type[S]) -> list[S]:
    decoder = msgspec.json.Decoder(kind)
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    found.append(decoder.decode(line))
                except msgspec.MsgspecError as error:
                    raise CityError(f"{path}:{number}: {error}: correct or remove the line.") from None
    return found


def _indicators(path: Path) -> Iterator[Indicator]:
    with path.open("rb") as raw:
        for item in IndicatorFile(raw):
            if not isinstance(item, Indicator):
                raise CityError(f"{path}:{item.line}: {item.reason}: correct or remove the line.")
            yield item
