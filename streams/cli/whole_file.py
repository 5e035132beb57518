"""Whole file: an output file that gets its name only when it is complete; ``-`` is stdout."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from streams.cli import CommandError


@contextmanager
def whole_file(out: Path) -> Iterator[IO[bytes]]:
    """A file to write, which gets its final name only when it is complete; ``-`` is stdout."""
    if str(out) == "-":
        yield click.get_binary_stream("stdout")
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
