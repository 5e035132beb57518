"""``forewarn worker``: run one scoring worker in the foreground."""

from __future__ import annotations

import click

from streams.cli import CommandError


@click.command()
def worker() -> None:
    """Score the partitions that Kafka gives to this process, until Ctrl-C or SIGTERM.

    Start as many as you like: partitions spread over them. Settings come from FOREWARN_* variables (docs/settings.md).

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn worker
    """
    import uvloop

    from models.policy import PolicyError
    from streams import logs
    from streams.artifacts import ArtifactError
    from streams.checkpoint import CheckpointError
    from streams.contracts import ContractError
    from streams.ledger.place import LedgerError
    from streams.publishing import PublishError
    from streams.rehearsal import RehearsalError
    from streams.scoring import LostRecordsError
    from streams.service import AddressTakenError
    from streams.settings import Settings, SettingsError
    from streams.worker import run

    mistakes = (
        *(SettingsError, ContractError, PolicyError, ArtifactError, CheckpointError, PublishError),
        *(LostRecordsError, RehearsalError, LedgerError, AddressTakenError),
    )
    try:
        settings = Settings.from_environ()
        logs.configure(settings)
        uvloop.run(run(settings))
    except mistakes as error:
        raise CommandError(str(error)) from None
