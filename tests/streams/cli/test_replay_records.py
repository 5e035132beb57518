"""``forewarn replay`` over records as carriers really write them: each is matched, or refused with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli.replay import replay

AT = 1_773_628_800_000
DAY = 86_400_000
KNOWN, HOST = "99900770077", "odd-bank.top"


def written(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """The path of a file of these records."""
    path.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records), encoding="utf-8")
    return path


def alerted(
    folder: Path, *arguments: str, known: Iterable[str] = (KNOWN, HOST)
) -> tuple[set[str], str, dict[str, Any]]:
    """Whose alerts a replay gives, what it says of refused lines, and its summary."""
    (folder / "known.txt").write_text("\n".join(known), encoding="utf-8")
    out = folder / "alerts.jsonl"
    result = CliRunner().invoke(
        replay, [*arguments, f"--indicators={folder / 'known.txt'}", f"--out={out}", "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    alerts = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return {alert["subscriber"] for alert in alerts}, result.stderr, json.loads(result.stdout)


def call(number: int, peer: object, id: str = "", at: int = AT, talk_s: int = 590) -> list[dict[str, Any]]:
    """The two records of a call to a made-up subscriber; the peer may be anything."""
    common = {"id": id or f"c{number}", "subscriber": f"8610000077{number:03}", "peer": peer, "direction": "in"}
    return [
        {**common, "phase": "start", "at": at},
        {**common, "phase": "end", "at": at + 10_000 + talk_s * 1000, "duration_s": talk_s},
    ]


SENDERS = [
    "DHL",
    "快递通知",
    "10655000000000000077",
    "1069000000000077",
    "info@mail.example",
    "",
    None,
    "unknown",
    "222",
]


def test_a_link_counts_whoever_sends_it(tmp_path: Path) -> None:
    records = [
        {"id": f"m{number}", "subscriber": f"8610000088{number:03}", "peer": peer, "direction": "in", "at": AT}
        | {"text": f"see http://{HOST}/a"}
        for number, peer in enumerate(SENDERS)
    ]
    del records[6]["peer"]

    people, said, summary = alerted(tmp_path, f"--sms={written(tmp_path / 'sms.jsonl', records)}")

    assert people == {record["subscriber"] for record in records}
    assert said == ""
    assert summary["signals"] == {"fraud-domain-sms": len(SENDERS)}


def test_a_port_and_a_prefix_of_ports_can_be_indicators(tmp_path: Path) -> None:
    peers = ["10655000000000000077", "+8610655000000000000077", "106990000000000001", "106980000000000001"]
    records = [
        {
            "id": f"m{number}",
            "subscriber": f"8610000088{number:03}",
            "peer": peer,
            "direction": "in",
            "at": AT,
            "text": "x",
        }
        for number, peer in enumerate(peers)
    ]

    people, _, _ = alerted(
        tmp_path, f"--sms={written(tmp_path / 'sms.jsonl', records)}", known=["10655000000000000077", "10699*"]
    )

    assert people == {record["subscriber"] for record in records[:3]}


@pytest.mark.parametrize("prefix", ["", "+", "00", "+00", "17951", "1795100", "12593+"])
def test_a_known_number_is_matched_with_whatever_stands_before_it(tmp_path: Path, prefix: str) -> None:
    calls = written(tmp_path / "calls.jsonl", call(1, f"{prefix}{KNOWN}"))
    is_one = prefix != "12593+"  # a plus stands at the beginning of a number or nowhere

    people, said, summary = alerted(tmp_path, f"--calls={calls}")

    assert (people == {"8610000077001"}) is is_one
    assert (summary["refused"] == 0) is is_one
    assert KNOWN not in said


@pytest.mark.parametrize("prefix", ["0", "86", "+86", "0086", "#", "1"])
def test_what_may_be_another_number_is_refused_and_never_silently_unmatched(tmp_path: Path, prefix: str) -> None:
    calls = written(tmp_path / "calls.jsonl", call(1, f"{prefix}{KNOWN}") if prefix != "1" else call(1, "22220000"))

    people, said, summary = alerted(tmp_path, f"--calls={calls}")

    assert (people, summary["refused"]) == (set(), 2)
    assert said.count("impossible-number") == 2


def test_a_withheld_caller_is_a_call_of_its_own_kind(tmp_path: Path) -> None:
    """It matches nothing, and after a known contact a long call with nobody known still counts."""
    words = ["anonymous", "Private", "0", "", None, "未知"]
    records = [
        record for number, word in enumerate(words) for record in call(number, word, at=AT + DAY // 8, talk_s=3000)
    ]
    records = [*call(3, KNOWN), *records]

    people, said, summary = alerted(tmp_path, f"--calls={written(tmp_path / 'calls.jsonl', records)}")

    assert people == {"8610000077003"}
    assert said == ""
    assert summary["signals"]["long-call"] == len(words)


def test_an_id_that_is_used_again_counts_as_another_id_would(tmp_path: Path) -> None:
    for gap in (DAY, DAY // 24):
        again = [*call(1, KNOWN, "5", talk_s=50), *call(1, KNOWN, "5", AT + gap)]
        other = [*call(1, KNOWN, "5", talk_s=50), *call(1, KNOWN, "6", AT + gap)]
        found = []
        for records in (again, other):
            alerted(tmp_path, f"--calls={written(tmp_path / 'calls.jsonl', records)}")
            lines = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").replace('"6"', '"5"').splitlines()
            found.append([json.loads(line) | {"reasons": None} for line in lines])

        assert found[0] == found[1]
        assert len(found[0]) > 1


def test_a_text_that_tells_to_ring_a_known_number_gives_an_alert_whoever_sent_it(tmp_path: Path) -> None:
    """Groups, a plus and Chinese letters around it do not hide it; another text about the same digits gives none."""
    texts = [
        "您的账户异常,请致电99900770077处理",
        "您涉嫌洗钱,请立即致电+999-0077-0077配合调查",
        'Blocked. Ring "00999 0077 0077" now',
        "订单号99900770077已发货",
        "https://fine.invalid/99900770077",
    ]
    records = [
        {"id": f"m{at}", "subscriber": f"8610000077{at:03}", "peer": sender, "direction": "in", "at": AT, "text": text}
        for at, (text, sender) in enumerate(
            zip(texts, ["10690000000077", "快递通知", None, "1069", "1069"], strict=True)
        )
    ]

    who, _, _ = alerted(tmp_path, f"--sms={written(tmp_path / 'sms.jsonl', records)}")

    assert who == {f"8610000077{at:03}" for at in range(3)}
