"""At rest: the modes of files, and disks as the kernel describes them, under LUKS, LVM, Btrfs and without."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from streams.files.at_rest import encryption, existing, readable_by_others

MOUNT = "22 1 {number} / {point} rw,relatime shared:1 - {kind} {source} rw"


def kernel(folder: Path, devices: dict[str, tuple[str, list[str]]], mounts: list[str]) -> dict[str, Path]:
    """The kernel's lists of block devices (number: the uuid of its mapping, and the numbers below it) and of mounts."""
    for number, (uuid, below) in devices.items():
        (folder / number / "slaves").mkdir(parents=True)
        if uuid:
            (folder / number / "dm").mkdir()
            (folder / number / "dm" / "uuid").write_text(f"{uuid}\n")
        for each in below:
            (folder / number / "slaves" / each).symlink_to(folder / each)
    (folder / "mountinfo").write_text("\n".join(mounts) + "\n")
    return {"mounts": folder / "mountinfo", "devices": folder}


def mount(number: str, point: str, kind: str = "ext4", source: str = "/dev/vda1") -> str:
    """A line of the list of mounts."""
    return MOUNT.format(number=number, point=point, kind=kind, source=source)


LUKS, LVM = "CRYPT-LUKS2-0123456789abcdef-root", "LVM-0123456789abcdef"


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        ({"8:1": ("", [])}, "plain"),
        ({"8:1": (LUKS, ["8:0"]), "8:0": ("", [])}, "encrypted"),
        ({"8:1": (LVM, ["254:0"]), "254:0": (LUKS, ["8:0"]), "8:0": ("", [])}, "encrypted"),
        ({"8:1": (LVM, ["254:0", "8:2"]), "254:0": (LUKS, []), "8:2": ("", [])}, "plain"),
        ({}, "unknown"),
    ],
)
def test_a_disk_is_encrypted_if_everything_that_it_lies_on_is(
    tmp_path: Path, devices: dict[str, tuple[str, list[str]]], says: str
) -> None:
    lists = kernel(tmp_path, devices, [mount("8:1", "/")])

    assert encryption(Path("/"), **lists) == says


def test_the_innermost_and_latest_mount_decides(tmp_path: Path) -> None:
    inner = tmp_path / "一个 文件夹"
    inner.mkdir()
    devices: dict[str, tuple[str, list[str]]] = {"8:1": ("", []), "8:2": (LUKS, []), "8:3": ("", [])}
    point = str(inner).replace(" ", "\\040")

    lists = kernel(tmp_path, devices, [mount("8:1", "/"), mount("8:3", point), mount("8:2", point)])

    assert encryption(inner, **lists) == "encrypted"
    assert encryption(tmp_path, **lists) == "plain"


@pytest.mark.parametrize("source", ["server:/export", "/dev/null", "overlay"])
def test_what_is_no_disk_of_this_machine_is_unknown(tmp_path: Path, source: str) -> None:
    assert encryption(Path("/"), **kernel(tmp_path, {}, [mount("0:45", "/", "nfs4", source)])) == "unknown"


def test_a_system_without_these_lists_is_unknown(tmp_path: Path) -> None:
    assert encryption(tmp_path, mounts=tmp_path / "none", devices=tmp_path) == "unknown"


def test_this_machine_says_something() -> None:
    assert encryption(Path(__file__)) in ("encrypted", "plain", "unknown")


@pytest.mark.parametrize(
    ("folder_mode", "mode", "readable"), [(0o755, 0o644, True), (0o750, 0o644, False), (0o755, 0o640, False)]
)
def test_a_file_is_readable_by_others_if_it_and_all_folders_above_let_them(
    folder_mode: int, mode: int, readable: bool
) -> None:
    """The file lies in the system's temporary folder, because pytest's own folder is closed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.write_text("x")
        file.chmod(mode)
        Path(folder).chmod(folder_mode)

        assert readable_by_others(file) is readable


def test_a_file_that_is_not_there_yet_is_judged_by_the_folder_that_it_will_be_in(tmp_path: Path) -> None:
    assert existing(tmp_path / "not" / "yet") == tmp_path
