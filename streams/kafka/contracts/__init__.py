"""Contracts: ``topics.yaml`` and ``schemas/``, the contract with all outside systems, checked offline or with a broker.

``load`` only reads a file; ``open_admin``, ``diff``, ``apply``, ``check_worker`` talk to Kafka. `validation` checks the
contracts offline; it is imported by itself, because it needs jsonschema and no program that serves needs it. `rights`
and `acl` are for ``forewarn topics acl`` alone.
"""

from streams.kafka.contracts.broker import Change, Plan, apply, check_worker, diff, open_admin
from streams.kafka.contracts.model import (
    SAME_PARTITIONS,
    BrokerError,
    BrokerLoginError,
    ContractError,
    Contracts,
    InvalidContracts,
    NotAllowedError,
    Problem,
    Program,
    Topic,
)
from streams.kafka.contracts.reading import load, read

__all__ = [
    "SAME_PARTITIONS",
    "BrokerError",
    "BrokerLoginError",
    "Change",
    "ContractError",
    "Contracts",
    "InvalidContracts",
    "NotAllowedError",
    "Plan",
    "Problem",
    "Program",
    "Topic",
    "apply",
    "check_worker",
    "diff",
    "load",
    "open_admin",
    "read",
]
