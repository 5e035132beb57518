"""``forewarn up`` and ``forewarn down``: start and stop a real Kafka, a Valkey and all of Forewarn on this machine.

The export line goes to stdout, so that ``eval "$(forewarn up)"`` sets up a shell. Messages for people go to stderr.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
import msgspec

from streams.cli import CommandError
from streams.cli.extras import require
from streams.local import LocalStackError, keeper, login, samples
from streams.local.ports import LOOPBACK, choose_port
from streams.local.process import COMPILES_WITHIN_S, Server, terminate
from streams.local.stack import DEFAULT_FOLDER, LocalStack, is_in_use
from streams.local.state import Running, StackState, read_state, remove_state, write_state
from streams.local.worker import FOREWARN, HEALTH, service

P = ParamSpec("P")
USUAL_CONSOLE_PORT = 8893
LAST_CHILD_S = 3.0
"""Seconds for which a child of a stopped server may still hold the folder: Valkey forks to rewrite its file."""
PORT = click.IntRange(1, 65535)
FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder for the data, the logs and stack.json.",
)


def say(words: str) -> None:
    """Print a message for people on stderr."""
    click.echo(words, err=True)


def one_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Decorate a command so that it reports a LocalStackError in one sentence."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except LocalStackError as error:
            raise CommandError(str(error)) from error

    return run


@click.command()
@FOLDER
@click.option("--kafka-port", type=PORT, help="Kafka's port  [default: 9092, or a free one]")
@click.option("--redis-port", type=PORT, help="Valkey's port  [default: 6379, or a free one]")
@click.option("--servers-only", is_flag=True, help="Start Kafka and Valkey only.")
@one_sentence
def up(folder: Path, kafka_port: int | None, redis_port: int | None, servers_only: bool) -> None:
    """Start a real Kafka, a Valkey, a worker, the hunter, the dispatcher and the console, and leave them running.

    It needs neither Docker nor root. Programs that already run are left alone. What ends by itself is started again;
    keeper.log in the folder says what and when. Stop everything with: forewarn down

    Example: eval "$(forewarn up)"
    """
    if not servers_only:
        require("local")
    state = read_state(folder)
    if state is not None and state.serves:
        say(f"Already running in {folder.absolute()}")
    else:
        state = start_servers(folder, kafka_port, redis_port, state)
    apply_topics(folder, state)
    if not servers_only and not state.works:
        end_keeper(state)
        state = start_services(folder, state)
    if not state.is_kept:
        state = start_keeper(folder, state)
    say(f"Kafka       {state.kafka}")
    say(f"Valkey      {state.redis}")
    for name, each in state.services.items():
        if each.runs and each.http:
            say(f"{name.capitalize():11} http://{each.http}/metrics")
    if state.works:
        say(f"\nOrders are at http://{state.console}/")
        for name, password in (samples.first_users(folder) if "FOREWARN_USERS_FILE" not in os.environ else {}).items():
            say(f"  sign in as {name:8} with {password}   (shown only once)")
    click.echo("export " + shlex.join(f"{name}={value}" for name, value in environment(folder, state).items()))


def start_servers(
    folder: Path, kafka_port: int | None, redis_port: int | None, former: StackState | None
) -> StackState:
    """Start both servers, record them in the folder and let them outlive this command.

    First ends the remains of a ``former`` stack that has lost one of its servers.
    """
    if former is not None:
        end(folder, former)
    say("Starting Kafka and Valkey")
    with LocalStack(folder, kafka_port, redis_port, has_login=True, notify=say) as stack:
        processes = stack.broker.process, stack.valkey.process
        state = StackState(stack.kafka, stack.redis, *processes, has_login=True)
        write_state(folder, state)
        stack.leave_running()
    return state


def environment(folder: Path, state: StackState) -> dict[str, str]:
    """The environment variables by which Forewarn's own commands find this stack and the files in its folder."""
    found = {"FOREWARN_LEDGER": str(folder.absolute() / "ledger")} | samples.kept(folder.absolute())
    chosen = {
        name: os.environ.get(name, value)
        for name, value in found.items()
        if name.removesuffix("_FILE") not in os.environ or not name.endswith("_FILE")
    }
    servers = {"FOREWARN_KAFKA": state.kafka, "FOREWARN_REDIS": state.redis}
    if served := [f"{name}={each.http}" for name, each in state.services.items() if each.http]:
        servers["FOREWARN_TARGETS"] = ",".join(served)
    return servers | (login.variables(folder.absolute(), state.redis) if state.has_login else {}) | chosen


