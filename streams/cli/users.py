"""``forewarn users``: the users of the console and the API, and their roles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import msgspec

from models.access.rights import ROLES, AccessError, Role, user
from streams.access.accounts import UserAccount, UsersError
from streams.access.passwords import PasswordError, random_password
from streams.access.sessions import Sessions
from streams.access.store import Store, UnavailableError
from streams.access.users import Users
from streams.audit import AuditError, operator
from streams.cli import CommandError, InputError, site_settings
from streams.cli.extras import require
from streams.cli.noting import publish_at_end
from streams.cli.tables import show_table
from streams.setting_fields import SettingsError
from streams.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def users() -> None:
    """Manage the users of the console and the API, and their roles.

    Example: forewarn users add li.wei --role officer --unit ps-0101
    """


def _role_options(command: F) -> F:
    role = click.option(
        "--role",
        type=click.Choice(ROLES),
        required=True,
        help="The user's role; see docs/access.md.",
    )
    unit = click.option(
        "--unit", default="", help="Id of the user's station, sub-bureau or centre; not for analyst, auditor and admin."
    )
    return role(unit(command))


def _password_options(command: F) -> F:
    file = click.option(
        "--password-file",
        type=click.File("rb"),
        help="File whose first line is the password; - is standard input.",
    )
    random = click.option("--random", is_flag=True, help="Make a random password and print it once.")
    return file(random(command))


@users.command()
@click.argument("name")
@_role_options
@_password_options
def add(name: str, role: Role, unit: str, password_file: Any, random: bool) -> None:
    """Add a user. The command asks twice for the password, unless it comes from a file or is random.

    Example: forewarn users add li.wei --role officer --unit ps-0101
    """
    with _told():
        new = user(name, role, unit)
        known = _known(site_settings())
        if known.get(name) is not None:  # check before the user is asked for a password
            raise UsersError(f"There is already a user {name}: see forewarn users list")
        password = _password(password_file, random)
        known.add(new, password, by=operator())
    _print_random(password, random)
    click.echo(f"{name} may sign in as {role}", err=True)


@users.command()
@click.argument("name")
@_role_options
def assign(name: str, role: Role, unit: str) -> None:
    """Give a user another role or unit, from their next request on.

    Example: forewarn users assign li.wei --role sub-bureau --unit sb-01
    """
    with _told():
        _known(site_settings()).assign(name, role, unit, by=operator())
    click.echo(f"{name} is now {role}", err=True)


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON Lines.")
def list_(as_json: bool) -> None:
    """List the users: a table on a terminal, otherwise tab-separated lines.

    Example: forewarn users list --json
    """
    with _told():
        found = Users.of(site_settings()).all()
    if as_json:
        for each in found:
            click.echo(msgspec.json.encode(_plain(each)))
    else:
        show_table(_HEAD, map(_row, found))
    click.echo(f"{len(found):,} users", err=True)


@users.command()
@click.argument("name")
def disable(name: str) -> None:
    """Refuse a user and all their tokens from now on; their sessions end.

    Example: forewarn users disable li.wei
    """
    settings = site_settings()
    with _told():
        _known(settings).disable(name, by=operator())
    click.echo(f"{name} is refused from now on", err=True)
    _end_sessions(settings, name)


@users.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let a disabled user sign in again.

    Example: forewarn users enable li.wei
    """
    with _told():
        _known(site_settings()).enable(name, by=operator())
    click.echo(f"{name} may sign in again", err=True)


@users.command()
@click.argument("name")
@_password_options
def password(name: str, password_file: Any, random: bool) -> None:
    """Give a user another password; their sessions end, their tokens stay.

    Example: forewarn users password li.wei
    """
    settings = site_settings()
    with _told():
        known = _known(settings)
        if known.get(name) is None:
            raise UsersError(f"There is no user {name}: see forewarn users list")
        new = _password(password_file, random)
        known.set_password(name, new, by=operator())
    _print_random(new, random)
    click.echo(f"{name} has a new password", err=True)
    _end_sessions(settings, name)


@users.group()
def token() -> None:
    """Add and revoke tokens, which let a system act as a user.

    Example: forewarn users token add station-0101 dispatch-software
    """


@token.command("add")
@click.argument("name")
@click.argument("label")
def add_token(name: str, label: str) -> None:
    """Make a token for a user and print it once; LABEL is its name in the list and for revoking it.

    Example: forewarn users token add station-0101 dispatch-software
    """
    with _told():
        made = _known(site_settings()).add_token(name, label, by=operator())
    click.echo(made)
    click.echo("anyone with this token acts as this user; it cannot be shown again", err=True)


@token.command("revoke")
@click.argument("name")
@click.argument("label")
def revoke_token(name: str, label: str) -> None:
    """Refuse a token from now on.

    Example: forewarn users token revoke station-0101 dispatch-software
    """
    with _told():
        _known(site_settings()).revoke_token(name, label, by=operator())
    click.echo(f"the token {label} of {name} is refused from now on", err=True)


def _known(settings: Settings) -> Users:
    """The site's users, about to be changed; the change is in the audit log, whose head is published at the end."""
    publish_at_end(settings)
    return Users.of(settings)


@contextmanager
def _told() -> Iterator[None]:
    """Report an error in one sentence."""
    require("console")
    try:
        yield
    except (UsersError, AccessError, PasswordError) as error:
        raise InputError(str(error)) from None
    except (AuditError, SettingsError) as error:
        raise CommandError(str(error)) from None


def _password(file: Any, random: bool) -> str:
    if file is not None and random:
        raise click.UsageError("give --password-file or --random, not both")
    if random:
        return random_password()
    if file is not None:
        try:
            return str(file.readline().decode()).rstrip("\r\n")
        except UnicodeDecodeError:
            raise PasswordError("the first line of --password-file is not UTF-8") from None
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _print_random(password: str, random: bool) -> None:
    if random:
        click.echo(password)


def _end_sessions(settings: Settings, name: str) -> None:
    async def end() -> int:
        store = Store(settings)
        try:
            return await Sessions(store, settings).end_all(name)
        finally:
            await store.close()

    try:
        click.echo(f"sessions ended: {asyncio.run(end())}", err=True)
    except UnavailableError:
        # The sessions' stamp no longer matches the account's, so their next request ends them.
        click.echo(f"Redis at {settings.redis_shown} does not answer: sessions end at their next request", err=True)


def _plain(each: UserAccount) -> dict[str, Any]:
    """The fields of a user that may be shown."""
    tokens = [{"label": token.label, "made": token.made} for token in each.tokens]
    who = each.user
    return {"name": who.name, "role": who.role, "unit": who.unit, "disabled": who.disabled, "tokens": tokens}


_HEAD = ("name", "role", "unit", "state", "tokens")


def _row(each: UserAccount) -> tuple[str, ...]:
    state = "disabled" if each.user.disabled else "enabled"
    tokens = ", ".join(f"{token.label} ({token.made[:10]})" for token in each.tokens)
    return each.user.name, each.user.role, each.user.unit, state, tokens
