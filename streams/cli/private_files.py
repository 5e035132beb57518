"""Private files: what a command writes about people goes into a new file, sealed to a key of the centre.

Whoever finds the file can then do nothing with it. ``--plain`` writes it in the clear, and the audit log records that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from models.access.audit_chain import Plain
from streams.cli import InputError
from streams.files.durable import new_file
from streams.sealing import Identities, Seal, SealError
from streams.secret_files import ExposedError, read_secret
from streams.setting_fields import SettingsError
from streams.settings import Settings

NEW_FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
IDENTITY = click.option("--identity", "keys", type=NEW_FILE, multiple=True, help="File of a private key.")
PLAIN = click.option("--plain", is_flag=True, help="Do not seal the file; the audit log records that.")


def seal_for(settings: Settings, plain: bool) -> Seal | None:
    """What seals a file that is carried away; None if it is to be in the clear.

    Raises `InputError` when there is no key to seal it to.
    """
    if plain:
        return None
    try:
        return Seal(settings.export_key())
    except SettingsError as error:
        raise InputError(str(error)) from None


def kind_of(seal: Seal | None) -> dict[str, Plain]:
    """How a file is written, for the audit log."""
    return {"file": "plain" if seal is None else "sealed"}


def identities(paths: Iterable[Path]) -> Identities:
    """The private keys in these files. Raises `InputError` when one cannot be used."""
    return Identities([_identity(path) for path in paths])


def _identity(path: Path) -> str:
    """The text of an identity file."""
    try:
        text = read_secret(path, private=True)
        Identities([text])  # so that the message names the file
    except ExposedError as error:
        raise InputError(f"--identity is refused: {error}") from None
    except SealError as error:
        raise InputError(f"{path} cannot be used: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no identity file of age: it is no text") from None
    return text


def write_private(path: Path, content: bytes, seal: Seal | None = None) -> None:
    """Write a new file that its owner alone may read, sealed if there is a seal; see `private_file`."""
    with private_file(path) as file:
        file.write(content if seal is None else seal.sealed(content))


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that its owner alone may read; it gets its name when it is complete.

    Raises `InputError` when there is a file of this name, or it cannot be written.
    """
    try:
        with new_file(path) as file:
            yield file
    except FileExistsError:
        raise InputError(f"{path} exists already: give another name") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
