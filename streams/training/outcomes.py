"""Outcomes: officers' findings, from the records of the topic ``dispatch-feedback`` or from a file of them.

A case has the name of the episode that opened it. If a case has several outcomes, the last one counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from models.casework.cases import Kind
from models.city.labels import OUTCOMES
from models.events.event import Id, Time
from streams.files.text_lines import FileError, TextLines
from streams.kafka.clients import reader, up_to_now
from streams.settings import Settings

TOPIC: Final = "dispatch-feedback"
SILENT: Final = frozenset({"unreachable", "wrong-person", "duplicate"})
"""Outcomes that do not say whether the person was being defrauded."""


class OutcomeError(ValueError):
    """A record of an outcome cannot be used; the message says in one sentence where it is and what to do."""


class Feedback(Struct, frozen=True):
    """The fields of a record of the topic that training reads; records of other kinds than outcome are skipped."""

    case: Id
    kind: Kind
    at: Time
    outcome: str = ""
    rule: int = 1
    """The rule under which the outcome was given; records of before rule 2 do not say it."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcome of each case, the place from which it was read, and the rule under which it was given."""

    by_case: dict[str, str]
    places: dict[str, str]
    rules: dict[str, int]
    """The rule under which the outcome of a case was given: from 2 on, an officer had spoken with the person."""

    def unknown(self, met: Iterable[str]) -> list[str]:
        """The cases outside ``met`` whose outcome says something, in the order of reading."""
        silent = {case for case, outcome in self.by_case.items() if outcome in SILENT}
        return [case for case in self.by_case if case not in silent and case not in set(met)]


NONE: Final = Outcomes({}, {}, {})


def of_file(path: Path) -> Outcomes:
    """The outcomes in a file of JSON Lines, plain, gzip or zstd; raises `OutcomeError` or `FileError`."""
    try:
        with path.open("rb") as raw:
            lines = TextLines(raw)
            return _collected((f"{path}:{lines.number}", line.encode()) for line in lines if line.strip())
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None


async def of_topic(settings: Settings) -> Outcomes:
    """The outcomes on the site's topic up to now; raises `OutcomeError`, or KafkaError if the topic does not exist."""
    return _collected([each async for each in _records(settings)])


async def _records(settings: Settings) -> AsyncIterator[tuple[str, bytes]]:
    consumer, partitions = await reader(settings, settings.topic(TOPIC))
    try:
        async for record in up_to_now(consumer, partitions):
            if record.value is not None:
                yield f"{record.topic}, partition {record.partition}, offset {record.offset}", record.value
    finally:
        await consumer.stop()


def _collected(records: Iterable[tuple[str, bytes]]) -> Outcomes:
    last: dict[str, Feedback] = {}
    places: dict[str, str] = {}
    for place, feedback in _outcomes(records):
        case = feedback.case
        if case not in last or feedback.at >= last[case].at:
            last[case] = feedback
            places[case] = place
    return Outcomes(
        {case: feedback.outcome for case, feedback in last.items()},
        places,
        {case: feedback.rule for case, feedback in last.items()},
    )


def _outcomes(records: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Feedback]]:
    decoder = msgspec.json.Decoder(Feedback)
    known = sorted({*OUTCOMES, *SILENT})
    for place, value in records:
        try:
            feedback = decoder.decode(value)
        except msgspec.MsgspecError as error:
            raise OutcomeError(f"{place}: {error}: correct or remove the record.") from None
        if feedback.kind == "outcome":
            if feedback.outcome not in known:
                raise OutcomeError(
                    f"{place}: the outcome {feedback.outcome!r} is not one of {', '.join(known)}: correct or remove it."
                )
            yield place, feedback
