"""``forewarn dispatcher``: run the dispatcher in the foreground."""

from __future__ import annotations

import click


@click.command()
def dispatcher() -> None:
    """Make cases from alerts and follow them to their end, until Ctrl-C or SIGTERM; run one for each site.

    A second dispatcher takes over from the first, which then ends.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn dispatcher
    """
    from aiokafka.errors import KafkaError

    from models.casework.routing import RoutingError
    from models.policy.policy import PolicyError
    from streams.cli.serving import serve
    from streams.dispatch.service import DispatchError, run

    serve(run, KafkaError, PolicyError, RoutingError, DispatchError)
