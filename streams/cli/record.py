"""``forewarn record``: a range of topics as a sealed folder, and whether such a folder is whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from models.access.audit_chain import Plain
from models.indicators.pseudonyms import Pseudonyms
from models.policy.policy import PolicyError
from streams.cli import CommandError, InputError, site_settings
from streams.cli.moments import Length, Moment, span_of
from streams.cli.noting import note
from streams.cli.private_files import FOLDER, IDENTITY, NEW_FILE, PLAIN, identities, kind_of, seal_for
from streams.cli.progress import count_bar
from streams.files import policy_file
from streams.files.text_lines import FileError
from streams.kafka.contracts import ContractError, load
from streams.kafka.history import History, HistoryError, moment
from streams.kafka.read_quota import ReadQuota
from streams.kafka.reference_now import newest_words
from streams.recording import manifest as manifests
from streams.recording.checking import faults_of
from streams.recording.keeping import COMPACTED, RECORDED, keepers
from streams.recording.manifest import Manifest, RecordingError
from streams.recording.planning import Wish, check_same, left, planned
from streams.recording.pseudonymising import Pseudonymiser
from streams.recording.reading import Recording
from streams.recording.recorder import Recorder
from streams.secret_files import ExposedError, read_secret

SHORTEST_KEY = 16
"""Characters of a key of pseudonyms."""


@click.group(invoke_without_command=True)
@click.option("--since", type=Moment(), help="The time of the first records, by their arrival.")
@click.option("--until", type=Moment(), help="The time at which they end [default: now].")
@click.option("--out", type=FOLDER, help="The folder to write.")
@click.option("--case", default="", help="Case or reason for which it is made; in the audit log and in the recording.")
@click.option("--texts", is_flag=True, help="Keep the texts of SMS; the audit log records that.")
@click.option("--pseudonyms", type=NEW_FILE, help="File of a key: put pseudonyms in the place of numbers and ids.")
@click.option("--keep", type=Length(), default="30d", show_default=True, help="How long the recording may be kept.")
@click.option(
    "--quota",
    type=click.IntRange(0),
    default=50_000,
    show_default=True,
    help="The most records to read in a second, so that workers do not suffer; 0 for no limit.",
)
@PLAIN
@click.option("--resume", is_flag=True, help="Go on with the recording in the folder, which was interrupted.")
@click.option("--force", is_flag=True, help="Replace the recording in the folder.")
@click.pass_context
def record(
    context: click.Context,
    since: datetime | None,
    until: datetime | None,
    out: Path | None,
    case: str,
    texts: bool,
    pseudonyms: Path | None,
    keep: timedelta,
    quota: int,
    plain: bool,
    resume: bool,
    force: bool,
) -> None:
    """Record what arrived in a span of time into a folder, to be replayed without the site's servers.

    It reads calls, sms, signals, alerts and dispatch-feedback from --since to before --until, in no group, and
    indicators and subscribers as they are now. Of texts it keeps what deciding needs: links, numbers, and whether there
    is a code or a bank notice. With --pseudonyms, numbers and ids are replaced under a key, and indicators match as
    before. Each file is sealed to FOREWARN_EXPORT_RECIPIENT, or else to FOREWARN_LETTERS_RECIPIENT.

    An interrupted recording goes on with --resume --out FOLDER --case REFERENCE; the rest is as it was.

    Example: forewarn record --since 2026-11-01 --until 2026-11-02 --case A-2026-118 --out november-1
    """
    if context.invoked_subcommand is not None:
        return
    if out is None or not case.strip():
        raise InputError("give the folder with --out, and with --case the reference for which the recording is made")
    if resume == (since is not None):
        raise InputError("give --since, or --resume to go on with a recording, and not both")
    if texts and pseudonyms:
        raise InputError("--texts and --pseudonyms exclude each other: texts name people")
    settings, names = site_settings(), _pseudonyms(pseudonyms)
    fingerprint = "" if names is None else names.fingerprint
    begun = None
    try:
        if resume:
            begun = manifests.load(out)
            if begun.complete:
                raise InputError(f"{out} is complete already")
            if begun.pseudonyms != fingerprint:
                raise InputError(f"{out} was begun with another key of pseudonyms, or with none: give the same one")
        else:
            _check_folder(out, force)
        seal = seal_for(settings, plain if begun is None else not begun.sealed)
        contracts = load(settings.topics_file)
        with History(settings, contracts, [*RECORDED, *COMPACTED], ReadQuota(quota or None)) as history:
            if begun is not None:
                check_same(begun, history)
            else:
                policy = policy_file.load(settings.policy_file).version
                times = span_of(since or datetime.now(UTC), until, settings.time_zone)
                expires = (datetime.now(settings.time_zone) + keep).date()
                wish = Wish(case, *times, expires, texts, fingerprint, seal is not None, policy)
                begun = planned(history, contracts, wish)
            said: dict[str, Plain] = {"since": moment(begun.since), "until": moment(begun.until), "texts": begun.texts}
            said["pseudonyms"] = begun.pseudonyms
            note(settings, "topics-recorded", case=case, details={**said, **kind_of(seal)})
            if not resume:
                out.mkdir(mode=0o700, parents=True, exist_ok=force)
                manifests.store(begun, out)
            keeping = keepers(contracts.sources, texts=begun.texts)
            rename = None if names is None else Pseudonymiser(names, contracts.sources).of
            recorder = Recorder(history, partial(newest_words, settings), keeping, begun, out, seal, rename)
            with count_bar("recording", left(begun)) as history.told:
                done = recorder.run()
    except (HistoryError, ContractError, RecordingError, PolicyError, FileError) as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{out} cannot be written ({error.strerror}): mend that, and go on with --resume") from None
    _say(done, out)


@record.command()
@click.argument("folder", type=FOLDER)
@IDENTITY
def verify(folder: Path, keys: tuple[Path, ...]) -> None:
    """Check that a recording is whole and unchanged: every file is there, with its hash, and no offset is missing.

    With the private key, the records in sealed files are counted as well. It reads the folder alone.

    Exit status: 0 it is whole, 1 it is not, 2 it is no recording.

    Example: forewarn record verify november-1 --identity letters.key
    """
    try:
        recording = Recording(folder, identities(keys) if keys else None)
    except RecordingError as error:
        raise InputError(str(error)) from None
    faults = [*faults_of(recording)]
    if faults:
        raise CommandError("\n".join(faults))
    looked = "" if recording.can_open else "; what is in its sealed files was not looked at"
    count, expires = _records(recording.manifest), recording.manifest.expires
    click.echo(f"{folder} is whole: {count:,} records, to be deleted on {expires}{looked}", err=True)


def _pseudonyms(path: Path | None) -> Pseudonyms | None:
    if path is None:
        return None
    try:
        key = read_secret(path, private=True)
    except ExposedError as error:
        raise InputError(f"--pseudonyms is refused: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    if len(key) < SHORTEST_KEY:
        raise InputError(f"{path} has a key of fewer than {SHORTEST_KEY} characters: openssl rand -hex 32 makes one")
    return Pseudonyms(key.encode())


def _check_folder(out: Path, force: bool) -> None:
    if out.exists() and not force:
        raise InputError(
            f"{out} exists already: give another folder, --resume to go on with it, or --force to replace it"
        )
    if out.exists():
        manifests.load(out)  # what is no recording is never deleted


def _records(done: Manifest) -> int:
    return sum(part.records for part in done.parts)


def _say(done: Manifest, out: Path) -> None:
    left_out = sum(done.refused.values())
    click.echo(
        f"{out}: {_records(done):,} records from {moment(done.since)} to {moment(done.until)}, "
        f"{left_out:,} refused ones left out; to be deleted on {done.expires}",
        err=True,
    )
    if done.inexact:
        click.echo(f"{done.inexact:,} texts hold something that could not be kept exactly without the text", err=True)
