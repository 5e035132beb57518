"""``forewarn audit``: check that the audit log is whole, show its lines, delete old ones, go on with another key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import click

from models.access.audit_chain import ChainError, Line, OldLine, Whole, line_of, old_line_of, verify
from models.access.audit_keys import pseudonyms
from streams.audit import AuditError, AuditLog, lines
from streams.audit.heads import HeadError, hashes, others, published_heads
from streams.audit.reading import deeds, log_of
from streams.cli import CommandError, InputError, site_settings
from streams.cli.indicator_options import run
from streams.cli.noting import publish_at_end
from streams.cli.since import Since
from streams.cli.tables import show_table
from streams.setting_fields import SettingsError
from streams.settings import Settings

SHORTEST: Final = 184
"""The fewest days for which lines are kept: China's Cybersecurity Law demands six months for logs. It also keeps those
who may run the command from deleting what they did last week."""


class Hash(click.ParamType):
    """The hash of a line, as ``forewarn audit verify`` prints it."""

    name = "hash"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The hash in lower case."""
        text = str(value).strip().lower()
        if len(text) != 64 or set(text) - set("0123456789abcdef"):
            self.fail("give the 64 hexadecimal digits that forewarn audit verify printed", param, ctx)
        return text


@click.group()
def audit() -> None:
    """Show the audit log, and check whether any line was changed, removed or inserted.

    Example: forewarn audit verify
    """


@audit.command("verify")
@click.option("--head", type=Hash(), help="A hash that verify printed before; its line must still be there.")
@click.option("--published", "is_compared", is_flag=True, help="Compare with the hashes in the topic audit-heads.")
@click.option("--no-key", "is_keyless", is_flag=True, help="Check no seals, on a machine that has no secret.")
def verify_(head: str | None, is_compared: bool, is_keyless: bool) -> None:
    """Check the chain of hashes in the log and the seals; print the number of lines and the hash of the last one.

    Nobody without the secret can write or change a sealed line. That the end of the file was cut off, or that somebody
    who has the secret rewrote it, shows only with --published, or with --head, for which note what this prints
    elsewhere.

    Exit status: 0 the log is whole, 1 it is not (the message says where), 2 there is no log.

    Example: forewarn audit verify --published
    """
    settings = site_settings()
    path = settings.audit_log
    with _told():
        keys = None if is_keyless else settings.audit_keys()
        published = _published(settings) if is_compared else None
        try:
            whole = verify(lines(path), keys, head, published)
        except ChainError as error:
            raise CommandError(
                f"{path} is not whole: {error}. Keep the file as it is, and compare it with its last backup."
            ) from None
    click.echo(f"{whole.lines} {whole.head}")
    for said in _said(whole, is_keyless):
        click.echo(said, err=True)
    if published is not None:
        click.echo(f"published: {len(published):,} hashes, up to line {max(published):,}; all of them agree", err=True)


def _published(settings: Settings) -> dict[int, frozenset[str]]:
    """The published hashes of the log; tells of other logs that were at its place.

    Raises `CommandError` when nothing was published.
    """
    path, name = settings.audit_log, log_of(lines(settings.audit_log))
    try:
        heads = run(published_heads(settings))
    except HeadError as error:
        raise InputError(str(error)) from None
    for other in others(heads, name, path):
        said = f"another log was at {path} before, with {other.number:,} lines when it was last published"
        click.echo(f"{said}: to check it, set FOREWARN_AUDIT_LOG to where it is now", err=True)
    published = hashes(heads, name)
    if not published:
        raise CommandError(
            f"No hash of {path} was ever published, so nothing shows whether it is the site's log: see whether the "
            "console runs, and whether this is the file that it writes."
        )
    return published


def _said(whole: Whole, is_keyless: bool) -> Iterator[str]:
    """What there is to say about a whole log."""
    before = [f"{whole.expired:,} of them have expired"] * bool(whole.expired)
    before += [f"{whole.unsealed:,} of them without a seal"] * bool(whole.unsealed)
    before += [f"after {whole.old:,} in the old format"] * bool(whole.old)
    yield ", ".join((f"whole: {whole.lines:,} lines in the chain", *before))
    if is_keyless:
        yield "no seal was checked: whoever can write the file may have rewritten it from some line on"
    for place in whole.halves:
        yield f"line {place} was left half-written; the next line records this"
    if whole.cut:
        yield f"the last line is half-written ({whole.cut} bytes), as after a power cut; the next line will record this"


