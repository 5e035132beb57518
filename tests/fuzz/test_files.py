"""Fuzz: what people send in files: lists of indicators and model files."""

from __future__ import annotations

import gzip
import io
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from models.detection import trees
from models.detection.trees import WIDTH, Trees
from models.indicators.indicator import Indicator
from streams.files.indicator_files import Defaults, IndicatorFile, Refusal
from streams.files.text_lines import FileError
from tests.fuzz import FEW
from tests.fuzz.damage import damaged
from tests.fuzz.guarded import Guarded, plain

LISTS = (
    "+999 00 123456\nevil.example\n861700*\nevil.example/a#b\n",
    "号码,类型,有效期\n99900123456,number,2026-11-25\n'999 00 1,x,45000\n",
    "0.0.0.0 evil.example # x\n::1 localhost\n",
    "||evil.example^$third-party\n@@||bank.example^\n! x\n",
    'address=/evil.example/0.0.0.0\nlocal-zone: "evil.example" always_nxdomain\n',
    '{"value":"evil.example","type":"domain"}\n{"value":1}\n',
    "$TTL 60\n@ IN SOA a b 1 2 3 4 5\nevil.example CNAME .\n",
)
FILES = damaged(st.sampled_from([each.encode(code) for each in LISTS for code in ("utf-8", "gb18030", "utf-16")]))
PACKINGS: Any = st.sampled_from([bytes, lambda raw: gzip.compress(raw, mtime=0), zstandard.compress])


@FEW
@given(damaged(st.builds(lambda raw, pack: pack(raw), FILES, PACKINGS)))
def test_every_list_is_read_or_refused_in_a_sentence(raw: bytes) -> None:
    with suppress(FileError):
        for item in islice(IndicatorFile(io.BytesIO(raw), Defaults(scam_type="loan", source="test")), 1000):
            assert isinstance(item, Indicator | Refusal)


INDICES = st.lists(st.integers(-2, 8), max_size=7)


@FEW
@given(INDICES, INDICES, INDICES, INDICES)
def test_nodes_are_refused_or_walked_within_their_columns(
    roots: list[int], features: list[int], lefts: list[int], rights: list[int]
) -> None:
    size = len(features)
    columns = [np.array(each[:size] + [0] * (size - len(each)), dtype=np.int64) for each in (features, lefts, rights)]
    values = np.ones(size)
    try:
        starts, (asked, left, right) = np.array(roots, dtype=np.int64), columns
        model = Trees(starts, asked, values, left, right, values, 0.0, 1.0, 0.0)
    except ValueError:
        return
    rows, found = np.zeros((2, WIDTH)), np.zeros(2)
    arrays = model.roots, model.features, model.thresholds, model.lefts, model.rights, model.values

    plain(trees._walk)(Guarded(rows), *map(Guarded, arrays), 0.0, 1.0, 0.0, Guarded(found))

    assert np.isfinite(model.probabilities(rows)).all()
