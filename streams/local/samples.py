"""Sample data: the secrets of a local stack, and the users with which its console can be tried."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.access.rights import Role, user
from streams.access.passwords import random_password
from streams.access.users import Users
from streams.audit import AuditLog, operator
from streams.sealing import Identities, new_keys
from streams.settings import Settings

PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    "officer": ("officer", "ps-0101"),
    "bureau": ("sub-bureau", "sb-01"),
    "centre": ("centre", "centre"),
    "analyst": ("analyst", ""),
    "auditor": ("auditor", ""),
    "admin": ("admin", ""),
}
"""The role and unit of each sample user, by name, in the city of ``stations.yaml``."""

SECRETS: Final = ("site.secret", "pseudonym.key")
FILES: Final = ("users.json", ".users.json.lock", "audit.jsonl", *SECRETS, "letters.key")
"""The files that are kept in the stack's folder.

``pseudonym.key`` is there in a folder from before there was a site secret: what is kept under that key stays under it.
"""


def kept(folder: Path) -> dict[str, str]:
    """The variables for the secrets and files in a stack's folder, which is absolute; makes the secrets once."""
    secret, key, letters = folder / "site.secret", folder / "pseudonym.key", folder / "letters.key"
    _make(secret, secrets.token_hex(32))
    _make(letters, new_keys().identity)
    found = {
        "FOREWARN_USERS_FILE": folder / "users.json",
        "FOREWARN_AUDIT_LOG": folder / "audit.jsonl",
        "FOREWARN_SECRET_FILE": secret,
    }
    found |= {"FOREWARN_PSEUDONYM_KEY_FILE": key} if key.exists() else {}
    recipient = Identities([letters.read_text(encoding="ascii")]).recipient
    return {variable: str(path) for variable, path in found.items()} | {"FOREWARN_LETTERS_RECIPIENT": recipient}


def _make(path: Path, content: str) -> None:
    """Write a file that its owner alone may read, unless it is there already."""
    with contextlib.suppress(FileExistsError):
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "w", encoding="ascii") as file:
            file.write(content)


def settings_of(folder: Path) -> Settings:
    """The settings that name the files in a stack's folder."""
    return Settings.from_environ(kept(folder))


def users_of(folder: Path) -> Users:
    """The users in a stack's folder."""
    return Users.of(settings_of(folder))


def first_users(folder: Path) -> dict[str, str]:
    """Add the sample users and return their passwords by name; add none when there are users already.

    An audit log from before its lines were sealed goes on.
    """
    users = users_of(folder)
    if users.all():
        AuditLog.of(settings_of(folder)).change_key()
        return {}
    passwords = {name: random_password() for name in PEOPLE}
    for name, (role, unit) in PEOPLE.items():
        users.add(user(name, role, unit), passwords[name], by=operator())
    return passwords
