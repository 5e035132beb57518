"""Foreign text on terminals and in logs: it moves no cursor, colours nothing, and makes no line of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import click
import pytest
import structlog
from click.testing import CliRunner

from streams import logs
from streams.cli import CommandError
from streams.cli.tables import show_table
from streams.printable import printable
from streams.settings import Settings

FOREIGN = "A-1\x1b[2J\x9b1A\r\n2\tforged\u202etxt"


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """The logging of the tests, again after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_table_has_one_line_for_each_row_whatever_is_in_it() -> None:
    @click.command()
    def shown() -> None:
        show_table(("case", "who"), [(FOREIGN, "li")])

    said = CliRunner().invoke(shown).output

    assert [len(line.split("\t")) for line in said.splitlines()] == [2, 2]
    assert said.replace("\n", "").replace("\t", "").isprintable()


def test_an_error_of_a_command_quotes_nothing_that_controls_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    CommandError(f"{FOREIGN} is no case").show()

    assert capsys.readouterr().err.replace("\n", "").isprintable()


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("sign", ["\x1b[2J", "\x9b", "\u202e", "\n", "\u2028"])
def test_no_value_in_the_log_controls_a_terminal_or_makes_a_line(
    form: str, sign: str, logging_as_before: None, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(log_format=form))
    structlog.get_logger("test").error("refused", error=f"A{sign}B")
    said = capfd.readouterr().err

    assert f"A{sign}B" not in said
    assert len(said.splitlines()) == 1


def test_chinese_text_keeps_its_wide_spaces() -> None:
    assert printable("城南\u3000派出所") == "城南\u3000派出所"