def apply_topics(folder: Path, state: StackState) -> None:
    """Create the contract's topics. Raises CommandError; the servers continue to run."""
    done = subprocess.run(
        [*FOREWARN, "topics", "apply"],
        env=os.environ | environment(folder, state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise CommandError(
            f"The servers are up, but the topics could not be applied: {said[0].removeprefix('forewarn: ')}"
        )


def start_services(folder: Path, state: StackState) -> StackState:
    """Start Forewarn's programs on this stack, wait until each is ready and record them in the folder.

    Raises LocalStackError when one does not start; the servers continue to run.
    """
    terminate([each.process for each in state.services.values()])
    console = os.environ.get("FOREWARN_CONSOLE_HTTP") or f"{LOOPBACK}:{choose_port(None, USUAL_CONSOLE_PORT)}"
    environ = environment(folder, state) | {"FOREWARN_CONSOLE_HTTP": console}
    started: dict[str, Server] = {}
    at: dict[str, str] = {}
    say(f"Starting {', '.join(HEALTH)}")
    try:
        for name, (variable, port) in HEALTH.items():
            at[name] = os.environ.get(variable, "") or f"{LOOPBACK}:{choose_port(None, port)}"
            started[name] = service(name, folder / f"{name}.log", at[name], environ)
            started[name].start()
        for each in started.values():
            each.wait(COMPILES_WITHIN_S)
    except BaseException:
        for each in started.values():
            each.stop()
        raise
    running = {name: Running(each.process, at[name]) for name, each in started.items()}
    state = msgspec.structs.replace(state, services=running, console=console)
    write_state(folder, state)
    return state


def start_keeper(folder: Path, state: StackState) -> StackState:
    """Start the process that starts again what has ended, and record it in the folder."""
    environ = environment(folder, state) | ({"FOREWARN_CONSOLE_HTTP": state.console} if state.console else {})
    state = msgspec.structs.replace(state, keeper=keeper.start(folder, environ))
    write_state(folder, state)
    return state


def end_keeper(state: StackState) -> None:
    """End that process; what it has started goes on running."""
    if state.keeper is not None:
        terminate([state.keeper])


def end(folder: Path, state: StackState) -> None:
    """End the keeper, then the programs, while their servers still run, and then the servers."""
    end_keeper(state)
    state = read_state(folder) or state  # the keeper may have started something since
    terminate([each.process for each in state.services.values()])
    terminate([state.broker, state.valkey])


@click.command()
@FOLDER
@click.option("--delete", is_flag=True, help="Also delete the data of Kafka, Valkey and the ledger, and the logs.")
@one_sentence
def down(folder: Path, delete: bool) -> None:
    """Stop everything that forewarn up started.

    Example: forewarn down --delete
    """
    state = read_state(folder)
    if state is None:
        say(f"Nothing is running in {folder.absolute()}")
    else:
        end(folder, state)
        remove_state(folder)
        say("Stopped")
    if delete:
        delete_data(folder)


def delete_data(folder: Path) -> None:
    """Delete the local stack's files in a folder, and the folder itself if nothing else is in it.

    Raises LocalStackError while a stack runs there.
    """
    if not (folder / "lock").exists():
        return  # no stack has ever run here, so nothing here belongs to one
    deadline = time.monotonic() + LAST_CHILD_S
    while is_in_use(folder):
        if time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        raise LocalStackError(
            f"A local stack that forewarn up did not start is running in {folder.absolute()}: stop it, then delete"
        )
    for name in ("kafka", "valkey", "ledger"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (*(f"{each}.log" for each in HEALTH), keeper.LOG, *samples.FILES, *login.FILES, "lock"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
