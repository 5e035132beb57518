"""Choosing: which dead letters an operator means, by what everybody may read of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple

from streams.kafka.found_letters import Found


class Place(NamedTuple):
    """The place of one refused record."""

    topic: str
    """With the site's prefix."""
    partition: int
    offset: int


@dataclass(frozen=True)
class Choice:
    """Letters with all of these marks; None takes any."""

    topic: str | None = None
    """The topic of the refused record, with the site's prefix."""
    reason: str | None = None
    source: str | None = None
    since: int | None = None
    """The records that arrived at this time (epoch ms) or later."""
    until: int | None = None
    """The records that arrived before this time (epoch ms)."""
    place: Place | None = None
    """The letters of this one record."""

    def takes(self, letter: Found) -> bool:
        """Whether a letter is meant."""
        origin = letter.origin
        return (
            self.topic in (None, origin.topic)
            and self.reason in (None, letter.reason)
            and self.source in (None, letter.source)
            and (self.since is None or origin.timestamp >= self.since)
            and (self.until is None or origin.timestamp < self.until)
            and self.place in (None, origin[:3])
        )


async def chosen(letters: AsyncIterator[Found], choice: Choice) -> AsyncGenerator[Found, None]:
    """The letters that are meant, in order; of several letters about one record only the first."""
    seen = set()
    async for letter in letters:
        if choice.takes(letter) and letter.origin not in seen:
            seen.add(letter.origin)
            yield letter
