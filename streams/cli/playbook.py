"""``forewarn playbook``: show what an officer says and checks for one scam type, to read during a call."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Shown

from models.casework.playbooks import Language, Playbook, Text
from models.detection.wording import scam_name
from streams.cli import InputError, site_settings
from streams.console.words import said as word
from streams.files.playbook_files import PlaybookFileError, read_playbooks

_PARTS: Final = ("story", "opening", "questions", "never", "check", "at_the_door_nobody", "money_gone")
"""The parts of a playbook in the order of its file, which is the order for reading it beforehand."""


@click.command()
@click.argument("scam_type", required=False)
@click.option("--lang", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="Chinese or English.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, in both languages.")
def playbook(scam_type: str | None, lang: Language, as_json: bool) -> None:
    """Show what an officer says and checks for a scam type; without SCAM_TYPE, list the types with a playbook.

    A site's own playbooks are in the folder named by FOREWARN_PLAYBOOKS; docs/playbooks.md describes their format.

    Example: forewarn playbook impersonated-authority --lang en
    """
    try:
        known = read_playbooks(site_settings().playbooks)
    except PlaybookFileError as error:
        raise InputError(str(error)) from None
    if scam_type is None:
        _list(known, as_json)
        return
    if scam_type not in known:
        near = difflib.get_close_matches(scam_type, known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}"
        raise InputError(f"there is no playbook for {scam_type!r}: {advice}")
    wanted = known[scam_type]
    if as_json:
        click.echo(msgspec.json.encode(wanted))
    elif sys.stdout.isatty():
        _show(wanted, lang, Console(highlight=False))
    else:
        for line in _lines(wanted, lang):
            click.echo(line)


def _list(known: Mapping[str, Playbook], as_json: bool) -> None:
    named = [(scam_type, *scam_name(scam_type)) for scam_type in known]
    if as_json:
        for scam_type, zh, en in named:
            click.echo(msgspec.json.encode({"scam_type": scam_type, "zh": zh, "en": en}))
    elif sys.stdout.isatty():
        table = Table("scam type", "", "", box=None)
        for row in named:
            table.add_row(*row)
        Console().print(table, markup=False)
    else:
        for row in named:
            click.echo("\t".join(row))


def _parts(playbook: Playbook, language: Language) -> Iterator[tuple[str, list[Sequence[str]]]]:
    """The title and lines of each part; a question is followed by the meaning of its answer."""
    for field in _PARTS:
        said: list[Sequence[str]] = [
            [each.said(language)] if isinstance(each, Text) else [each.ask.said(language), each.means.said(language)]
            for each in getattr(playbook, field)
        ]
        yield word(f"part.{field}", language), said
    if playbook.sources:
        yield word("part.sources", language), [[f"{each.by}: {each.url}"] for each in playbook.sources]


def _heading(playbook: Playbook, language: Language) -> str:
    zh, en = scam_name(playbook.scam_type)
    return f"{zh if language == 'zh' else en}  {playbook.scam_type}"


def _lines(playbook: Playbook, language: Language) -> Iterator[str]:
    """A playbook as plain lines, for a file or another program."""
    yield _heading(playbook, language)
    for title, said in _parts(playbook, language):
        yield f"\n{title}"
        for number, sentences in enumerate(said, 1):
            yield f"{number}. {sentences[0]}"
            yield from (f"   → {sentence}" for sentence in sentences[1:])


def _show(playbook: Playbook, language: Language, console: Console) -> None:
    """Show a playbook on a terminal: each part under its title, with wrapped lines indented to their start."""
    console.print(Shown(_heading(playbook, language), style="bold"))
    for title, said in _parts(playbook, language):
        console.print(Shown(f"\n{title}", style="bold cyan"))
        grid = Table.grid(padding=(0, 1))
        grid.add_column(justify="right")
        grid.add_column(overflow="fold")  # Chinese has no spaces to wrap at; the default cuts it off
        for number, (first, *others) in enumerate(said, 1):
            grid.add_row(f"{number}.", Shown(first))
            for sentence in others:
                grid.add_row("→", Shown(sentence, style="yellow"))
        console.print(Padding(grid, (0, 0, 0, 2)))
