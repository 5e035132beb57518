"""Finding: what a look at one part has found."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["good", "look", "bad"]


class Finding(NamedTuple):
    """The state of one part, with a sentence: ``good``, ``look`` (it works but needs attention) or ``bad``."""

    part: str
    state: State
    says: str
