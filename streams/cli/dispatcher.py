"""``forewarn dispatcher``: run the dispatcher in the foreground."""

from __future__ import annotations

import click


@click.command()
def dispatcher() -> None:
    """Make cases of alerts and follow them to their end, until Ctrl-C or SIGTERM; one for each site.

    A second one takes over from the first, which ends.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn dispatcher
    """
    from aiokafka.errors import KafkaError

    from models.casework.routing import RoutingError
    from models.policy.policy import PolicyError
    from streams.cli.serving import serve
    from streams.dispatch.service import DispatchError, run

    serve(run, KafkaError, PolicyError, RoutingError, DispatchError)
