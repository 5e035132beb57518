"""``forewarn extract``: write what the worker finds in texts as JSON Lines, for tests and for other tools.

It uses only `models.texts.extraction`, so its output is exactly what the worker sees.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec

from models.texts.extraction import LONGEST, Reading, read_all
from streams.cli import CommandError
from streams.cli.progress import byte_bar

_CHUNK = 1 << 18
_LONGEST_LINE = 4 * LONGEST  # bytes; UTF-8 takes at most four for a character
_encode = msgspec.json.Encoder().encode


@click.command()
@click.argument("file", type=click.Path(path_type=str), default="-")
def extract(file: str) -> None:
    """Read one SMS text a line from FILE (- or nothing: standard input) and write what it contains.

    Each line gives one JSON object, in the same order: `domains`, the full hosts in lower-case ASCII; `urls`; and
    `flags`: verification-code, bank-notice. Texts are UTF-8; invalid bytes are read as replacement characters. Nothing
    is kept or sent.

    Exit status: 0 done, 1 FILE cannot be read, 2 wrong usage.

    Example: echo '【ETC】请登录ｅｔｃ－ｐａｙ．ｔｏｐ/a办理' | forewarn extract
    """
    out = click.get_binary_stream("stdout")
    with _opened(file) as (raw, advance):
        for lines in _lines(raw, file, advance):
            readings = read_all([line.decode("utf-8", "replace") for line in lines])
            out.write(b"".join(map(_line, readings)))
            out.flush()  # once for each batch, so line by line only when the input comes line by line


def _line(found: Reading) -> bytes:
    """The JSON line for one text."""
    return _encode({"domains": found.domains, "urls": found.urls, "flags": found.flags}) + b"\n"


def _lines(raw: IO[bytes], file: str, advance: Callable[[int], object]) -> Iterator[list[bytes]]:
    """The lines without their ends, in batches of all that is available without waiting."""
    rest, first = b"", True
    take: Callable[[int], bytes] = getattr(raw, "read1", raw.read)
    while chunk := _taken(take, file):
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[:_LONGEST_LINE]
        if first and whole:
            whole[0] = whole[0].removeprefix(codecs.BOM_UTF8)
            first = False
        yield [line.removesuffix(b"\r") for line in whole]
        advance(len(chunk))
    if rest:
        yield [rest.removeprefix(codecs.BOM_UTF8) if first else rest]


def _taken(take: Callable[[int], bytes], file: str) -> bytes:
    try:
        return take(_CHUNK)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None


@contextmanager
def _opened(file: str) -> Iterator[tuple[IO[bytes], Callable[[int], object]]]:
    """The file, and the function to call with the number of bytes that are done."""
    if file == "-":
        if sys.stdin is None:
            raise CommandError("there is no standard input to read from")
        if sys.stdin.isatty():
            click.echo("Type one text a line; Ctrl-D ends.", err=True)
        yield click.get_binary_stream("stdin"), _unheard
        return
    path = Path(file)
    try:
        raw = path.open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    with raw:
        if sys.stdout.isatty():  # a bar would appear between the output lines
            yield raw, _unheard
        else:
            with byte_bar("reading", [path]) as advance:
                yield raw, advance


def _unheard(_: int) -> None:
    """Ignore progress where no bar is shown."""
