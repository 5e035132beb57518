"""``stack.json``: records what ``forewarn up`` left running in a folder, so that ``forewarn down`` ends only that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.local import LocalStackError
from streams.local.process import ProcessId, is_alive

FILE_NAME = "stack.json"
KAFKA, VALKEY = "Kafka", "Valkey"
"""The names of the servers among the running parts of a stack."""


class Running(msgspec.Struct, frozen=True):
    """A running program of Forewarn, and the address of its health endpoint (empty: none)."""

    process: ProcessId
    http: str

    @property
    def runs(self) -> bool:
        """Whether the program still runs."""
        return is_alive(self.process)


class StackState(msgspec.Struct, frozen=True):
    """The addresses and processes of a stack left running; ``console`` is the address of its pages."""

    kafka: str
    redis: str
    broker: ProcessId
    valkey: ProcessId
    services: dict[str, Running] = {}
    console: str = ""
    keeper: ProcessId | None = None
    """The process that starts what has ended again; None where an older version started the stack."""
    has_login: bool = False
    """Whether the servers demand the passwords of `streams.local.login`, which an older version did not use."""

    @property
    def serves(self) -> bool:
        """Whether both servers still run."""
        return is_alive(self.broker) and is_alive(self.valkey)

    @property
    def is_kept(self) -> bool:
        """Whether the keeper still runs."""
        return self.keeper is not None and is_alive(self.keeper)

    def running(self) -> dict[str, ProcessId]:
        """The servers and programs of the stack, by name."""
        return {KAFKA: self.broker, VALKEY: self.valkey} | {name: each.process for name, each in self.services.items()}

    def restarted(self, name: str, process: ProcessId) -> StackState:
        """The state in which another process has taken the place of one of `running`."""
        if name == KAFKA:
            return msgspec.structs.replace(self, broker=process)
        if name == VALKEY:
            return msgspec.structs.replace(self, valkey=process)
        service = msgspec.structs.replace(self.services[name], process=process)
        return msgspec.structs.replace(self, services=self.services | {name: service})

    @property
    def works(self) -> bool:
        """Whether Forewarn's programs were started and all of them still run."""
        return bool(self.services) and all(each.runs for each in self.services.values())


def read_state(folder: Path) -> StackState | None:
    """The state stored in a folder, or None when there is none.

    Raises LocalStackError when the file exists but Forewarn did not write it.
    """
    path = folder / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=StackState)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise LocalStackError(
            f"{path} cannot be read ({error}): stop the servers by hand if they run, and delete the file"
        ) from error


def write_state(folder: Path, state: StackState) -> None:
    """Write the state atomically."""
    beside = folder / f"{FILE_NAME}.new"
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
    beside.replace(folder / FILE_NAME)


def remove_state(folder: Path) -> None:
    """Delete the state; nothing happens when there is none."""
    (folder / FILE_NAME).unlink(missing_ok=True)
