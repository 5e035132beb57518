"""``python -m tests.chaos.cut_worker``: a worker that ends at one await of its scoring, as in a power cut.

`CUT` names the await and the visit at which the worker ends. Without it the worker writes every await that it reaches
to the file named by `SEEN`, and ends at none of them. The name of an await consists of the functions of ``streams``
that wait in it and the line of the innermost one. ``before`` cuts while the answer is under way (a server has had time
to carry out the request); ``after`` cuts as soon as the answer is there.
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
"""All methods of a partition's life that wait for a server; only ``on_assigned`` calls another of them."""

STREAMS = str(ROOT / "streams")
SERVER_S = 0.005


def place_of(coroutine: Any) -> str:
    """The place where a coroutine waits: the functions of streams on the way, and the line of the innermost."""
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
    """Run a coroutine; calls ``passed`` before and after every place where it waits."""
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
    """Replace a method by one that runs through `driven`."""
    method = getattr(owner, name)

    async def watched(self: Any, *arguments: Any) -> Any:
        return await driven(method(self, *arguments), passed)

    setattr(owner, name, watched)


def writing_down(path: Path) -> Callable[[str, str], None]:
    """A callback that writes every place to a file once."""
    seen: set[str] = set()

    def passed(place: str, side: str) -> None:
        if place not in seen:
            seen.add(place)
            with path.open("a") as file:
                file.write(place + "\n")

    return passed


def cutting(wanted: str, wanted_side: str, visits: int) -> Callable[[str, str], None]:
    """A callback that kills this process at the given visit of a place."""
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
    """Run the worker with every method of `WATCHED` watched."""
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
