"""Sample data: the users and the pseudonym key with which the console can be tried on a local stack."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.access.rights import Role, user
from streams.access.accounts import AccountsFile
from streams.access.passwords import random_password
from streams.access.users import Users
from streams.audit import AuditLog, operator

PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    "officer": ("officer", "ps-0101"),
    "bureau": ("sub-bureau", "sb-01"),
    "centre": ("centre", "centre"),
}
"""The role and unit of each sample user, by name, in the city of ``stations.yaml``."""

FILES: Final = ("users.json", ".users.json.lock", "audit.jsonl", "pseudonym.key")
"""The files that are kept in the stack's folder."""


def kept(folder: Path) -> dict[str, Path]:
    """The absolute paths of the files in a stack's folder, by variable; creates the key on the first call."""
    key = folder / "pseudonym.key"
    with contextlib.suppress(FileExistsError):
        made = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return {
        "FOREWARN_USERS_FILE": folder / "users.json",
        "FOREWARN_AUDIT_LOG": folder / "audit.jsonl",
        "FOREWARN_PSEUDONYM_KEY_FILE": key,
    }


def users_of(folder: Path) -> Users:
    """The users in a stack's folder."""
    files = kept(folder)
    key = files["FOREWARN_PSEUDONYM_KEY_FILE"].read_text(encoding="ascii")
    return Users(AccountsFile(files["FOREWARN_USERS_FILE"]), AuditLog(files["FOREWARN_AUDIT_LOG"], key))


def first_users(folder: Path) -> dict[str, str]:
    """Add the sample users and return their passwords by name; do nothing when there are users already."""
    users = users_of(folder)
    if users.all():
        return {}
    passwords = {name: random_password() for name in PEOPLE}
    for name, (role, unit) in PEOPLE.items():
        users.add(user(name, role, unit), passwords[name], by=operator())
    return passwords
