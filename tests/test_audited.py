"""What shows or changes something of a person, or of what decides, is in the audit log: every command and every route.

A new command or route fails here until it stands in one of the tables: with its deed, or with the reason for none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final, get_args

import click
import pytest
from click.testing import CliRunner

from models.casework.cases import Kind
from streams.audit import Deed
from streams.cli import cli
from streams.console.app import make_app
from streams.console.authorisation import rules
from streams.console.pages import PAGES
from streams.ledger.storage import Storage
from streams.settings import Settings
from tests.consoles import Backroom
from tests.site import LETTERS_KEY, SECRET, call
from tests.streams.ledger.test_ledger import ANN, put, rows

DEEDS: Final = frozenset(get_args(Deed))

OWN_FILES = "reads files of the operator's own and writes nothing but its output"
PROGRAM = "a program, whose every action on data of people is by rule; its policy, model and secret are the site's"
LOCAL = "starts and stops a stack of this machine"
NOBODY = "shows nothing of a person and changes nothing that decides"
FRAUD = "names numbers and domains that are known or suspected for fraud, and nobody's contacts"

CLI: Final[dict[str, str]] = {
    "audit expire": "audit-expired",
    "audit rotate": "key-changed",
    "audit show": "shows pseudonyms, and must work on copies, to which nothing may be added",
    "audit verify": "the same",
    "bulletin": NOBODY,
    "campaigns confirm": "campaign-confirmed",
    "campaigns dismiss": "campaign-dismissed",
    "campaigns list": FRAUD,
    "check": "topic-checked",
    "city": "writes made-up people",
    "console": "policy-followed",
    "demo": LOCAL,
    "dispatcher": PROGRAM,
    "doctor": NOBODY,
    "down": LOCAL,
    "extract": OWN_FILES,
    "hunt": "look-up",
    "hunter": PROGRAM,
    "indicators import": "indicators-imported",
    "indicators list": FRAUD,
    "indicators revoke": "indicators-revoked",
    "ledger compact": "keeps every contact as it is",
    "ledger expire": "ledger-expired",
    "ledger status": NOBODY,
    "letters discard": "letters-discarded",
    "letters keygen": "makes a key and shows nothing",
    "letters list": "letter-shown",
    "letters open": "letters-opened",
    "letters redrive": "letters-redriven",
    "letters show": "letter-shown",
    "person export": "person-exported",
    "person purge": "person-purged",
    "play": "writes as a carrier, with a carrier's rights in Kafka",
    "playbook": NOBODY,
    "record": "topics-recorded",
    "record verify": "says whether a folder is whole, and shows no record",
    "replay": "topics-replayed",
    "risks acted-on": "risk-decided",
    "risks confirm": "risk-decided",
    "risks declined": "risk-decided",
    "risks dismiss": "risk-decided",
    "risks find": "risks-found",
    "risks hand-over": "risk-decided",
    "risks list": "shows masked numbers and accounts, and nobody's contacts; whoever looks at one is noted",
    "risks show": "risk-shown",
    "state drop": "state-dropped",
    "state restore": "state-restored",
    "state rewind": "state-rewound",
    "state save": "state-saved",
    "state show": NOBODY,
    "top": "shows counts and states of programs, of which none leads to a person",
    "topics acl": "rights-applied",
    "topics apply": "topics-applied",
    "topics diff": NOBODY,
    "topics validate": NOBODY,
    "train": "writes a model; what decides is the one that FOREWARN_MODEL names, and its name is in the worker's log",
    "up": LOCAL,
    "users add": "user-added",
    "users assign": "user-changed",
    "users disable": "user-disabled",
    "users enable": "user-enabled",
    "users list": "shows users to who can read their file, and nobody's data",
    "users password": "password-changed",
    "users token add": "token-added",
    "users token revoke": "token-revoked",
    "worker": PROGRAM,
}
"""Each command: its deed, or why it has none."""

MASKED = "shows the user's own units' cases, masked and without history; whoever opens one is noted"
REPORTED = "is a record of dispatch-feedback with the user's name, and in the case's history"
PAGE = "shows no case and no person"
USERS = "shows users to administrators alone, and nobody's data; each change is noted by its kind"

ROUTES: Final[dict[str, str]] = {
    "GET /": PAGE,
    "GET /sign-in": PAGE,
    "POST /sign-in": "sign-in",
    "POST /sign-out": "sign-out",
    "POST /language": PAGE,
    "GET /orders": MASKED,
    "GET /centre": MASKED,
    "GET /bulletin": "shows rounded counts of people, which lead to nobody",
    "GET /cases/{case}": "shown-case",
    "POST /cases/{case}/number": "shown-number",
    "GET /api/docs": PAGE,
    "GET /static": PAGE,
    "GET /api/openapi.json": PAGE,
    "POST /api/v1/sign-in": "sign-in",
    "POST /api/v1/sign-out": "sign-out",
    "GET /audit": "audit-read",
    "POST /audit/check": "audit-read",
    "GET /api/v1/audit": "audit-read",
    "POST /api/v1/audit/check": "audit-read",
    "GET /users": USERS,
    "POST /users": "user-added",
    "GET /users/{name}": USERS,
    "POST /users/{name}/{change}": "user-changed",
    "GET /api/v1/users": USERS,
    "POST /api/v1/users/{name}/{change}": "user-changed",
    "GET /look-up": PAGE,
    "POST /look-up": "look-up",
    "POST /api/v1/look-ups": "look-up",
    "GET /risks": "shows masked numbers and accounts, and nobody's contacts; whoever looks at one is noted",
    "GET /risks/{name}": "risk-shown",
    "POST /risks/{name}/number": "risk-shown",
    "POST /risks/{name}/{state}": "risk-decided",
    "GET /api/v1/me": PAGE,
    "GET /api/v1/orders": MASKED,
    "GET /api/v1/changes": MASKED,
    "GET /api/v1/cases/{case}": "shown-case",
    "GET /api/v1/units": PAGE,
    "GET /api/v1/statistics": PAGE,
    "GET /api/v1/playbooks/{scam_type}": PAGE,
} | {f"POST {begin}/cases/{{case}}/{kind}": REPORTED for kind in get_args(Kind) for begin in ("", "/api/v1")}
"""Each route: its deed, or why it has none."""


def walked(command: click.Command, name: str = "") -> Iterator[str]:
    """The names of all commands below one."""
    if not isinstance(command, click.Group):
        yield name
        return
    if command.invoke_without_command:
        yield name
    for each in command.list_commands(click.Context(command)):
        below = command.get_command(click.Context(command), each)
        assert below is not None
        yield from walked(below, f"{name} {each}".strip())


def test_every_command_is_audited_or_says_why_not() -> None:
    assert {*walked(cli)} == CLI.keys()


def test_every_route_is_audited_or_says_why_not(tmp_path: Path) -> None:
    console = Backroom(Settings(redis="redis://127.0.0.1:1/0"), tmp_path).console
    found = rules(make_app(console, PAGES))

    assert {f"{method} {path}" for path, methods, _ in found for method in methods - {"HEAD"}} == ROUTES.keys()


def test_every_deed_is_of_a_command_or_a_route() -> None:
    """Besides those that come from a request which is refused, and those that the log notes about itself."""
    others = {"case-refused", "sign-in-refused", "unusual-use"}

    assert {*CLI.values(), *ROUTES.values()} & DEEDS == DEEDS - others


@pytest.mark.parametrize(
    "command",
    [
        "check --topic calls",
        "indicators import LIST",
        "state save FILE",
        "ledger expire --keep 1",
        "users add li --role admin --random",
        "hunt --number 99900000001 --case A --since 2d --out FILE",
        "audit rotate",
    ],
)
def test_what_cannot_be_noted_does_not_happen(command: str, tmp_path: Path) -> None:
    """It asks no server before, shows nothing and leaves nothing behind."""
    environ = {
        "FOREWARN_KAFKA": "127.0.0.1:1",
        "FOREWARN_REDIS": "redis://127.0.0.1:1/0",
        "FOREWARN_LEDGER": str(tmp_path / "ledger"),
        "FOREWARN_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "FOREWARN_USERS_FILE": str(tmp_path / "users.json"),
        "FOREWARN_SECRET": SECRET,
        "FOREWARN_LETTERS_RECIPIENT": LETTERS_KEY.recipient,
    }
    (tmp_path / "audit.jsonl").mkdir()
    (tmp_path / "list").write_text("evil.example\n")
    put(
        Storage(Settings.from_environ(environ)),
        0,
        rows([call(ANN, 1_773_628_800_000)]),
        day=date.today() - timedelta(days=2),
    )
    words = command.replace("LIST", str(tmp_path / "list")).replace("FILE", str(tmp_path / "f")).split()
    before = written(tmp_path)

    result = CliRunner().invoke(cli, words, env=environ)

    assert (result.exit_code in (1, 2), result.stdout) == (True, "")
    assert f"The audit log {tmp_path / 'audit.jsonl'} cannot be written" in result.stderr
    assert written(tmp_path) == before


def written(folder: Path) -> dict[Path, tuple[bytes, int, int]]:
    """Return each file's content, time of its last change and mode. That it was read changes none of them."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode) for path in files}
