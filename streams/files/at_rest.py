"""At rest: who on this machine can read a file, and whether its disk is encrypted."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final, Literal

Encryption = Literal["encrypted", "plain", "unknown"]
"""``plain``: the kernel does not encrypt the disk. The hardware or a cloud may, which cannot be seen from here."""

MOUNTS = Path("/proc/self/mountinfo")
DEVICES = Path("/sys/dev/block")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
"""How the kernel writes a blank and the like in a mount point."""


def existing(path: Path) -> Path:
    """The file or folder itself, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(each for each in (path, *path.parents) if each.exists())


def readable_by_others(path: Path) -> bool:
    """Whether users who are neither its owner nor in its group can read a file or list a folder.

    Raises OSError when the file or a folder above it cannot be looked at.
    """
    real = path.resolve(strict=True)
    if not real.stat().st_mode & stat.S_IROTH:
        return False
    return all(each.stat().st_mode & stat.S_IXOTH for each in real.parents)


def encryption(path: Path, *, mounts: Path = MOUNTS, devices: Path = DEVICES) -> Encryption:
    """Whether the disk of an existing file or folder is encrypted by the kernel (dm-crypt, as LUKS uses it).

    ``mounts`` and ``devices`` are the kernel's lists of mounts and of block devices. The answer is ``unknown`` for what
    is no disk of this machine, such as a network file system, and where the kernel has no such lists.
    """
    number = _device_of(path.resolve(), mounts)
    if number is None or not (devices / number).exists():
        return "unknown"
    return "encrypted" if _is_encrypted((devices / number).resolve()) else "plain"


def _device_of(path: Path, mounts: Path) -> str | None:
    """The number (``major:minor``) of the block device on which a path lies; None if there is none."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, found = -1, None
    for (
        line
    ) in lines:  # see proc_pid_mountinfo(5): id, parent, device, root, mount point, …, "-", type, source, options
        before, _, after = line.partition(" - ")
        _, _, number, _, point, *_ = before.split(" ")
        mount = Path(_ESCAPED.sub(lambda escape: chr(int(escape[1], 8)), point))
        if path.is_relative_to(mount) and len(mount.parts) >= best:  # a later mount on the same point hides the former
            best, found = len(mount.parts), number if not number.startswith("0:") else _number(after.split(" ")[1])
    return found


def _number(source: str) -> str | None:
    """The number of the block device that a mount names as its source, as Btrfs does; None if it is none."""
    try:
        about = Path(source).stat()
    except OSError:
        return None
    if not source.startswith("/dev/") or not stat.S_ISBLK(about.st_mode):
        return None
    return f"{os.major(about.st_rdev)}:{os.minor(about.st_rdev)}"


def _is_encrypted(device: Path) -> bool:
    """Whether a block device is dm-crypt's, or lies on such devices alone, as a logical volume does."""
    mapped = device / "dm" / "uuid"
    if mapped.is_file() and mapped.read_text(encoding="ascii", errors="replace").startswith("CRYPT-"):
        return True
    below = [each.resolve() for each in (device / "slaves").glob("*")]
    return bool(below) and all(map(_is_encrypted, below))
