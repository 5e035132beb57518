"""``forewarn console``: run the console in the foreground."""

from __future__ import annotations

import click

from streams.cli import CommandError


@click.command()
def console() -> None:
    """Serve the API through which officers and stations' systems see their cases, until Ctrl-C or SIGTERM.

    Who may come in is said by forewarn users; several consoles may run beside one another.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn console
    """
    import uvloop
    from aiokafka.errors import KafkaError

    from models.policy import PolicyError
    from models.routing import RoutingError
    from streams import logs
    from streams.console.service import ConsoleError, run
    from streams.playbook_files import PlaybookFileError
    from streams.service import AddressTakenError
    from streams.settings import Settings, SettingsError

    try:
        settings = Settings.from_environ()
        logs.configure(settings)
        uvloop.run(run(settings))
    except (SettingsError, PolicyError, RoutingError, PlaybookFileError, ConsoleError, AddressTakenError) as error:
        raise CommandError(str(error)) from None
    except KafkaError as error:
        raise CommandError(str(error)) from None
