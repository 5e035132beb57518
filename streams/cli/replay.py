"""``forewarn replay``: run the live engine over files, over past topics, or over a recording."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from time import perf_counter

import click

from models.city.labels import verdict
from models.comparison.difference import Orders
from models.detection.alerts import Alert, encode
from models.events.decoding import CallReader, MessageReader
from models.indicators.matching import Indicators
from models.policy.policy import PolicyError
from streams.cli import CommandError, InputError, site_settings
from streams.cli.moments import Length, Moment, Times
from streams.cli.private_files import FOLDER, IDENTITY
from streams.cli.progress import byte_bar
from streams.cli.replay_against import compared, counted, differences, others_of, write_changes
from streams.cli.replay_inputs import Deciding, Refusals, indicators_of, subscribers_of
from streams.cli.replay_summary import Outcome, summarise
from streams.cli.whole_file import whole_file
from streams.files import model_file, policy_file
from streams.files.artifacts import ArtifactError
from streams.files.records import RecordFiles
from streams.files.text_lines import FileError
from streams.kafka.contracts import ContractError, load
from streams.replay.recorded import RecordedSignals, recorded
from streams.replay.replay import Replay
from streams.training.outcomes import NONE, OutcomeError, of_file

FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--calls", "calls", type=FILES, multiple=True, help="File of call records, JSON Lines or Parquet; may be repeated."
)
@click.option(
    "--sms", "sms", type=FILES, multiple=True, help="File of SMS records, JSON Lines or Parquet; may be repeated."
)
@click.option("--signals", "signals", type=FILES, multiple=True, help="File of a recorded topic signals (see below).")
@click.option("--from-topics", is_flag=True, help="Replay what the site's topics have of a time; needs --since.")
@click.option("--recording", type=FOLDER, help="Replay a recording, a folder that forewarn record has written.")
@IDENTITY
@click.option("--since", type=Moment(), help="The time of the first records, by their arrival.")
@click.option("--until", type=Moment(), help="The time at which they end [default: now, or the recording's end].")
@click.option("--warm", type=Length(), default="72h", show_default=True, help="How long before --since to begin.")
@click.option(
    "--quota",
    type=click.IntRange(0),
    default=50_000,
    show_default=True,
    help="With --from-topics: the most records to read in a second, so that workers do not suffer; 0 for no limit.",
)
@click.option("--indicators", "indicators", type=FILES, multiple=True, help="Indicators, as for indicators import.")
@click.option("--subscribers", type=FILES, multiple=True, help="File of subscriber records, JSON Lines.")
@click.option("--policy", type=FILES, help="Another policy file [default: FOREWARN_POLICY_FILE].")
@click.option("--model", help="Another risk model's file, or `points` [default: FOREWARN_MODEL].")
@click.option(
    "--outcomes", type=FILES, help="Outcomes, a file of dispatch-feedback records: report how many alerts were right."
)
@click.option(
    "--against",
    "against",
    multiple=True,
    help="Decide with other settings as well, and say what differs: a policy file (.yaml), a model as for --model, or "
    "both joined by +; may be repeated.",
)
@click.option(
    "--difference",
    type=click.Path(path_type=Path),
    help="With --against: output file for each episode that differs, JSON Lines.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Output file for the alerts, JSON Lines; - is stdout."
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as one JSON object on stdout.")
def replay(
    calls: tuple[Path, ...],
    sms: tuple[Path, ...],
    signals: tuple[Path, ...],
    from_topics: bool,
    recording: Path | None,
    keys: tuple[Path, ...],
    since: datetime | None,
    until: datetime | None,
    warm: timedelta,
    quota: int,
    indicators: tuple[Path, ...],
    subscribers: tuple[Path, ...],
    policy: Path | None,
    model: str | None,
    outcomes: Path | None,
    against: tuple[str, ...],
    difference: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """Run the live engine over past records and write exactly the alerts that the live run would publish.

    Files are JSON Lines (plain, gzip or zstd) or Parquet; several of one kind are read one after the other. An invalid
    line is reported and left out, as a dead letter would be.

    Lines that were recorded from Kafka may have `appended`, the broker's time of the record (epoch ms), and count as
    they did live; lines of --signals need it, and heartbeats among them their `partition` as well.

    --from-topics reads calls, sms and signals from the site's Kafka, in no group, and --recording reads them from a
    folder. Both count what arrived from --since to before --until. Records of the time before (--warm) are decided as
    well, and nothing of that is written. Indicators and subscribers are those of their topics now, or of the recording,
    unless files are given. The audit log records a replay of topics.

    The site secret (FOREWARN_SECRET_FILE) gives the alerts the ids that they had live. Without it they get public ids,
    and the summary says so.

    --against compares with other settings in one pass over the records: for which episodes officers would be sent in
    addition, no more, earlier or later. docs/replay.md describes the file of --difference.

    Example: forewarn replay --calls examples/calls.jsonl --sms examples/sms.jsonl
    --indicators examples/indicators.jsonl --out alerts.jsonl
    """
    if (from_topics and recording) or ((from_topics or recording) and (calls or sms or signals)):
        raise InputError("give files, --from-topics or --recording, and not two of them")
    if from_topics and since is None:
        raise InputError("--from-topics needs --since, for example --since 2026-11-01 or --since 24h")
    if not (from_topics or recording) and (since or until):
        raise InputError("--since and --until go with --from-topics or --recording")
    if not (calls or sms or from_topics or recording):
        raise click.UsageError("give --calls or --sms, or both, or --from-topics, or --recording")
    if difference is not None and not against:
        raise InputError("--difference needs --against, which says from what")
    if as_json and str(out) == "-":
        raise click.UsageError("--json and --out - would both write to stdout: name a file in --out")
    began = perf_counter()
    settings = site_settings()
    refusals = Refusals()
    orders = Orders()
    try:
        found = NONE if outcomes is None else of_file(outcomes)
        rules = policy_file.load(policy or settings.policy_file)
        scores = model_file.load(settings.model if model is None else model).model
        others = others_of(against, rules, scores)
        by = Deciding(settings, load(settings.topics_file), rules, scores, indicators, subscribers, others)
        times = Times(since, until, warm)
        with whole_file(out) as file:

            def tell(alert: Alert) -> None:
                file.write(encode(alert) + b"\n")
                orders.hear(alert)

            if from_topics or recording:
                from streams.cli import replay_past  # only here: it loads the clients of Kafka

                if recording is not None:
                    outcome = replay_past.replay_recording(by, recording, keys, times, refusals, tell)
                else:
                    outcome = replay_past.replay_topics(by, times, quota or None, refusals, tell)
            else:
                outcome = _replay_files(by, calls, sms, signals, refusals, tell)
    except (FileError, ContractError, PolicyError, ArtifactError, OutcomeError) as error:
        raise CommandError(str(error)) from None
    refusals.conclude()
    seconds = perf_counter() - began
    differing = differences(orders, others)
    if difference is not None:
        with whole_file(difference) as file:
            write_changes(differing, file)
    known = None if outcomes is None else found.by_case
    judged = None if known is None else verdict(orders.keys(), known)
    city = settings.time_zone
    summarise(outcome, seconds, judged, as_json, counted(orders, city), compared(others, differing, known, city))


def _replay_files(
    by: Deciding,
    calls: tuple[Path, ...],
    sms: tuple[Path, ...],
    signals: tuple[Path, ...],
    refusals: Refusals,
    tell: Callable[[Alert], object],
) -> Outcome:
    """Replay files; raises `FileError`."""
    partitions, sources, tolerance = (
        by.contracts["calls"].partitions,
        by.contracts.sources,
        by.policy.clock.tolerance_ms,
    )
    known, vulnerable = Indicators(indicators_of(by.indicators, refusals)), subscribers_of(by.subscribers, refusals)
    engine = by.engine(known, vulnerable)
    told = RecordFiles(signals, RecordedSignals(partitions).signals, refusals)
    call_reader, sms_reader = CallReader(sources, keyed=False), MessageReader(sources, keyed=False)
    with byte_bar("replaying", [*calls, *sms]) as read:
        tally = Replay(engine, partitions, tell, by.variants(known, vulnerable)).run(
            RecordFiles(calls, recorded(call_reader.read, tolerance), refusals, read).chunks(),
            RecordFiles(sms, recorded(sms_reader.read, tolerance), refusals, read).chunks(),
            chain.from_iterable(told.chunks()),
        )
    return Outcome(tally, refusals.count, engine)
