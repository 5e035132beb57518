"""Durable: files that survive a power cut whole, and that the service can read although root has made them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a new file that its owner alone may read; it gets its name at the end, complete and on the disk.

    Raises OSError when that is not possible, FileExistsError when there is a file of this name. If the caller raises,
    nothing is left.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "it exists already", str(path))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # unlike a rename, it never replaces a file
        sync_folder(path.absolute().parent)
    finally:
        beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, so that a file that was made or renamed in it survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_in_place(path: Path, flags: int) -> int:
    """Open or create a file that its owner alone can use, and return its descriptor; raises OSError.

    Root follows no link there: whoever owns the folder could lead it to a file of the system, have root make or change
    that one, and be given it (`hand_over`).
    """
    if os.geteuid() != 0:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, and root follows none: give the path that it leads to") from None
        raise


def hand_over(descriptor: int, like: Path) -> None:
    """Give a file that root has made to the owner of the file or folder ``like``; does nothing unless run by root."""
    if os.geteuid() == 0:
        owner = like.stat()
        with contextlib.suppress(PermissionError):  # the file system may not support other owners
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
