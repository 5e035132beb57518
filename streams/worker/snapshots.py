"""Snapshots: the stored states of some partitions in one file, to go back to; a zip archive with an entry for each.

A snapshot has people's numbers in it, so only its owner may read the file.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from types import TracebackType
from typing import Final, Self

import msgspec

from models.base.formats import NewerFormatError, check_format
from streams.files.durable import sync_folder

FORMAT: Final = 1
"""The format of the archive; the states in it carry formats of their own."""

_HEADER: Final = "snapshot.json"


class SnapshotError(Exception):
    """A snapshot cannot be written or read; the message says what, where, and what to do."""


class SavedState(msgspec.Struct, frozen=True):
    """The two hashes of a partition in Redis, as they were."""

    meta: dict[bytes, bytes]
    subjects: dict[bytes, bytes]


class Header(msgspec.Struct, frozen=True):
    """What a snapshot says of itself."""

    made: int
    """When it was begun (epoch ms)."""
    group: str
    """The group whose states it holds, with the prefix of its topics."""
    partitions: tuple[int, ...] = ()
    format: int = 1


_state = msgspec.msgpack.Decoder(SavedState)


class SnapshotWriter:
    """Writes a snapshot; a context manager. The file gets its name at the end, complete and on the disk.

    Raises `SnapshotError` when a file of this name exists, or cannot be written.
    """

    def __init__(self, path: Path, group: str) -> None:
        self.header = Header(int(time() * 1000), group, format=FORMAT)
        self._path = path
        self._beside = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> Self:
        with self._told():
            if self._path.exists():
                raise SnapshotError(f"{self._path} exists already: give another name")
            self._file = os.fdopen(os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        return self

    def add(self, number: int, state: SavedState) -> None:
        """Add the state of a partition."""
        with self._told():
            self._archive.writestr(_entry(number), msgspec.msgpack.encode(state))
        self.header = msgspec.structs.replace(self.header, partitions=(*self.header.partitions, number))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._told(), self._file:
            try:
                if error is None:
                    self._archive.writestr(_HEADER, msgspec.json.encode(self.header))
                self._archive.close()
                if error is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
                    os.link(self._beside, self._path)  # unlike a rename, it never replaces a file
                    sync_folder(self._path.absolute().parent)
            finally:
                self._beside.unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SnapshotError(f"{self._path} cannot be written: {error.strerror or error}") from None


class Snapshot:
    """An open snapshot; a context manager.

    Raises `SnapshotError` when the file is no snapshot, is damaged, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._read():
            self._archive = zipfile.ZipFile(path)
            self.header = msgspec.json.decode(self._archive.read(_HEADER), type=Header)
            check_format(str(path), self.header.format, FORMAT)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def state(self, number: int) -> SavedState:
        """The state of one of its partitions; raises `SnapshotError` when that is damaged."""
        with self._read():
            return _state.decode(self._archive.read(_entry(number)))

    @contextmanager
    def _read(self) -> Iterator[None]:
        try:
            yield
        except NewerFormatError as error:
            raise SnapshotError(str(error)) from None
        except OSError as error:
            raise SnapshotError(f"{self._path} cannot be read: {error.strerror or error}") from None
        except (zipfile.BadZipFile, zlib.error, KeyError, msgspec.MsgspecError) as error:
            raise SnapshotError(f"{self._path} is not a snapshot, or it is damaged: {error}") from None


def _entry(number: int) -> str:
    return f"p{number:03}.msgpack"
