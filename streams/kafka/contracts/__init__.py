"""Contracts: ``topics.yaml`` and ``schemas/``, the contract with all outside systems, checked offline or with a broker.

``load`` and ``check`` only read files; ``open_admin``, ``diff``, ``apply``, ``check_worker`` talk to Kafka.
"""

from streams.kafka.contracts.broker import Change, Plan, apply, check_worker, diff, open_admin
from streams.kafka.contracts.model import (
    SAME_PARTITIONS,
    BrokerError,
    ContractError,
    Contracts,
    InvalidContracts,
    Problem,
    Topic,
)
from streams.kafka.contracts.reading import load, read
from streams.kafka.contracts.validation import check, validate

__all__ = [
    "SAME_PARTITIONS",
    "BrokerError",
    "Change",
    "ContractError",
    "Contracts",
    "InvalidContracts",
    "Plan",
    "Problem",
    "Topic",
    "apply",
    "check",
    "check_worker",
    "diff",
    "load",
    "open_admin",
    "read",
    "validate",
]
