"""Small files that must outlive a power cut, and be readable by the service although root has made them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk when this returns: a file that was made or renamed in it stays."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hand_over(descriptor: int, like: Path) -> None:
    """Give a file that root has made to the owner of another file or folder; nothing happens for anybody but root."""
    if os.geteuid() == 0:
        owner = like.stat()
        with contextlib.suppress(PermissionError):  # a file system that knows no other owner
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
