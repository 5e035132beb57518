"""``forewarn worker``: run one scoring worker in the foreground."""

from __future__ import annotations

import click


@click.command()
def worker() -> None:
    """Score the partitions that Kafka gives to this process, until Ctrl-C or SIGTERM.

    Start as many workers as you like: they share the partitions. Settings are FOREWARN_* variables (docs/settings.md).

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn worker
    """
    from models.policy.policy import PolicyError
    from streams.cli.serving import serve
    from streams.files.artifacts import ArtifactError
    from streams.kafka.contracts import ContractError
    from streams.kafka.publishing import PublishError
    from streams.ledger.storage import LedgerError
    from streams.worker.checkpoint import CheckpointError
    from streams.worker.scoring import LostRecordsError
    from streams.worker.service import run
    from streams.worker.warm_up import WarmUpError

    serve(
        run,
        PolicyError,
        ArtifactError,
        CheckpointError,
        ContractError,
        LedgerError,
        PublishError,
        WarmUpError,
        LostRecordsError,
    )
