"""``forewarn hunter``: run the hunter in the foreground."""

from __future__ import annotations

import click

from streams.cli import CommandError


@click.command()
def hunter() -> None:
    """Look back for each indicator that becomes known, until Ctrl-C or SIGTERM; one for each site.

    The people found are decided about by the workers, as if the indicator had been known all along.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn hunter
    """
    import uvloop
    from aiokafka.errors import KafkaError

    from models.policy import PolicyError
    from streams import logs
    from streams.hunter.service import HunterError, run
    from streams.indicator_topic import TopicError
    from streams.ledger.place import LedgerError
    from streams.publishing import PublishError
    from streams.service import AddressTakenError
    from streams.settings import Settings, SettingsError

    try:
        settings = Settings.from_environ()
        logs.configure(settings)
        uvloop.run(run(settings))
    except (SettingsError, PolicyError, LedgerError, PublishError, HunterError, AddressTakenError) as error:
        raise CommandError(str(error)) from None
    except (TopicError, KafkaError) as error:
        raise CommandError(str(error)) from None
