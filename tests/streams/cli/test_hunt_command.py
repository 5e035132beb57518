"""``forewarn hunt`` and ``forewarn ledger`` as analysts and operators call them."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.access.audit_keys import audit_key, pseudonym
from models.access.site_secret import key_of
from models.indicators.path_hashes import PathHashes
from models.lookback.link_rows import MetLinks
from streams import metrics
from streams.audit import AuditLog, operator, pace
from streams.audit.reading import recent
from streams.cli import cli
from streams.ledger.segments import SegmentFile
from streams.ledger.storage import Segment, Storage
from streams.sealing import Identities, new_keys
from streams.settings import Settings
from tests.site import FRAUD, SECRET, call
from tests.streams.ledger.test_ledger import ANN, BO, put, rows, sms

KEY = "a-key-for-tests-only"
Forewarn = Callable[..., Result]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """A ledger with yesterday's records."""
    storage = Storage(Settings(ledger=str(tmp_path / "ledger")))
    at = int((datetime.now(UTC) - timedelta(days=1)).timestamp() * 1000)
    calls = [call(ANN, at), call(ANN, at + 60_000, phase="end", duration_s=42), call(BO, at + 1, id="c2")]
    messages = [sms(BO, at + 2, "see https://pay.evil.top/x?token=marked")]
    met = MetLinks(hashes=PathHashes(key_of(SECRET, "links")))
    put(storage, 0, rows(calls, messages, met), day=datetime.now(UTC).date())
    return storage


