"""Durable: small files that survive a power cut, and that the service can read although root has made them."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


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
