"""Checking: whether a recording is whole and unchanged: each file, hash and offset, and with the key each row."""

from __future__ import annotations

from collections.abc import Iterator

from streams.recording.manifest import NAME, Manifest, RecordingError
from streams.recording.reading import Recording, content_of


def faults_of(recording: Recording) -> Iterator[str]:
    """A sentence for each fault of a recording; without the private key, what is in sealed files is not looked at."""
    manifest = recording.manifest
    if not manifest.complete:
        yield "it is not complete: go on with it by forewarn record --resume"
    yield from _gaps(manifest)
    for part in manifest.parts:
        try:
            if not recording.can_open:
                content_of(recording.folder, part)
                continue
            rows = [columns.offsets.tolist() for columns in recording.read(part)]
        except RecordingError as error:
            yield str(error)
            continue
        offsets = [offset for some in rows for offset in some]
        if len(offsets) != part.records or any(not part.start <= offset < part.upto for offset in offsets):
            yield f"{part.file} does not hold the records that the manifest names"
    named = {NAME, *(part.file for part in manifest.parts)}
    for path in sorted(recording.folder.iterdir()):
        if path.name not in named:
            yield f"{path} is no part of it"


def _gaps(manifest: Manifest) -> Iterator[str]:
    """Ranges of offsets that no file covers, or that two cover."""
    for name, topic in manifest.topics.items():
        for partition, (start, stop) in sorted(topic.partitions.items()):
            at = start
            for part in manifest.parts_of(name, partition):
                if part.start != at:
                    yield f"{name} partition {partition} has no file from offset {at} to {part.start}"
                at = part.upto
            if manifest.complete and at != stop:
                yield f"{name} partition {partition} has no file from offset {at} to {stop}"
