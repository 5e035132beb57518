"""Picture: an `Overview` and its worries as a page for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from streams.overview.overview import Overview, Program
from streams.overview.worries import LAG_S, UNACKNOWLEDGED_S, Worry

STYLES: Final = {"ready": "green", "waiting": "yellow", "stuck": "bold red", "away": "bold red"}
SEVERITY: Final = {"urgent": "bold white on red", "high": "bold red", "medium": "yellow", "low": "dim"}
LEVEL: Final = {"bad": "bold red", "look": "yellow"}
NOTHING: Final = "–"


def picture(site: Overview, found: Sequence[Worry], zone: tzinfo) -> RenderableType:
    """The whole page; times of day are in this zone."""
    parts: list[RenderableType] = [_headline(site, zone), _worries(found), _programs(site)]
    if any(each.state != "away" for each in site.programs):
        parts += [_topics(site, zone)] if site.topics else []
        parts += [_feeds(site)] if site.feeds else []
        parts += [_severities(site), _cases(site), _indicators(site, zone), _letters(site), _stores(site)]
    return Group(*(Padding(each, (0, 0, 1, 0)) for each in parts))


def _headline(site: Overview, zone: tzinfo) -> Text:
    answered = sum(each.state != "away" for each in site.programs)
    text = Text.assemble(("Forewarn", "bold"), f"  {answered} of {len(site.programs)} programs answer")
    if site.at:
        text.append(f"  {_clock(site.at, zone, '%Y-%m-%d %H:%M:%S')}")
    text.append("  no rates yet" if site.seconds is None else f"  rates over {site.seconds:.0f} s", style="dim")
    return text


def _worries(found: Sequence[Worry]) -> Text:
    if not found:
        return Text("Nothing is wrong that the programs can see.", style="green")
    lines = Text("docs/runbook.md says what to do about each:", style="dim")
    for each in found:
        lines.append(f"\n{each.entry}: ", style=LEVEL[each.level])
        lines.append(each.says, style="default not dim")
    return lines


def _programs(site: Overview) -> Table:
    table = _table(
        "program", "address", "state", "up>", "partitions>", "records/s>", "lag>", "version", "policy", "model"
    )
    for each in site.programs:
        is_worker = each.program == "worker" and each.state != "away"
        _add(
            table,
            each.program,
            each.address,
            _state(each),
            _span(each.running_seconds),
            _count(each.partitions) if is_worker else "",
            _rate(each.records_per_second) if is_worker else "",
            _count(each.lag_records) if is_worker else "",
            each.version,
            each.policy,
            each.model,
        )
    return table


def _state(program: Program) -> Text:
    word = {"waiting": f"waits for {program.says}", "stuck": f"stands still: {program.says}"}.get(program.state)
    word = word or (f"away: {program.says}" if program.state == "away" else program.state)
    return Text(word, style=STYLES[program.state])


def _topics(site: Overview, zone: tzinfo) -> Table:
    table = _table("topic", "records/s>", "records>", "lag>", "oldest waits>", "event time>", "expired>")
    for each in site.topics:
        style = "bold red" if each.lag_seconds > LAG_S else ""
        _add(
            table,
            each.topic,
            _rate(each.per_second),
            _count(each.records),
            Text(_count(each.lag_records), style=style),
            Text(_span(each.lag_seconds) if each.lag_records else NOTHING, style=style),
            NOTHING if each.event_time is None else _clock(each.event_time, zone, "%d %H:%M:%S"),
            Text(_count(each.expired), style="bold red" if each.expired else ""),
        )
    return table


def _feeds(site: Overview) -> Table:
    table = _table("feed", "source", "records/s>", "usually/s>", "last record>")
    for each in site.feeds:
        last = "none yet" if each.quiet_seconds is None else f"{_span(each.quiet_seconds)} ago"
        _add(
            table,
            each.topic,
            each.source,
            _rate(each.per_second),
            _rate(each.usual_per_second),
            Text(f"silent: {last}" if each.silent else last, style="bold red" if each.silent else ""),
        )
    return table


def _severities(site: Overview) -> Table:
    table = _table(
        "severity", "alerts/min>", "alerts>", "withdrawn>", "open cases>", "oldest not taken>", "deadlines missed>"
    )
    for each in site.severities:
        late = (each.waits_seconds or 0.0) > UNACKNOWLEDGED_S
        _add(
            table,
            Text(f" {each.severity} ", style=SEVERITY.get(each.severity, "")),
            _rate(each.raised_per_minute),
            _count(each.raised),
            _count(each.withdrawn),
            _count(each.open_cases),
            Text(_span(each.waits_seconds), style="bold red" if late else ""),
            _count(each.deadlines_missed),
        )
    return table


def _cases(site: Overview) -> Text:
    groups = (f"{each.cases:,} {each.status} at {each.tier}" for each in site.cases)
    text = _line("Cases", groups, "none is open")
    if site.overdue:
        text.append(f"; {site.overdue:,} deadlines that not even the centre has met", style="bold red")
    return text


def _indicators(site: Overview, zone: tzinfo) -> Text:
    text = _line("Indicators", (f"{each.count:,} {each.type}" for each in site.indicators), "none is known")
    if (changed := site.indicators_changed_at) is not None:
        age = _span(max(site.at - changed, 0.0))
        text.append(f"; the newest came {age} ago ({_clock(changed, zone, '%Y-%m-%d %H:%M')})")
    return text


def _letters(site: Overview) -> Text:
    shown = (
        f"{each.records:,} of {each.topic} ({each.reason}{', coming' if each.per_second else ''})"
        for each in site.letters
    )
    return _line("Dead letters", shown, "none")


def _stores(site: Overview) -> Text:
    stores = site.stores
    limit = f" of {_bytes(stores.redis_limit_bytes)}" if stores.redis_limit_bytes else ", no limit"
    parts = [f"Redis {_bytes(stores.redis_used_bytes)}{limit}"]
    if stores.ledger_free_bytes is not None and stores.ledger_disk_bytes:
        share = stores.ledger_free_bytes / stores.ledger_disk_bytes
        parts.append(f"the ledger's disk {share:.0%} free ({_bytes(stores.ledger_free_bytes)})")
    parts.append(f"{stores.ledger_waiting_rows:,} rows wait for the ledger")
    parts.append(f"{stores.outbox_waiting_records:,} alerts wait for Kafka")
    return _line("Stores", parts, "")


def _table(*heads: str) -> Table:
    """A table with these headings; a column whose heading ends with ``>`` has numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head in heads:
        table.add_column(head.removesuffix(">"), justify="right" if head.endswith(">") else "left", overflow="fold")
    return table


