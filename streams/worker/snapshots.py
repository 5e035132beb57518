"""Snapshots: the stored states of some partitions in one file, to go back to; a zip archive with an entry for each.

A snapshot has people's numbers in it, so only its owner may read the file, and each entry is sealed to the centre's key
(``docs/decisions/0029-what-travels-is-sealed.md``). The header is not: it says of which group and partitions it is.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Final

import msgspec

from models.base.formats import NewerFormatError, check_format
from streams.files.durable import new_file
from streams.sealing import Identities, Seal, SealError

FORMAT: Final = 2
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
    sealed: bool = False
    """Whether its entries are gzip files that were sealed; otherwise they lie in the archive as they are."""


_state = msgspec.msgpack.Decoder(SavedState)


class SnapshotWriter:
    """Adds the states of partitions to an archive."""

    def __init__(self, archive: zipfile.ZipFile, group: str, seal: Seal | None) -> None:
        self.header = Header(int(time() * 1000), group, format=FORMAT, sealed=seal is not None)
        self._archive = archive
        self._seal = seal

    def add(self, number: int, state: SavedState) -> None:
        """Add the state of a partition; raises OSError."""
        content, how = msgspec.msgpack.encode(state), zipfile.ZIP_DEFLATED
        if self._seal is not None:  # what was encrypted cannot be compressed any more
            content, how = self._seal.sealed(gzip.compress(content, 1, mtime=0)), zipfile.ZIP_STORED
        self._archive.writestr(_entry(number, self.header), content, how)
        self.header = msgspec.structs.replace(self.header, partitions=(*self.header.partitions, number))


@contextmanager
def new_snapshot(path: Path, group: str, seal: Seal | None) -> Iterator[SnapshotWriter]:
    """Write a snapshot, sealed if there is a seal; the file gets its name at the end, complete and on the disk.

    Nothing is written in the clear on the way to a sealed one. Raises `SnapshotError` when a file of this name exists,
    or cannot be written.
    """
    try:
        with new_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            writer = SnapshotWriter(archive, group, seal)
            yield writer
            archive.writestr(_HEADER, msgspec.json.encode(writer.header))
    except FileExistsError:
        raise SnapshotError(f"{path} exists already: give another name") from None
    except OSError as error:
        raise SnapshotError(f"{path} cannot be written: {error.strerror or error}") from None


class Snapshot:
    """An open snapshot; a context manager.

    Raises `SnapshotError` when the file is no snapshot, is damaged, or was written by a newer version.
    """

    def __init__(self, path: Path, keys: Identities | None = None) -> None:
        """Open it; ``keys`` open a sealed one."""
        self._path = path
        self._keys = keys
        with self._read():
            self._archive = zipfile.ZipFile(path)
            self.header = msgspec.json.decode(self._archive.read(_HEADER), type=Header)
            check_format(str(path), self.header.format, FORMAT)

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def state(self, number: int) -> SavedState:
        """The state of one of its partitions; raises `SnapshotError` when that is damaged, or cannot be opened."""
        with self._read():
            content = self._archive.read(_entry(number, self.header))
            if self.header.sealed:
                content = gzip.decompress(self._opened(content))
            return _state.decode(content)

    def _opened(self, sealed: bytes) -> bytes:
        if self._keys is None:
            raise SnapshotError(f"{self._path} is sealed: give the file of the private key in --identity")
        try:
            return self._keys.opened(sealed)
        except SealError as error:
            raise SnapshotError(f"{self._path} cannot be opened with the key in --identity: {error}") from None

    @contextmanager
    def _read(self) -> Iterator[None]:
        try:
            yield
        except NewerFormatError as error:
            raise SnapshotError(str(error)) from None
        except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, KeyError, msgspec.MsgspecError) as error:
            raise SnapshotError(f"{self._path} is not a snapshot, or it is damaged: {error}") from None
        except OSError as error:
            raise SnapshotError(f"{self._path} cannot be read: {error.strerror or error}") from None


def _entry(number: int, header: Header) -> str:
    """The name of a partition's entry; what it is shows to those who unpack the archive with other tools."""
    return f"p{number:03}.msgpack" + ".gz.age" * header.sealed
