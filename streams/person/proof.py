"""Proof: what was found of a person where, what became of it, and what stays until when; made to be kept in the case.

It has a pseudonym in the place of the number, the same as in the audit log, so that it is no record of the person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from streams.person.holdings import FACTS, Holdings
from streams.person.keeping import Configs, kept


class Place(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One place, with the number of things there that are about the person."""

    place: str
    what: str
    found: int | None
    """Before the purge, or in a dry run; None: it cannot be searched."""
    left: int | None = None
    """After the purge."""
    at_once: bool = True
    """Whether a purge removes it at once; what it does not is kept until a time."""
    until: str = ""
    """Until when it may stay at the latest (ISO 8601); empty if it is removed at once, or if nobody can say."""
    note: str = ""


class Proof(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a purge has done, or would do."""

    person: str
    """``number:`` and the pseudonym of the number."""
    case: str
    by: str
    at: str
    before: str
    """What happened before this time was to be forgotten; it is the time for ``--from`` when the purge is repeated."""
    done: bool
    """Whether there was a purge; False in a dry run."""
    complete: bool = False
    """Whether nothing is left of what a purge removes at once."""
    problems: Sequence[str] = ()
    places: Sequence[Place]


class Request(NamedTuple):
    """Who has asked for what: what a proof says besides what was found."""

    person: str
    case: str
    by: str


def proof_of(
    request: Request,
    first: Holdings,
    last: Holdings | None,
    configs: Mapping[str, Configs],
    problems: Sequence[str] = (),
) -> Proof:
    """The proof of a purge, or what it would do if there is no ``last``."""
    found = places(first, last, configs)
    return Proof(
        person=request.person,
        case=request.case,
        by=request.by,
        at=moment((last or first).at),
        before=moment(first.before),
        done=last is not None,
        complete=last is not None and not problems and is_complete(found),
        problems=problems,
        places=found,
    )


def encode(proof: Proof) -> bytes:
    """The proof as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n"


_Count = Callable[[Holdings], int]

_REMOVED: Final[Sequence[tuple[str, str, _Count]]] = (
    ("redis, state of the worker", "signals, alerts and reminders", lambda held: held.signals),
    ("ledger", "own contacts", lambda held: held.rows.own),
    ("ledger", "contacts of others with the number, which stay without it", lambda held: held.rows.others),
    ("cases", "cases whose alerts are all from before", lambda held: len(held.past_cases)),
    (f"topic {FACTS}", "facts; the registry that sent them must delete them, too", lambda held: len(held.facts)),
)
"""What a purge removes at once: the place, what is counted there, and its number."""

_STAYING: Final[Sequence[tuple[str, str, _Count, str]]] = (
    ("redis, memory of the hunter", "found lately", lambda held: held.is_hunted, "goes with the next segment"),
    ("redis, state of the worker", "long calls of others with it", lambda held: held.with_others, "with their episode"),
    ("cases", "cases that also have later alerts", lambda held: held.mixed_cases, "stay: somebody must look at them"),
    ("cases", "cases of others that name the number, as in a note", lambda held: held.mentions, "stay"),
)
"""What it does not remove, with what becomes of it; listed where there is any."""


def places(first: Holdings, last: Holdings | None, configs: Mapping[str, Configs]) -> list[Place]:
    """All places, as they were found first and, after a purge, last."""
    return [*_at_once(first, last), *_kafka(first, last or first, configs), *_elsewhere(first)]


def is_complete(found: Sequence[Place]) -> bool:
    """Whether nothing is left of what a purge removes at once."""
    return not any(place.left for place in found if place.at_once)


def _at_once(first: Holdings, last: Holdings | None) -> Iterator[Place]:
    for place, what, count in _REMOVED:
        yield Place(place=place, what=what, found=count(first), left=None if last is None else count(last))
    for place, what, count, note in _STAYING:
        left = None if last is None else count(last)
        if count(first) or left:
            yield Place(place=place, what=what, found=count(first), left=left, at_once=False, note=note)


def _kafka(first: Holdings, last: Holdings, configs: Mapping[str, Configs]) -> Iterator[Place]:
    """The topics: nobody can delete one record of them."""
    for name, config in configs.items():
        looks = [held.topics[name] for held in (first, last) if name in held.topics]
        counts = [len(held.records) for held in looks]
        if looks and not any(counts):
            continue
        keeps = kept(config, max((held.newest for held in looks), default=last.at), last.at)
        yield Place(
            place=f"topic {name}",
            what="records in Kafka" if looks else "records in Kafka; not searched, because they are too many or sealed",
            found=counts[0] if looks else None,
            left=counts[1] if looks and last is not first else None,
            at_once=False,
            until="" if keeps.until is None else moment(keeps.until),
            note=keeps.why if keeps.until is None else f"by {keeps.why}",
        )


def _elsewhere(first: Holdings) -> Iterator[Place]:
    for day in first.aside:
        yield Place(
            place=f"ledger, aside/day={day.isoformat()}",
            what="segments that cannot be read",
            found=None,
            at_once=False,
            note="deleted by `forewarn ledger expire` with its day",
        )
    yield Place(
        place="files that operators have made",
        what="snapshots of the state, backups, exports, files of records for a replay",
        found=None,
        at_once=False,
        note="delete them; an older snapshot brings the person back once the purge has left the topic signals",
    )
    note = "its append-only file has what was written before until BGREWRITEAOF, or until it grows enough"
    yield Place(place="files of Redis", what="earlier writes", found=None, at_once=False, note=note)
    note = "kept, to prove who did what"
    yield Place(place="audit log", what="pseudonyms of the number", found=None, at_once=False, note=note)


def moment(at: int) -> str:
    """A time (epoch ms) in ISO 8601, UTC, rounded up to the second."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=-(-at // 1000))).isoformat()


def as_text(proof: Proof) -> str:
    """The proof for a reader: a line for each place."""
    lines = [f"{proof.person}, case {proof.case}: what happened before {proof.before}"]
    for place in proof.places:
        found = "?" if place.found is None else f"{place.found:,}"
        left = "" if place.left is None else f", {place.left:,} left"
        until = f", until {place.until}" if place.until else ""
        note = f" ({place.note})" if place.note else ""
        lines.append(f"  {place.place}: {found} {place.what}{left}{until}{note}")
    lines += [f"  problem: {each}" for each in proof.problems]
    if proof.done:
        lines.append("Nothing is left of what can be removed at once" if proof.complete else "Not complete: repeat it")
    return "\n".join(lines)
