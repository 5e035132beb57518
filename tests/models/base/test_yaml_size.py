"""YAML size: no file that people write stands for much more than its bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.base.yaml_size import MOST_NODES, YamlSizeError, check_size
from models.casework import routing
from models.policy import policy
from streams.files import playbook_files, scam_scripts
from streams.kafka.contracts import reading
from tests.casework import ROOT

DOUBLING = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 7)
)
"""Seven lines that stand for eleven million values."""
MERGING = "a0: &a0 {k: 1, l: 2}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}\n" for level in range(1, 7)
)


def topics(content: bytes) -> str:
    """What is wrong with a file of topics."""
    path = Path("topics.yaml")
    path.write_bytes(content)
    return "".join(map(str, reading.read(path)[1]))


READERS: dict[str, Callable[[bytes], object]] = {
    "policy": policy.parse,
    "stations": routing.parse,
    "playbook": lambda content: playbook_files.parse(content, "loan.yaml"),
    "scam script": lambda content: scam_scripts.parse(content, "loan.yaml"),
    "topics": topics,
}


@pytest.mark.parametrize("bomb", [DOUBLING, MERGING, "a: &a [*a]\n"], ids=["lists", "merges", "circle"])
@pytest.mark.parametrize("name", READERS)
def test_aliases_that_multiply_are_refused_in_every_file(
    name: str, bomb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        said = str(READERS[name](bomb.encode()))
    except ValueError as error:
        said = str(error)

    assert f"more than {MOST_NODES:,} values, each alias counted" in said


def test_a_few_aliases_are_fine_but_none_within_itself() -> None:
    check_size("a: &a [1, 2]\nb: &b [*a, *a]\nc: *b\n")
    for path in ROOT.glob("*.yaml"):
        check_size(path.read_bytes())

    with pytest.raises(YamlSizeError):
        check_size("a: &a 1\nb: &a [*a]\n")
