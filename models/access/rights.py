"""Access: what users may do and which cases they may see, from one table of roles that the HTTP pages consult.

The role alone decides what a user may do. The role's reach decides which cases the user sees, by the units that have or
had the case: a station sees its own cases, a sub-bureau also those of its stations, and the centre all. Anything not in
the table is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple, get_args

import msgspec
from msgspec import Meta

Role = Literal["officer", "sub-bureau", "centre", "analyst", "auditor", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Action = Literal[
    "read-orders",
    "acknowledge",
    "attempt",
    "outcome",
    "return",
    "transfer",
    "snooze",
    "request-stop-payment",
    "read-bulletins",
    "see-statistics",
    "look-up",
    "see-numbers-found",
    "decide-risks",
    "read-audit",
    "manage-users",
]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

MEANINGS: Final[Mapping[Action, str]] = {
    "read-orders": "read orders and cases",
    "acknowledge": "acknowledge an order",
    "attempt": "record an attempt to reach the person",
    "outcome": "record the outcome of a case",
    "return": "return an order to the unit that it came from",
    "transfer": "hand a case on to another unit",
    "snooze": "put a case off for a while",
    "request-stop-payment": "ask for a payment to be stopped",
    "read-bulletins": "read the weekly bulletins of the units whose cases or statistics they see",
    "see-statistics": "see the statistics of all units",
    "look-up": "look up the people whom a number or domain has reached",
    "see-numbers-found": "see the whole numbers of those people",
    "decide-risks": "see the risky numbers and accounts, and decide about them",
    "read-audit": "read the audit log",
    "manage-users": "add, change and disable users",
}

Reach = Literal["own", "below", "all", "none"]
"""The units whose cases a role sees, relative to the user's own unit."""

Chain = tuple[str, ...]
"""A unit and the units above it, up to the city: station, sub-bureau, centre."""

_REACHES: Final[Mapping[Reach, Callable[[str, Chain], bool]]] = {
    "own": lambda unit, chain: chain[:1] == (unit,),
    "below": lambda unit, chain: unit in chain,
    "all": lambda unit, chain: True,
    "none": lambda unit, chain: False,
}
_WHOSE: Final[Mapping[Reach, str]] = {
    "own": "their station",
    "below": "their sub-bureau and its stations",
    "all": "all",
    "none": "none",
}


class Rights(NamedTuple):
    """The actions that a role may take, and its reach over cases."""

    actions: frozenset[Action]
    reach: Reach


_CASES: Final[frozenset[Action]] = frozenset(
    (
        *("read-orders", "acknowledge", "attempt", "outcome", "return", "transfer", "snooze"),
        *("request-stop-payment", "read-bulletins"),
    )
)
RIGHTS: Final[Mapping[Role, Rights]] = {
    "officer": Rights(_CASES, "own"),
    "sub-bureau": Rights(_CASES, "below"),
    # No unit is above the centre, so it cannot return an order.
    "centre": Rights(_CASES - {"return"} | {"see-statistics", "look-up", "see-numbers-found", "decide-risks"}, "all"),
    "analyst": Rights(frozenset({"read-bulletins", "see-statistics", "look-up", "decide-risks"}), "none"),
    "auditor": Rights(frozenset({"read-audit"}), "none"),
    "admin": Rights(frozenset({"manage-users"}), "none"),
}
"""The rights of each role: user administrators see no case and no audit log, and auditors change nothing."""

Name = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")]
Unit = Annotated[str, Meta(pattern=r"\A[^\s]{0,200}\Z")]


class AccessError(ValueError):
    """A user is invalid; one sentence says what is wrong and what is allowed."""


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person, or a station's own software, that signs in under a name."""

    name: Name
    role: Role
    unit: Unit = ""
    """The id of the station, sub-bureau or centre; empty for roles that see no cases."""
    disabled: bool = False

    def __post_init__(self) -> None:
        """Raise `AccessError` for a role that sees cases but has no unit: its cases would be undefined."""
        if not self.unit and RIGHTS[self.role].reach != "none":
            raise AccessError(f"a user of role {self.role} needs a unit: the id of the station, sub-bureau or centre")


def user(name: str, role: Role, unit: str = "") -> User:
    """Make a user from fields as typed; raises `AccessError` when one of them is invalid.

    >>> user("li.wei", "officer", "ps-0101")
    User(name='li.wei', role='officer', unit='ps-0101', disabled=False)
    >>> user("Li Wei", "analyst")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    models.access.rights.AccessError: a name has 1 to 64 of a-z, 0-9, ...
    """
    for text, kind, takes in (
        (name, Name, "a name has 1 to 64 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit"),
        (unit, Unit, "a unit is an id without spaces, at most 200 characters"),
    ):
        try:
            msgspec.convert(text, kind)
        except msgspec.ValidationError:
            raise AccessError(takes) from None
    return User(name=name, role=role, unit=unit)


def may(user: User, action: Action) -> bool:
    """Whether the user has the right to this action at all.

    >>> may(user("li.wei", "officer", "ps-0101"), "acknowledge")
    True
    >>> may(user("li.wei", "officer", "ps-0101"), "look-up")
    False
    """
    return not user.disabled and action in RIGHTS[user.role].actions


def sees(user: User, chain: Chain, before: Sequence[Chain] = ()) -> bool:
    """Whether the user may see a case, given the chains of its present unit and of its earlier units.

    >>> officer = user("li.wei", "officer", "ps-0101")
    >>> sees(officer, ("ps-0101", "sb-01", "city")), sees(officer, ("ps-0102", "sb-01", "city"))
    (True, False)
    >>> sees(officer, ("ps-0102", "sb-01", "city"), before=[("ps-0101", "sb-01", "city")])
    True
    """
    reaches = _REACHES[RIGHTS[user.role].reach]
    return not user.disabled and any(reaches(user.unit, each) for each in (chain, *before))


def acts(user: User, action: Action, chain: Chain) -> bool:
    """Whether the user may take this action on a case that the first unit of the chain has now.

    A unit that had the case before may still read it but may not act on it.
    """
    return may(user, action) and sees(user, chain)


def table() -> str:
    """The Markdown table of rights in ``docs/access.md``."""
    head = ["may", *ROLES]
    rows = [
        [MEANINGS[action], *("yes" if action in RIGHTS[role].actions else "" for role in ROLES)] for action in ACTIONS
    ]
    rows.append(["sees the cases of", *(_WHOSE[RIGHTS[role].reach] for role in ROLES)])
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"
