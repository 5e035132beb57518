"""ACL: asks Kafka for its access rules, and adds and withdraws rules; `rights` says which there should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import ClusterAuthorizationFailedError, NoError, SecurityDisabledError

from streams.kafka.contracts.model import BrokerError
from streams.kafka.contracts.rights import Resource, ResourceKind, Right

_KINDS: Final[dict[ResourceType, ResourceKind]] = {
    ResourceType.TOPIC: "topic",
    ResourceType.GROUP: "group",
    ResourceType.TRANSACTIONAL_ID: "transactional-id",
}
_TYPES: Final = {kind: type_ for type_, kind in _KINDS.items()}
_OPERATIONS: Final = {each.name.title().replace("_", ""): each for each in ACLOperation}
"""kafka-python's operations by the names that Kafka's own tools use."""
_NAMES: Final = {operation: name for name, operation in _OPERATIONS.items()}


def present(admin: KafkaAdminClient) -> set[Right]:
    """All rules about topics, groups and transactional ids that the cluster has.

    Raises :class:`BrokerError` when the cluster has no authorizer, or when this login may not see its rules.
    """
    found: set[Right] = set()
    with _explained():
        for type_ in _KINDS:
            every = ResourcePatternFilter(type_, None, ACLResourcePatternType.ANY)
            rules, _ = admin.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, every))
            found.update(map(_right, rules))
    return found


def grant(admin: KafkaAdminClient, rights: Sequence[Right]) -> None:
    """Add these rules. Raises :class:`BrokerError` when Kafka refuses one; the others may have been added."""
    with _explained():
        failed = admin.create_acls([_acl(right) for right in rights])["failed"]
    if failed:
        said = ", ".join(sorted({error.__name__ for error in failed}))
        raise BrokerError(f"Kafka refused {len(failed)} of {len(rights)} access rules ({said})")


def withdraw(admin: KafkaAdminClient, rights: Sequence[Right]) -> None:
    """Delete exactly these rules. Raises :class:`BrokerError` when Kafka refuses; others may have been deleted."""
    with _explained():
        outcomes = admin.delete_acls([_acl(right) for right in rights])
    failed = sorted({error.__name__ for _, _, error in outcomes if error is not NoError})
    if failed:
        raise BrokerError(f"Kafka refused to withdraw access rules ({', '.join(failed)})")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SecurityDisabledError:
        raise BrokerError(
            "Kafka has no authorizer, so everybody may do everything and no rule has an effect: set "
            "authorizer.class.name on every broker and controller first"
        ) from None
    except ClusterAuthorizationFailedError:
        raise BrokerError(
            "Kafka does not let this login see or change access rules: log in as one of the broker's super.users, or "
            "give them the lines of `forewarn topics acl --script`"
        ) from None
    except ValueError as error:  # kafka-python does not know the operation of a rule
        raise BrokerError(f"Kafka has an access rule that this version of Forewarn cannot read: {error}") from None


def _acl(right: Right) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if right.resource.prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        principal=right.principal,
        host=right.host,
        operation=_OPERATIONS[right.operation],
        permission_type=ACLPermissionType.ALLOW if right.allowed else ACLPermissionType.DENY,
        resource_pattern=ResourcePattern(_TYPES[right.resource.kind], right.resource.name, pattern),
    )


def _right(rule: ACL) -> Right:
    pattern = rule.resource_pattern
    prefixed = pattern.pattern_type is ACLResourcePatternType.PREFIXED
    return Right(
        principal=rule.principal,
        resource=Resource(_KINDS[pattern.resource_type], pattern.resource_name, prefixed),
        operation=_NAMES[rule.operation],
        host=rule.host,
        allowed=rule.permission_type is ACLPermissionType.ALLOW,
    )
