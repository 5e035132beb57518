"""``forewarn bulletin``: write the weekly bulletin of a station, a sub-bureau or the centre."""

from __future__ import annotations

import asyncio
import difflib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from streams.cli import CommandError, InputError, site_settings
from streams.cli.indicator_options import run

if TYPE_CHECKING:
    from models.casework.playbooks import Language
    from models.casework.reached import Reached
    from models.casework.routing import Stations
    from streams.settings import Settings

_PATIENCE_S: Final = 60.0
"""How long to wait for Kafka."""


@click.command()
@click.option("--unit", required=True, help="The id of a station, a sub-bureau or the centre in stations.yaml.")
@click.option("--week", help="The ISO week, for example 2026-W11; by default the last whole one.")
@click.option("--lang", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="Chinese or English.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a page.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; by default stdout.")
def bulletin(unit: str, week: str | None, lang: Language, as_json: bool, out: Path | None) -> None:
    """Write what scams reached a unit's area in a week, as one HTML page that prints on A4.

    It counts people with an order or a reminder, and names nobody: small counts are left out, and the others are
    rounded. Where a week has too few people, it is about four weeks, or about the unit above.

    Example: forewarn bulletin --unit ps-0101 --week 2026-W11 --out bulletin.html
    """
    from models.casework.bulletin import BulletinError
    from models.casework.routing import RoutingError
    from models.policy.policy import PolicyError
    from streams.cli.extras import require
    from streams.dispatch import stations_file
    from streams.dispatch.bulletins import calendar, compose
    from streams.dispatch.weeks import WeekError, last_whole, parse
    from streams.files import policy_file
    from streams.files.playbook_files import PlaybookFileError, read_playbooks
    from streams.kafka.contracts import ContractError

    settings = site_settings()
    if not as_json:
        require("console")
    try:
        stations = stations_file.load(settings.stations_file)
        if unit not in stations.units:
            raise InputError(f"there is no unit {unit!r} in {settings.stations_file}: {_nearest(unit, stations)}")
        weeks = calendar(settings, policy_file.load(settings.policy_file).dispatch, _now())
        wanted = last_whole(weeks.now, weeks.zone) if week is None else parse(week)
        weeks.check(wanted)
        playbooks = read_playbooks(settings.playbooks)
        found = compose(weeks, stations, unit, wanted, _reached(settings, stations, weeks.known_from))
    except (BulletinError, ContractError, PlaybookFileError, PolicyError, RoutingError, WeekError) as error:
        raise InputError(str(error)) from None
    if as_json:
        content = msgspec.json.encode(found) + b"\n"
    else:
        from streams.console.bulletin_sheet import sheet, standalone

        content = standalone(sheet(found, stations, playbooks, weeks.zone, lang), lang).encode()
    _write(content, out)


def _now() -> int:
    return int(time.time() * 1000)


def _nearest(unit: str, stations: Stations) -> str:
    near = difflib.get_close_matches(unit, stations.units, n=1)
    return f"did you mean {near[0]}?" if near else f"the centre's is {stations.centre}"


def _reached(settings: Settings, stations: Stations, since: int) -> list[Reached]:
    """Everybody with an order, and everybody who was reminded from a moment on (epoch ms)."""
    from aiokafka.errors import KafkaError

    from streams.dispatch.bulletins import ordered, reminded
    from streams.kafka.recent_records import RecentRecordsError

    async def read() -> list[Reached]:
        async with asyncio.timeout(_PATIENCE_S):
            return [*await reminded(settings, stations, since), *await ordered(settings)]

    try:
        return run(read())
    except TimeoutError:
        raise CommandError(f"Kafka at {settings.kafka} does not answer: try again in a moment") from None
    except (KafkaError, RecentRecordsError) as error:
        raise CommandError(str(error)) from None
    except ValueError as error:
        raise CommandError(f"the topic dispatch has a record that is no case of this version: {error}") from None


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        stdout = click.get_binary_stream("stdout")
        stdout.write(content)
        stdout.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None
