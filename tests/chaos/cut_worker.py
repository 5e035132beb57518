"""``python -m tests.chaos.cut_worker``: a worker that ends as in a power cut, at one await of its scoring.

Which one, and at which of its visits, is told by `CUT`; without it the worker writes every await that it comes to into
the file of `SEEN` and ends at none. An await is named by the functions of ``streams`` that wait in it and the line of
the innermost. ``before`` cuts while the answer is under way (a server has had time to do what it was asked), ``after``
as soon as it is there.
"""

from __future__ import annotations

import os
import signal
import time
import types
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

from streams.cli import main
from streams.worker.assignment import Assignment
from streams.worker.scoring import Scorer
from tests.site import ROOT

SEEN = "CHAOS_SEEN"
CUT = "CHAOS_CUT"
WATCHED: tuple[tuple[type, str], ...] = (
    (Assignment, "on_assigned"),
    (Assignment, "on_revoked"),
    (Assignment, "reconcile"),
    (Scorer, "_advance"),
    (Scorer, "tend"),
)
"""Every method in which a partition's life waits for a server; none calls another of them but ``on_assigned``."""

STREAMS = str(ROOT / "streams")
SERVER_S = 0.005


def place_of(coroutine: Any) -> str:
    """Where a coroutine waits: the functions of streams on the way, and the line of the innermost."""
    names: list[str] = []
    line = 0
    while isinstance(coroutine, types.CoroutineType):
        frame = coroutine.cr_frame
        if frame is not None and frame.f_code.co_filename.startswith(STREAMS):
            names.append(frame.f_code.co_name)
            line = frame.f_lineno
        coroutine = coroutine.cr_await
    return f"{'.'.join(names)}:{line}"


@types.coroutine
def driven(coroutine: Coroutine[Any, Any, Any], passed: Callable[[str, str], None]) -> Generator[Any, Any, Any]:
    """Run a coroutine; ``passed`` hears of every place where it waits, before and after."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            waited = coroutine.send(answer) if error is None else coroutine.throw(error)
        except StopIteration as done:
            return done.value
        place = place_of(coroutine)
        passed(place, "before")
        answer = error = None
        try:
            answer = yield waited
        except BaseException as raised:
            error = raised
        passed(place, "after")


def watch(owner: type, name: str, passed: Callable[[str, str], None]) -> None:
    """Have a method driven."""
    method = getattr(owner, name)

    async def watched(self: Any, *arguments: Any) -> Any:
        return await driven(method(self, *arguments), passed)

    setattr(owner, name, watched)


def writing_down(path: Path) -> Callable[[str, str], None]:
    """Write every place into a file, once."""
    seen: set[str] = set()

    def passed(place: str, side: str) -> None:
        if place not in seen:
            seen.add(place)
            with path.open("a") as file:
                file.write(place + "\n")

    return passed


def cutting(wanted: str, wanted_side: str, visits: int) -> Callable[[str, str], None]:
    """End this process at a visit of a place."""
    left = visits

    def passed(place: str, side: str) -> None:
        nonlocal left
        if place == wanted and side == wanted_side:
            left -= 1
            if not left:
                if side == "before":
                    time.sleep(SERVER_S)
                os.kill(os.getpid(), signal.SIGKILL)

    return passed


def run() -> None:
    """Be a worker."""
    if CUT in os.environ:
        place, side, visits = os.environ[CUT].split()
        passed = cutting(place, side, int(visits))
    else:
        passed = writing_down(Path(os.environ[SEEN]))
    for owner, name in WATCHED:
        watch(owner, name, passed)
    main(["worker"])


if __name__ == "__main__":
    run()
