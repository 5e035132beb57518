"""City writing: writes a simulated city's files, the records as they are generated and the rest at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from models.city.city import City
from models.indicators.indicator import encode


def write(made: City, folder: Path, hour_done: Any) -> dict[str, int]:
    """Write a city's files into a folder; returns the number of lines of each file."""
    counts: Counter[str] = Counter()
    with (folder / "calls.jsonl").open("wb") as calls, (folder / "sms.jsonl").open("wb") as sms:
        for call_lines, sms_lines in made.hours():
            calls.write("".join(call_lines).encode())
            sms.write("".join(sms_lines).encode())
            counts.update(calls=len(call_lines), sms=len(sms_lines))
            hour_done(1)
    encoder = msgspec.json.Encoder()
    counts["indicators"] = _lines(folder / "indicators.jsonl", map(encode, made.indicators()))
    counts["subscribers"] = _lines(folder / "subscribers.jsonl", map(encoder.encode, made.residents()))
    counts["truth"] = _lines(
        folder / "truth.jsonl",
        map(encoder.encode, sorted(made.truths, key=lambda truth: (truth.first_contact, truth.subscriber))),
    )
    return dict(counts)


def _lines(path: Path, lines: Iterable[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            count += 1
    return count