@pytest.fixture
def forewarn(tmp_path: Path) -> Forewarn:
    """Calls a command with this ledger, and with an audit log next to it."""
    environ = {
        "FOREWARN_LEDGER": str(tmp_path / "ledger"),
        "FOREWARN_AUDIT_LOG": str(tmp_path / "audit" / "log.jsonl"),
        "FOREWARN_PSEUDONYM_KEY": KEY,
        "FOREWARN_SECRET": SECRET,
        "FOREWARN_KAFKA": "127.0.0.1:1",
    }

    def invoke(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(cli, arguments, env=environ | more)

    return invoke


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The path of the audit log."""
    return tmp_path / "audit" / "log.jsonl"


@pytest.mark.usefixtures("storage")
def test_everyone_who_was_reached_is_listed(forewarn: Forewarn) -> None:
    result = forewarn("hunt", "--number", f"+{FRAUD}", "--case", "A-1", "--json")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(line["subscriber"], line["contacts"], line["talk_s"]) for line in lines} == {(ANN, 1, 42.0), (BO, 1, 0.0)}
    assert "2 people" in result.stderr


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    "asked", [("--domain", "evil.top"), ("--domain", "hxxps://pay.evil[.]top"), ("--url", "pay.evil.top/x")]
)
def test_a_domain_or_a_link_is_looked_up_as_it_is_written_in_reports(
    forewarn: Forewarn, asked: tuple[str, str]
) -> None:
    result = forewarn("hunt", *asked, "--case", "A-1", "--csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["subscriber"], row["SMS in"]) == (BO, "1")


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(("secret", "found"), [(SECRET, 1), (SECRET[::-1], 0)])
def test_a_link_is_found_under_the_sites_secret_and_never_shown(forewarn: Forewarn, secret: str, found: int) -> None:
    result = forewarn("hunt", "--url", "pay.evil.top/x", "--case", "A-1", "--json", FOREWARN_SECRET=secret)

    assert len(result.stdout.splitlines()) == found
    assert "marked" not in result.stdout


@pytest.mark.usefixtures("storage")
def test_without_the_site_secret_only_a_link_cannot_be_looked_up(forewarn: Forewarn) -> None:
    of_url, of_domain = (
        forewarn("hunt", *asked, "--case", "A-1", "--json", FOREWARN_SECRET="")
        for asked in (("--url", "pay.evil.top/x"), ("--domain", "evil.top"))
    )

    assert (of_url.exit_code, of_url.stdout) == (2, "")
    assert "FOREWARN_SECRET_FILE" in of_url.stderr
    assert len(of_domain.stdout.splitlines()) == 1


@pytest.mark.usefixtures("storage")
def test_a_list_and_a_prefix_are_looked_up_in_one_pass(forewarn: Forewarn, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{FRAUD[:6]}*\nevil.top\n")
    result = forewarn("hunt", "--file", str(tmp_path / "list.txt"), "--case", "A-1")
    heads, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert heads[0] == "subscriber"
    assert sorted((line[0], line[1].partition(":")[0]) for line in lines) == [
        (ANN, "number-prefix"),
        (BO, "domain"),
        (BO, "number-prefix"),
    ]


@pytest.mark.usefixtures("storage")
def test_a_list_in_a_file_is_sealed_and_in_the_clear_only_where_that_is_said_and_recorded(
    forewarn: Forewarn, log: Path, tmp_path: Path
) -> None:
    """Somebody finds the file on a lost stick, and learns nothing."""
    key, hunt = new_keys(), ("hunt", "--number", FRAUD, "--case", "A-1", "--out")
    sealed, plain = tmp_path / "list.csv.age", tmp_path / "list.jsonl"
    keyless = forewarn(*hunt, str(sealed))
    first = forewarn(*hunt, str(sealed), FOREWARN_EXPORT_RECIPIENT=key.recipient)
    second = forewarn(*hunt, str(plain), "--plain", "--json")
    again = forewarn(*hunt, str(plain), "--plain")

    assert [each.exit_code for each in (keyless, first, second, again)] == [2, 0, 0, 2]
    assert first.stdout + second.stdout == ""
    assert ANN.encode() in Identities([key.identity]).opened(sealed.read_bytes())
    assert {json.loads(line)["subscriber"] for line in plain.read_text().splitlines()} == {ANN, BO}
    assert [json.loads(line)["details"]["file"] for line in log.read_text().splitlines()] == ["sealed", "plain"]


@pytest.mark.usefixtures("storage")
def test_every_look_up_is_noted_without_the_number(forewarn: Forewarn, log: Path) -> None:
    forewarn("hunt", "--number", FRAUD, "--case", "A-1")
    forewarn("hunt", "--number", "99900000009", "--domain", "evil.top", "--case", "A-2")
    first, second = [json.loads(line) for line in log.read_text().splitlines()]
    assert (first["case"], first["details"]["found"], first["what"]) == (
        "A-1",
        2,
        [f"number:{pseudonym(KEY, FRAUD)}"],
    )
    assert (second["case"], second["details"]["found"], len(second["what"])) == ("A-2", 1, 2)
    assert FRAUD not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.usefixtures("storage")
def test_many_look_ups_within_an_hour_are_noted_once_and_get_into_the_metric(
    forewarn: Forewarn, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command ends before the next one, so it counts in the log; a console on the machine tells the metric."""
    monkeypatch.setattr(pace, "USUAL", {"look-up": 2})
    earlier = AuditLog(log, [audit_key(SECRET, KEY)], lambda: datetime.now(UTC) - timedelta(hours=2))
    earlier.note("look-up", who=operator(), case="A-0")
    results = [forewarn("hunt", "--number", FRAUD, "--case", f"A-{number}") for number in range(1, 5)]
    lines = recent(log, "2026")
    before = metrics.UNUSUAL_USE.labels("look-up")._value.get()
    pace.count(lines)

    assert {each.exit_code for each in results} == {0}
    assert [line.did for line in reversed(lines)] == [*["look-up"] * 4, "unusual-use", "look-up"]
    assert (lines[1].who, lines[1].case, lines[1].details["did"]) == (operator(), "A-3", "look-up")
    assert metrics.UNUSUAL_USE.labels("look-up")._value.get() == before + 1


@pytest.mark.usefixtures("storage")
def test_without_its_line_in_the_audit_log_a_look_up_shows_nothing(forewarn: Forewarn, tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file where the folder should be")
    result = forewarn("hunt", "--number", FRAUD, "--case", "A-1", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "FOREWARN_AUDIT_LOG" in result.stderr


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--number", FRAUD), "--case"),
        (("--number", FRAUD, "--case", " "), "--case"),
        (("--case", "A-1"), "--number, --domain, --url or --file"),
        (("--number", "no number", "--case", "A-1"), "--number 1"),
        (("--number", "110", "--case", "A-1"), "--number 1"),
        (("--domain", "bit.ly", "--case", "A-1"), "--domain 1"),
        (("--number", FRAUD, "--since", "31d", "--case", "A-1"), "30 days"),
        (("--number", FRAUD, "--since", "soon", "--case", "A-1"), "--since"),
        (("--number", FRAUD, "--since", "2199-01-01", "--case", "A-1"), "future"),
        (("--file", "/nowhere.csv", "--case", "A-1"), "/nowhere.csv"),
    ],
)
def test_what_cannot_be_looked_up_is_one_sentence_and_nothing_is_written(
    forewarn: Forewarn, log: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = forewarn("hunt", *arguments)
    assert (result.exit_code, result.stdout, log.exists()) == (2, "", False)
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert FRAUD not in result.stderr


@pytest.mark.parametrize(
    ("ledger", "says"),
    [("nonsense://x", "nonsense"), ("", "no ledger"), ("{tmp}/nothing", "Nothing has been recorded")],
)
def test_a_ledger_that_is_none_is_one_sentence(forewarn: Forewarn, tmp_path: Path, ledger: str, says: str) -> None:
    where = ledger.format(tmp=tmp_path)
    result = forewarn("hunt", "--number", FRAUD, "--case", "A-1", FOREWARN_LEDGER=where)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_the_ledger_is_shown_compacted_and_expired(forewarn: Forewarn, storage: Storage) -> None:
    today = datetime.now(UTC).date()
    old = today - timedelta(days=40)
    for number in range(1, 4):
        put(storage, number, rows([call(ANN, 1_773_628_800_000)]), day=old)
    shown = json.loads(forewarn("ledger", "status", "--json").stdout)
    assert [(day["day"], day["segments"]) for day in shown["days"]] == [(old.isoformat(), 3), (today.isoformat(), 1)]
    assert "3 segments became 1, 3 rows" in forewarn("ledger", "compact").stderr
    assert len(storage.segments()) == 2
    assert "days deleted: 1" in forewarn("ledger", "expire").stderr
    assert [*storage.days()] == [today]
    assert "days deleted: 0" in forewarn("ledger", "expire", "--keep", "1").stderr


def test_compacting_writes_whole_links_of_an_earlier_version_again_as_hashes(
    forewarn: Forewarn, tmp_path: Path
) -> None:
    """A segment that is alone in its day is written again, too; then it is left alone."""
    day = datetime.now(UTC).date() - timedelta(days=3)
    sample = (Path(__file__).parents[2] / "formats" / "segment-1-links.parquet").read_bytes()
    storage = Storage(Settings(ledger=str(tmp_path / "ledger")))
    lone = Segment(0, (500, 510), (0, 0), day)
    storage.enter(storage.put(lone, "test", sample), lone)
    refused = forewarn("ledger", "compact", FOREWARN_SECRET="")

    assert (refused.exit_code, "FOREWARN_SECRET_FILE" in refused.stderr) == (2, True)
    assert "1 segments became 1" in forewarn("ledger", "compact").stderr
    assert "0 segments became 0" in forewarn("ledger", "compact").stderr
    with SegmentFile(storage.open(lone)) as file:
        rows = file.read(range(file.row_groups)).to_pylist()
        assert (file.format, len(rows)) == (2, 8)
    assert "marked" not in str(rows)
