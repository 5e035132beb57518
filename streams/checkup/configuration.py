"""Configuration: whether the files that decide can be used: policy, model, contracts and the key of dead letters."""

from __future__ import annotations

from collections.abc import Iterator

from models.policy.policy import PolicyError
from streams.checkup.finding import Finding
from streams.files import model_file, policy_file
from streams.files.artifacts import ArtifactError
from streams.kafka.contracts.validation import check
from streams.setting_fields import SettingsError
from streams.settings import Settings


def policy(settings: Settings) -> Iterator[Finding]:
    """Check that the policy can be used."""
    try:
        found = policy_file.load(settings.policy_file)
    except PolicyError as error:
        yield Finding("policy", "bad", str(error))
    else:
        yield Finding("policy", "good", f"{settings.policy_file} is version {found.version}")


def model(settings: Settings) -> Iterator[Finding]:
    """Check that the risk model can be used."""
    try:
        found, _ = model_file.load(settings.model)
    except ArtifactError as error:
        yield Finding("model", "bad", str(error))
    else:
        yield Finding("model", "good", f"the risk comes from {found.name}")


def contracts(settings: Settings) -> Iterator[Finding]:
    """Check that the topic contracts and their schemas have no mistake."""
    problems = check(settings.topics_file)
    if problems:
        yield Finding("contracts", "bad", f"{problems[0]} ({len(problems)} in all: see forewarn topics validate)")
    else:
        yield Finding("contracts", "good", f"{settings.topics_file} has no problems")


def letters_key(settings: Settings) -> Iterator[Finding]:
    """Check that worker and dispatcher have a key to seal dead letters to."""
    try:
        count = len(settings.letters_key().split(","))
    except SettingsError as error:
        yield Finding("letters", "bad", str(error))
    else:
        yield Finding("letters", "good", f"refused records are sealed to {count} public key{'s' if count > 1 else ''}")
