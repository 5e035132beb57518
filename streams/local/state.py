"""``stack.json``: what ``forewarn up`` left running in a folder, so that ``forewarn down`` ends just that."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.local import LocalStackError
from streams.local.process import ProcessId, is_alive

FILE_NAME = "stack.json"


class StackState(msgspec.Struct, frozen=True):
    """The addresses and processes of a stack that runs on its own; ``http`` is the worker's, if any."""

    kafka: str
    redis: str
    broker: ProcessId
    valkey: ProcessId
    worker: ProcessId | None = None
    http: str | None = None

    @property
    def serves(self) -> bool:
        """Whether both servers still run."""
        return is_alive(self.broker) and is_alive(self.valkey)

    @property
    def works(self) -> bool:
        """Whether the worker still runs."""
        return self.worker is not None and is_alive(self.worker)


def read_state(folder: Path) -> StackState | None:
    """The state that a folder tells of, or None when it has none.

    Raises LocalStackError when the file is there and is not what Forewarn wrote.
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
    """Write the state whole or not at all."""
    beside = folder / f"{FILE_NAME}.new"
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
    beside.replace(folder / FILE_NAME)


def remove_state(folder: Path) -> None:
    """Forget the state; nothing happens when there is none."""
    (folder / FILE_NAME).unlink(missing_ok=True)
