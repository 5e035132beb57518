"""``forewarn hunter``: run the hunter in the foreground."""

from __future__ import annotations

import click


@click.command()
def hunter() -> None:
    """Look back for each indicator that becomes known, until Ctrl-C or SIGTERM; run one for each site.

    The workers then decide about the people found, as if the indicator had been known all along.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn hunter
    """
    from aiokafka.errors import KafkaError

    from models.policy.policy import PolicyError
    from streams.cli.serving import serve
    from streams.hunter.service import HunterError, run
    from streams.kafka.indicator_topic import TopicError
    from streams.kafka.publishing import PublishError
    from streams.ledger.storage import LedgerError

    serve(run, KafkaError, PolicyError, HunterError, TopicError, LedgerError, PublishError)
