"""``forewarn console``: run the console in the foreground."""

from __future__ import annotations

import click

from streams.cli.extras import require


@click.command()
def console() -> None:
    """Serve the pages and the API for officers and stations' systems, until Ctrl-C or SIGTERM.

    forewarn users manages the users. Several consoles may run side by side.

    Example: FOREWARN_KAFKA=127.0.0.1:9092 forewarn console
    """
    require("console")
    from aiokafka.errors import KafkaError

    from models.casework.routing import RoutingError
    from models.policy.policy import PolicyError
    from streams.audit import AuditError
    from streams.cli.serving import serve
    from streams.console.service import ConsoleError, run
    from streams.files.playbook_files import PlaybookFileError

    serve(run, KafkaError, PolicyError, RoutingError, ConsoleError, PlaybookFileError, AuditError)