def _add(table: Table, *cells: str | Text) -> None:
    """Add a row. What other machines say is text, and never rich's markup."""
    table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def _line(title: str, parts: Iterable[str], otherwise: str) -> Text:
    return Text.assemble((f"{title}  ", "bold"), ", ".join(parts) or otherwise)


def _count(number: int) -> str:
    return f"{number:,}"


def _rate(rate: float | None) -> str:
    return NOTHING if rate is None else f"{rate:,.0f}" if rate >= 100 or not rate else f"{rate:,.1f}"


def _span(seconds: float | None) -> str:
    """A duration in a unit that suits it.

    >>> _span(4.2), _span(90), _span(7200), _span(400_000), _span(None)
    ('4 s', '90 s', '120 min', '4.6 d', '–')
    """
    if seconds is None:
        return NOTHING
    for least, size, unit, form in (
        (172_800, 86_400, "d", ".1f"),
        (10_800, 3_600, "h", ".1f"),
        (120, 60, "min", ".0f"),
    ):
        if seconds >= least:
            return f"{seconds / size:{form}} {unit}"
    return f"{seconds:.0f} s"


def _bytes(number: int) -> str:
    """A size in its greatest unit.

    >>> _bytes(999), _bytes(1_500_000), _bytes(2_000_000_000_000)
    ('999 B', '1.5 MB', '2.0 TB')
    """
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _clock(at: float, zone: tzinfo, form: str) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime(form)
