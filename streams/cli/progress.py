"""A progress bar for commands that read files: on a terminal only, by bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def byte_bar(what: str, paths: Sequence[Path]) -> Iterator[Callable[[int], None]]:
    """A bar on stderr over the size of these files; the function that it gives is told of bytes done."""
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    console = Console(stderr=True)
    total = sum(path.stat().st_size for path in paths)
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def count_bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr over so many things (None: nobody knows); the function that it gives is told of how many more."""
    console = Console(stderr=True)
    with Progress(
        *(TextColumn(what), BarColumn(), TextColumn("{task.completed:,.0f}")),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
