"""Logs: one structured line for each thing that happens, as JSON unless it goes to a terminal.

No line has a subscriber's number or the text of an SMS, and no value controls the terminal on which it is read.
"""

from __future__ import annotations

import logging
import sys

import structlog

from streams.printable import printable
from streams.settings import Settings

# The last two are loggers of Faust, too: it names them after the modules that subclass its services.
_NOISY = (
    "aiokafka",
    "faust",
    "mode",
    "asyncio",
    "aiohttp.access",
    "kafka",
    "uvicorn",
    "streams.worker.app",
    "streams.worker.transport",
)


def configure(settings: Settings) -> None:
    """Set up structlog and the standard library's logging (Faust, aiokafka) to write to stderr in one format."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if as_console else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _printable_values,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def _printable_values(logger: object, method: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A line whose values can be shown: an error's sentence may quote what somebody sent."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in said.items()}


def only_ours() -> None:
    """Silence the libraries from here on: the worker is ending, and their further messages only follow from that."""
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
