"""Policy: a city's rules for acting on fraud, as one YAML file with a version.

``policy.yaml`` sets the points of the score, the time windows and the rules for each severity. ``parse`` is pure;
`streams.files.policy_file` reads the file again while the worker runs. The version is a hash of the content, and every
alert names it.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from models.base.durations import DAY, MINUTE
from models.base.yaml_size import check_size
from models.policy.stages import Stage

Severity = Literal["urgent", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "urgent")
"""From least to most urgent."""
FOR_OFFICERS: Final[tuple[Severity, ...]] = ("urgent", "high")
"""The severities whose alerts send an officer."""

Points = Annotated[float, Meta(ge=0, le=100)]
Share = Annotated[float, Meta(ge=0, le=1)]
Minutes = Annotated[float, Meta(gt=0, le=10_080)]


class PolicyError(ValueError):
    """The policy cannot be used; the message says which field and what it takes."""


class ContactPoints(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Points for the strongest contact with an indicator, at full confidence."""

    sms: Points
    reply: Points
    domain: Points
    missed: Points
    brief_talk: Points
    in_progress: Points
    talk: Points
    long_talk: Points
    callback: Points


class ContextPoints(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Points added for events around a contact."""

    repeated_contact: Points
    code: Points
    bank_call: Points
    check_call: Points
    long_call: Points
    bank_notice: Points
    vulnerable: Points


class Windows(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """Time windows, in minutes unless the name says hours."""

    talk: Minutes
    long_talk: Minutes
    long_call: Minutes
    code_before: Minutes
    code_after: Minutes
    context_after_hours: Minutes
    quiet_hours: Minutes
    context_kept: Minutes
    longest_call_hours: Minutes
    harmed_hours: Minutes
    judged_again: list[Minutes]
    """Minutes into a call with a known number at which it is judged again, besides ``talk`` and ``long_talk``."""

    @property
    def watched(self) -> list[float]:
        """All minutes into a call with a known number at which it is judged again, ascending."""
        return sorted({self.talk, self.long_talk, *self.judged_again})

    @cached_property
    def watched_ms(self) -> tuple[int, ...]:
        """The same times in milliseconds."""
        return tuple(int(minutes * MINUTE) for minutes in self.watched)

    @property
    def before_ms(self) -> int:
        """How long before its first contact an episode's context begins, in milliseconds."""
        return int(self.code_before * MINUTE)

    @property
    def after_ms(self) -> int:
        """How long after its last contact an episode's context may come, in milliseconds."""
        return int(max(self.context_after_hours * 60, self.code_after) * MINUTE)


class ClockRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How far the clocks of carriers are trusted, measured by the broker's clock, in minutes."""

    tolerance: Minutes = 2.0
    """A record dated further than this after its arrival counts at its arrival: its clock is wrong."""
    wait: Annotated[float, Meta(ge=0, le=60)] = 0.5
    """How long a call's end record is awaited at each milestone before the call counts as still in progress."""

    @property
    def tolerance_ms(self) -> int:
        """The tolerance in milliseconds."""
        return int(self.tolerance * MINUTE)

    @property
    def wait_ms(self) -> int:
        """The wait in milliseconds."""
        return int(self.wait * MINUTE)


class CampaignRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a spreading domain or number counts as a campaign."""

    recipients: Annotated[int, Meta(ge=2)]
    """People that a new domain or number must reach within an hour."""
    resembling: Annotated[int, Meta(ge=2)]
    """The same, if it is known for fraud or imitates an organisation's name."""
    fresh_hours: Annotated[float, Meta(gt=0, le=720)]
    """Hours after its first sighting for which a domain or number counts as new."""
    well_known: list[str]
    """Domains and numbers, normalised, that are never suspected here."""


class PivotRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a number that sends known domains becomes an indicator itself."""

    recipients: Annotated[int, Meta(ge=2)]
    """Different people in total that must have received one of these domains from the number."""
    confidence: Annotated[int, Meta(ge=0, le=100)]
    """Points of confidence that the step costs."""


class SuspicionRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an unknown number becomes suspected because of its behaviour."""

    talk: Minutes
    """The minimum length of a call during which a verification code arrived, or of a repeated call by the number."""
    short_talk: Minutes
    """The minimum length of the number's call to a person who had written to it or had received a code."""
    people: Annotated[int, Meta(ge=1)]
    """The minimum count of different people in contact with the number."""
    begun_by_them: Share
    """The maximum share of these people who rang or wrote first."""
    probability: Share
    """The minimum probability that the number is a gang's, where fraud is as common as `Policy.prevalence` says."""
    guided: Share
    """The share of these people who received a code during such a call, at least one, from which the confidence is
    full."""
    confidence: Annotated[int, Meta(ge=0, le=100)]
    """The confidence of a suspicion as an indicator; three quarters of it if too few received a code during a call."""
    days: Annotated[float, Meta(gt=0, le=365)]
    """Days for which a suspicion holds unless the number repeats the behaviour."""


class Deadlines(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Minutes from the alert until its order is acknowledged, the person is called, and an officer is at the door."""

    acknowledge: Minutes
    call: Minutes
    visit: Minutes | None = None


class DispatchRules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which alerts become orders for a station, and their deadlines."""

    deadlines: dict[Severity, Deadlines]
    """An alert of a severity that is missing here sends no officer."""
    snooze_hours: Annotated[float, Meta(gt=0, le=168)]
    """The longest time for which a station may put an order off; an urgent order can never be put off."""
    kept_days: Annotated[float, Meta(gt=0, le=3650)]
    """Days for which a case is kept after it has ended."""
    oldest_days: Annotated[float, Meta(gt=0, le=3650)] = 14.0
    """An alert about something longer ago than this many days sends nobody; its case is kept as history."""

    unreachable_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    """Calls and visits in vain that are needed before a person counts as unreachable."""
    follow_up_hours: Annotated[tuple[Annotated[float, Meta(gt=0, le=2160)], ...], Meta(max_length=5)] = (24.0, 168.0)
    """Hours after somebody was dissuaded by which they are called again, to hear whether they still are."""

    @property
    def oldest_ms(self) -> int:
        """The same in milliseconds."""
        return int(self.oldest_days * DAY)


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to reach a severity: at least this risk and, if given, at least this stage."""

    risk: Share = 0.0
    stage: Stage = "shallow"


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of a city's rules about its alerts."""

    contact: ContactPoints
    context: ContextPoints
    windows: Windows
    severities: dict[Severity, list[Rule]]
    withdrawn_below: Annotated[float, Meta(gt=0, le=1)]
    """A severity is withdrawn when the risk falls below this share of what would raise it."""
    campaigns: CampaignRules
    pivots: PivotRules
    suspicions: SuspicionRules
    dispatch: DispatchRules
    clock: ClockRules = ClockRules()
    prevalence: Annotated[float, Meta(ge=0.001, le=1000)] = 17.0
    """How common fraud is in this place: people who pay in a telephone fraud, for each 100,000 people and day. The
    default is that of the cities that ``forewarn city`` makes; `docs/city.md` gives published rates."""
    version: str = ""


def parse(content: bytes) -> Policy:
    """Read a policy from YAML, with a hash of the content as its version; raises `PolicyError` naming the field.

    >>> parse(b"contact: 3")
    Traceback (most recent call last):
        ...
    models.policy.policy.PolicyError: Expected `object`, got `int` - at `$.contact`
    """
    try:
        check_size(content)
        policy = msgspec.yaml.decode(content, type=Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(str(error)) from None
    except Exception as error:  # PyYAML's own tree of errors; msgspec wraps only some of them
        raise PolicyError(f"The policy is not YAML: {' '.join(str(error).split())}") from None
    missing = [severity for severity in SEVERITIES if not policy.severities.get(severity)]
    if missing:
        raise PolicyError(f"severities lacks {', '.join(missing)}: give each at least one rule.")
    if policy.windows.talk > policy.windows.long_talk:
        raise PolicyError("windows.talk must not be longer than windows.long_talk.")
    _check_episodes(policy.windows)
    _check_deadlines(policy.dispatch.deadlines)
    return msgspec.structs.replace(policy, version=hashlib.sha256(content).hexdigest()[:12])


def _check_episodes(windows: Windows) -> None:
    """Raise `PolicyError` if a contact could belong to two episodes, or context could be dropped before its contact."""
    quiet = windows.quiet_hours * 60
    for name, minutes in (
        ("context_after_hours", windows.context_after_hours * 60),
        ("code_after", windows.code_after),
        ("code_before", windows.code_before),
    ):
        if minutes > quiet:
            raise PolicyError(f"windows.{name} must not be longer than windows.quiet_hours: episodes would overlap.")
    if windows.context_kept < windows.code_before:
        raise PolicyError("windows.context_kept must not be shorter than windows.code_before.")


def _check_deadlines(deadlines: dict[Severity, Deadlines]) -> None:
    """Raise `PolicyError` if a severity that needs an officer sends none, or if deadlines are in the wrong order."""
    for severity in FOR_OFFICERS:
        if severity not in deadlines:
            raise PolicyError(f"dispatch.deadlines lacks {severity}: nobody would be sent.")
    for severity, each in deadlines.items():
        if not each.acknowledge <= each.call <= (each.visit if each.visit is not None else each.call):
            raise PolicyError(f"dispatch.deadlines.{severity} must not ask for a call before it is acknowledged.")
