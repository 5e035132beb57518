"""Writes the example day: ``python -m examples.generate`` makes every file again, byte for byte the same.

The scripted people are mixed into the background, so that their numbers do not give them away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import msgspec

from examples import background, earlier
from examples.called import CALLED
from examples.day import Call, Sms, Step, records
from examples.listed import made_up, published
from examples.lookalikes import LOOK_ALIKES
from examples.lured import LURED
from examples.people import Label, Subscriber, cell, subscriber
from models.indicators.indicator import encode

FOLDER = Path(__file__).parent
STORIES = (*CALLED, *LURED, *LOOK_ALIKES)

Person = tuple[Subscriber, tuple[Step, ...], Label | None]

_encoder = msgspec.json.Encoder()


def people() -> Iterator[Person]:
    """Everybody in the example in the order of their numbers: record, steps, and a label if the person is scripted."""
    rng = Random(background.SEED)
    everybody = range(len(STORIES) + background.PEOPLE)
    scripted = dict(zip(rng.sample(everybody, len(STORIES)), STORIES, strict=True))
    for index in everybody:
        number = subscriber(index)
        story = scripted.get(index)
        if story is None:
            yield *background.person(index, number), None
        else:
            yield story.record(number), story.steps, story.label(number)


def files() -> dict[str, bytes]:
    """The content of every generated file by its name; calls and messages are in order of event time."""
    everybody = list(people())
    calls: list[Call] = []
    messages: list[Sms] = []
    for person, steps, _ in everybody:
        for event in records(person.subscriber, cell(person.subscriber), steps):
            if isinstance(event, Call):
                calls.append(event)
            else:
                messages.append(event)
    labels = {label.story: label for _, _, label in everybody if label is not None}
    return {
        "calls.jsonl": _lines(_calls(calls)),
        "sms.jsonl": _lines(_messages(messages)),
        "earlier-calls.jsonl": _lines(_calls(event for event in earlier.events() if isinstance(event, Call))),
        "earlier-sms.jsonl": _lines(_messages(event for event in earlier.events() if isinstance(event, Sms))),
        "report.jsonl": encode(earlier.report()) + b"\n",
        "subscribers.jsonl": _lines(person for person, _, _ in everybody),
        "indicators.jsonl": b"".join(encode(indicator) + b"\n" for indicator in (*made_up(), *published())),
        "labels.jsonl": _lines(labels[story.name] for story in STORIES),
    }


def write(folder: Path) -> None:
    """Write all files into a folder."""
    for name, content in files().items():
        (folder / name).write_bytes(content)


def _calls(calls: Iterable[Call]) -> list[Call]:
    """Call records in order of event time."""
    return sorted(calls, key=lambda call: (call.at, call.id, call.phase == "end"))


def _messages(messages: Iterable[Sms]) -> list[Sms]:
    """SMS in order of event time."""
    return sorted(messages, key=lambda message: (message.at, message.id))


def _lines(values: Iterable[object]) -> bytes:
    return b"".join(_encoder.encode(value) + b"\n" for value in values)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
