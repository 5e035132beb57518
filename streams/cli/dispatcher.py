"""``forewarn dispatcher``: run the dispatcher in the foreground."""

from __future__ import annotations

import click

from streams.cli import CommandError


@click.command()
def dispatcher() -> None:
    """Make cases of alerts and follow them to their end, until Ctrl-C or SIGTERM; one for each site.

    A second one takes over from the first, which ends.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn dispatcher
    """
    import uvloop
    from aiokafka.errors import KafkaError

    from models.policy import PolicyError
    from models.routing import RoutingError
    from streams import logs
    from streams.dispatch.service import DispatchError, run
    from streams.service import AddressTakenError
    from streams.settings import Settings, SettingsError

    try:
        settings = Settings.from_environ()
        logs.configure(settings)
        uvloop.run(run(settings))
    except (SettingsError, PolicyError, RoutingError, DispatchError, AddressTakenError) as error:
        raise CommandError(str(error)) from None
    except KafkaError as error:
        raise CommandError(str(error)) from None
