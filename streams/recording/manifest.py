"""Manifest: what a recording holds, in the clear: places, times, counts and hashes, and nothing about anybody.

It is written anew after each file, so a recording that was interrupted says how far it got.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from models.base.formats import NewerFormatError, check_format
from streams.files.durable import sync_folder

NAME: Final = "manifest.json"
FORMAT: Final = 1


class RecordingError(ValueError):
    """A recording cannot be read or gone on with; one sentence says why."""


class Part(Struct, frozen=True, kw_only=True):
    """One file of a recording: records of one partition that follow one another."""

    file: str
    """Its path in the folder."""
    topic: str
    """The contract's name of the topic."""
    partition: int
    start: int
    """It covers the offsets from here to before ``upto``; some of them hold no record."""
    upto: int
    records: int
    first: int
    """The arrival of its first record and of its last (epoch ms; -1: there is none, or the time is not known)."""
    last: int
    sha256: str
    """Of the file as it is stored."""


class RecordedTopic(Struct, frozen=True, kw_only=True):
    """One topic of a recording."""

    name: str
    topic: str
    """Its name on the cluster."""
    id: str
    """Kafka's id of the topic; empty if the broker gives none."""
    version: int | None
    """The version of its contract."""
    partitions: dict[int, tuple[int, int]]
    """By number: the first offset of the range, and the offset at which it ends."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a recording is, and the files that it has so far."""

    format: int = FORMAT
    case: str
    """The reference for which it was made."""
    made: str
    expires: date
    """The day from which on it must be gone."""
    since: int
    until: int
    """It has what arrived from ``since`` to before ``until`` (epoch ms), and compacted topics as they were then."""
    texts: bool
    """Whether it has the texts of SMS; without them it has what deciding needs of them."""
    pseudonyms: str
    """The fingerprint of the key of its pseudonyms; empty if it has the numbers themselves."""
    sealed: bool
    policy: str
    """The version of the policy that was in force."""
    topics: dict[str, RecordedTopic]
    parts: tuple[Part, ...] = ()
    refused: dict[str, int] = {}
    """The records that are left out because nobody can read them, by reason, as the worker's dead letters have it."""
    inexact: int = 0
    """Texts of which something that was read in them could not be kept exactly."""
    complete: bool = False

    def parts_of(self, topic: str, partition: int) -> Iterator[Part]:
        """The files of a partition, in the order of its log."""
        found = [part for part in self.parts if part.topic == topic and part.partition == partition]
        return iter(sorted(found, key=lambda part: part.start))

    def position(self, topic: str, partition: int) -> int:
        """The offset from which on a partition's records are still to be recorded."""
        return max((part.upto for part in self.parts_of(topic, partition)), default=self.range(topic, partition)[0])

    def range(self, topic: str, partition: int) -> tuple[int, int]:
        """The offsets of a partition that belong to the recording: the first, and the one at which it ends."""
        return self.topics[topic].partitions[partition]


def load(folder: Path) -> Manifest:
    """The manifest of a recording; raises `RecordingError`."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
        check_format(f"The recording {folder}", found.format, FORMAT)
    except OSError as error:
        raise RecordingError(f"{folder} is no recording: {NAME} in it cannot be read ({error.strerror})") from None
    except NewerFormatError as error:
        raise RecordingError(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} is not the manifest of a recording: {error}") from None
    return found


def store(manifest: Manifest, folder: Path) -> None:
    """Write the manifest in the place of the one before, so that a power cut leaves one of the two; raises OSError."""
    beside = folder / f".{NAME}"
    with beside.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / NAME)
    sync_folder(folder)
