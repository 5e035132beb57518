"""A recording: the records of a site's topics as files, with their append times, which ``forewarn replay`` reads.

So an undisturbed run knows the broker's clock as the live run did: it has the append time of every record, and the
heartbeats that the workers wrote.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec

from models.indicators.indicator import Indicator
from streams.kafka.publishing import HEARTBEAT
from streams.local.worker import FOREWARN
from tests.site import Site

Records = Sequence[Any]


@dataclass(frozen=True)
class Recording:
    """The records of ``calls``, ``sms`` and ``signals`` as Kafka gave them."""

    calls: Records
    sms: Records
    signals: Records

    @classmethod
    def of(cls, site: Site) -> Recording:
        """The records of a site up to now, in the order in which they were appended."""
        return cls(*(sorted(site.read(topic), key=attrgetter("timestamp")) for topic in ("calls", "sms", "signals")))

    @property
    def heartbeats(self) -> int:
        """How many heartbeats there are."""
        return sum(record.key == HEARTBEAT for record in self.signals)

    def replayed(
        self,
        folder: Path,
        indicators: Iterable[Indicator],
        policy: Path,
        as_is: Callable[[bytes], bytes] = lambda value: value,
    ) -> list[bytes]:
        """The alerts of ``forewarn replay`` over the recording, by points; its files are put into a new folder.

        ``as_is`` may put another value in the place of a call's or an SMS's.
        """
        folder.mkdir()
        arguments: list[str] = ["--policy", str(policy), "--model", "points", "--out", str(folder / "alerts.jsonl")]
        lines = {
            "calls": (line(as_is(record.value), appended=record.timestamp) for record in self.calls),
            "sms": (line(as_is(record.value), appended=record.timestamp) for record in self.sms),
            "signals": (
                line(record.value, appended=record.timestamp, partition=record.partition) for record in self.signals
            ),
            "indicators": map(msgspec.json.encode, indicators),
        }
        for name, some in lines.items():
            file = folder / f"{name}.jsonl"
            file.write_bytes(b"".join(line + b"\n" for line in some))
            arguments += [f"--{name}", str(file)]
        done = subprocess.run(
            [*FOREWARN, "replay", *arguments], env=os.environ, capture_output=True, text=True, check=False
        )
        assert not done.returncode, done.stderr
        assert " 0 lines refused" in done.stderr, done.stderr
        return (folder / "alerts.jsonl").read_bytes().splitlines()


def line(value: bytes, **more: int) -> bytes:
    """A record's value with more fields at its end."""
    fields = ",".join(f'"{name}":{number}' for name, number in more.items())
    return value.removesuffix(b"}") + b"," + fields.encode() + b"}"
