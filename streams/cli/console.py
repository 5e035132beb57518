"""``forewarn console``: run the console in the foreground."""

from __future__ import annotations

import click

from streams.cli.extras import require


@click.command()
def console() -> None:
    """Serve the API through which officers and stations' systems see their cases, until Ctrl-C or SIGTERM.

    Who may come in is said by forewarn users; several consoles may run beside one another.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn console
    """
    require("console")
    from aiokafka.errors import KafkaError

    from models.casework.routing import RoutingError
    from models.policy.policy import PolicyError
    from streams.cli.serving import serve
    from streams.console.service import ConsoleError, run
    from streams.files.playbook_files import PlaybookFileError

    serve(run, KafkaError, PolicyError, RoutingError, ConsoleError, PlaybookFileError)
