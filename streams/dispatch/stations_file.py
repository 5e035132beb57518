"""The stations file: reads the tree of stations at the start."""

from __future__ import annotations

from pathlib import Path

from models.casework.routing import RoutingError, Stations, parse


def load(path: Path) -> Stations:
    """Read a tree of stations. Raises `RoutingError` naming the file and what is wrong with it."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise RoutingError(
            f"The file of stations {path} cannot be read ({error.strerror}): set FOREWARN_STATIONS_FILE."
        ) from None
    except RoutingError as error:
        raise RoutingError(f"The file of stations {path} cannot be used: {error}") from None
