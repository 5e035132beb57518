"""Tables: writes aligned rows on a terminal and tab-separated lines everywhere else; foreign text controls neither."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click
from rich.console import Console
from rich.table import Table

from streams.printable import printable


def show_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows under their headings to stdout."""
    rows = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (head, *rows):
            click.echo("\t".join(row))
        return
    table = Table(*head, box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table, markup=False)