@audit.command()
def rotate() -> None:
    """Go on with the newest key of FOREWARN_AUDIT_SECRET_FILE, and record that as a line.

    Write the new secret above the former ones in that file first, and restart the console at once: until then it
    refuses everything that it would have to record.

    Example: forewarn audit rotate
    """
    settings = site_settings()
    with _told():
        line = AuditLog.of(settings).change_key()
        publish_at_end(settings)
    if line is None:
        click.echo("nothing to do: the log is sealed with the newest key", err=True)
    else:
        click.echo(f"line {line.number} and all lines after it are sealed with the key {line.key}", err=True)


@audit.command()
@click.option(
    "--keep",
    type=click.IntRange(min=SHORTEST),
    metavar="DAYS",
    required=True,
    help=f"Days to keep; {SHORTEST} at least, and no longer than the topic audit-heads keeps the published hashes.",
)
def expire(keep: int) -> None:
    """Delete the lines that are older, and record that as a line. The rest can still be checked.

    The whole log is checked first, also against the hashes in Kafka: afterwards nobody could check the deleted lines.
    If it is not whole, nothing is deleted.

    Exit status: 0 done or nothing to do, 1 the log is not whole (the message says where), 2 it cannot be done.

    Example: forewarn audit expire --keep 1825
    """
    from streams.audit.expiring import expire as expired

    settings = site_settings()
    with _told():
        log = AuditLog.of(settings)
        published = _published(settings)
        try:
            line = expired(log, datetime.now(UTC) - timedelta(days=keep), published)
        except ChainError as error:
            raise CommandError(f"{log.path} is not whole, so nothing was deleted: {error}") from None
        publish_at_end(settings)
    if line is None:
        click.echo(f"nothing to do: no line is older than {keep} days", err=True)
    else:
        click.echo(f"the lines up to {line.details['through']} are deleted; line {line.number} records it", err=True)


@audit.command()
@click.option("--who", help="Only lines of this user; os:NAME for a user of the commands.")
@click.option("--case", help="Only for this case.")
@click.option("--about", metavar="TYPE:VALUE", help="Only about this: number:861…, domain:…, url:… or case:…")
@click.option("--since", type=Since(), help="Only lines since then.")
@click.option("--json", "as_json", is_flag=True, help="Write the lines as they are in the log.")
def show(who: str | None, case: str | None, about: str | None, since: datetime | None, as_json: bool) -> None:
    """Show the lines of the log: a table on a terminal, otherwise tab-separated lines.

    The log holds pseudonyms; --about finds a value under the present and all former keys.

    Example: forewarn audit show --case A-2026-118 --since 30d
    """
    unread = 0
    settings = site_settings()

    def chosen(raws: Iterable[bytes], wanted: frozenset[str]) -> Iterator[tuple[bytes, Line | OldLine]]:
        nonlocal unread
        for raw in raws:
            line = line_of(raw) or old_line_of(raw)
            if line is None:
                unread += 1
            elif (
                who in (None, line.who)
                and case in (None, line.case)
                and (about is None or not wanted.isdisjoint(line.what))
                and _is_since(line, since)
            ):
                yield raw, line

    with _told():
        wanted = frozenset(() if about is None else pseudonyms(settings.audit_keys(), about))
        found = [*chosen(deeds(settings.audit_log), wanted)]
    if as_json:
        out = click.get_binary_stream("stdout")
        out.writelines(raw for raw, _ in found)
        out.flush()
    else:
        show_table(_HEAD, [_row(line) for _, line in found])
    click.echo(f"{len(found):,} lines", err=True)
    if unread:
        click.echo(f"{unread:,} more lines cannot be read: run forewarn audit verify", err=True)


@contextmanager
def _told() -> Iterator[None]:
    """Report a log that cannot be read or written, and a missing secret, in one sentence."""
    try:
        yield
    except (AuditError, SettingsError) as error:
        raise InputError(str(error)) from None


def _is_since(line: Line | OldLine, since: datetime | None) -> bool:
    return since is None or line.at >= since.astimezone(UTC).isoformat(timespec="seconds")  # all in UTC, equally long


_HEAD = ("number", "at", "who", "did", "case", "about", "details")


def _row(line: Line | OldLine) -> tuple[str, ...]:
    number, did, details = "", "look-up", _details(line)
    if isinstance(line, Line):
        number, did = str(line.number), line.did
    said = " ".join(f"{name}={value}" for name, value in details.items())
    return number, line.at, line.who, did, line.case, " ".join(line.what), said


def _details(line: Line | OldLine) -> Mapping[str, object]:
    return line.details if isinstance(line, Line) else {"since": line.since, "found": line.found}
