"""Progress bars for commands that take long: by bytes or by items, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def byte_bar(what: str, paths: Sequence[Path]) -> AbstractContextManager[Callable[[int], None]]:
    """A bar on stderr over the size of these files; call the function with the number of further bytes done."""
    return _bar(what, sum(path.stat().st_size for path in paths), "{task.percentage:>3.0f} %")


def count_bar(what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    """A bar on stderr over ``total`` items; call the function with the number of further items done."""
    return _bar(what, total, "{task.completed:,.0f} of {task.total:,.0f}")


@contextmanager
def _bar(what: str, total: int, done: str) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    with Progress(
        *(TextColumn(what), BarColumn(), TextColumn(done)),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
