"""Recording: the city's events as the records of `topics.yaml`, one JSON object per line.

All records are written here, those of gangs and those of ordinary life, so that all have the same fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from models.base.durations import HOUR
from models.city.acting import RING_MS, Happening
from models.city.chance import BEGIN, numpy_of
from models.city.life import ORDINARY, CallColumns, SmsColumns
from models.city.population import Population

_UNANSWERED_MS: Final = 3 * RING_MS
_STRIDE: Final = 0x9E3779B97F4B
_MASK: Final = (1 << 48) - 1
_ELSEWHERE: Final = 0.12
"""The share of records from cells other than home or work."""

_START, _END = 0, 1


class RecordWriter:
    """Writes the records hour by hour; records that fall into a later hour (such as a call's end) wait here.

    ``lines`` are the numbers that adverts name.
    """

    def __init__(self, population: Population, seed: int, lines: Sequence[int]) -> None:
        self._population = population
        self._seed = seed
        self._lines = lines
        self._count = 0
        self._numbers: list[int] = population.numbers[: len(population)].tolist()
        self._calls_later: list[Any] = [np.empty(0, dtype=np.int64) for _ in range(8)]
        self._sms_later: list[Any] = [np.empty(0, dtype=np.int64) for _ in range(6)]

    def hour(
        self, hour: int, calls: CallColumns, sms: SmsColumns, happened: Sequence[Happening]
    ) -> tuple[list[str], list[str]]:
        """The lines of an hour's calls and SMS, in event time; records with equal times are ordered by id."""
        rng = numpy_of(self._seed, "records", hour)
        upto = BEGIN + (hour + 1) * HOUR
        return (
            self._call_lines([each for each in happened if each.talk_s >= 0], calls, hour, upto, rng),
            self._sms_lines([each for each in happened if each.talk_s < 0], sms, hour, upto, rng),
        )

    def _call_lines(self, more: Sequence[Happening], calls: CallColumns, hour: int, upto: int, rng: Any) -> list[str]:
        at, person, peer = _with(calls.at, [each.at for each in more]), *self._whose(calls, more)
        is_out = _with(calls.is_out, [each.is_out for each in more])
        talk = _with(calls.talk_s, [each.talk_s for each in more])
        ids, cells = self._ids(len(at)), self._cells(person, hour, rng)
        ends = at + np.where(talk > 0, RING_MS + talk * 1000, _UNANSWERED_MS)
        begun = [at, ids, person, peer, is_out, np.full(len(at), _START), talk, cells]
        ended = [ends, ids, person, peer, is_out, np.full(len(at), _END), talk, cells]
        columns = [np.concatenate(three) for three in zip(self._calls_later, begun, ended, strict=True)]
        now, self._calls_later = _split(columns, upto)
        numbers = self._numbers
        lines = []
        for at_, id_, who, whom, out, phase, talk_s, cell in zip(*(each.tolist() for each in now), strict=True):
            rest = f'"end","at":{at_},"duration_s":{talk_s}' if phase else f'"start","at":{at_}'
            lines.append(
                f'{{"id":"c{id_:012x}","subscriber":"{numbers[who]}","peer":"{whom}",'
                f'"direction":"{"out" if out else "in"}","phase":{rest},"cell":"001-01-{cell // 3}-{cell % 3}"}}\n'
            )
        return lines

    def _sms_lines(self, more: Sequence[Happening], sms: SmsColumns, hour: int, upto: int, rng: Any) -> list[str]:
        forms = [*_FORMS, *(_form(each.text) for each in more)]
        at, person, peer = _with(sms.at, [each.at for each in more]), *self._whose(sms, more)
        is_out = _with(sms.is_out, [each.is_out for each in more])
        texts = _with(sms.text, range(len(_FORMS), len(forms)))
        sent = [at, self._ids(len(at)), person, peer, is_out, texts]
        now, self._sms_later = _split([np.concatenate(two) for two in zip(self._sms_later, sent, strict=True)], upto)
        cells = self._cells(now[2], hour, rng).tolist()
        figures = rng.integers(10**8, size=len(cells)).tolist()
        numbers, named = self._numbers, self._lines
        lines = []
        for (at_, id_, who, whom, out, text), cell, figure in zip(
            zip(*(each.tolist() for each in now), strict=True), cells, figures, strict=True
        ):
            form, sizes = forms[text]
            said = (
                form % tuple(figure * size // 7 % size if size else named[figure % len(named)] for size in sizes)
                if sizes
                else form
            )
            lines.append(
                f'{{"id":"m{id_:012x}","subscriber":"{numbers[who]}","peer":"{whom}",'
                f'"direction":"{"out" if out else "in"}","at":{at_},"text":"{said}",'
                f'"cell":"001-01-{cell // 3}-{cell % 3}"}}\n'
            )
        return lines

    def _whose(self, columns: CallColumns | SmsColumns, more: Sequence[Happening]) -> tuple[Any, Any]:
        return _with(columns.person, [each.person for each in more]), _with(columns.peer, [each.peer for each in more])

    def _ids(self, count: int) -> Any:
        """Ids without any meaning: events that are close in time get distant ids."""
        index = np.arange(self._count, self._count + count, dtype=np.uint64)
        self._count += count
        return ((index * np.uint64(_STRIDE)) & np.uint64(_MASK)).astype(np.int64)

    def _cells(self, person: Any, hour: int, rng: Any) -> Any:
        """Where people are: at work in working hours, else at home, or sometimes anywhere. A cell has three sectors."""
        day, into = divmod(hour, 24)
        population = self._population
        usual = population.works if day % 7 < 5 and 9 <= into < 18 else population.homes
        cells = usual[person].astype(np.int64)
        away = rng.random(len(person)) < _ELSEWHERE
        cells[away] = rng.integers(population.homes.max() + 1, size=int(away.sum()))
        return cells * 3 + person % 3


def _with(column: Any, more: Any) -> Any:
    return np.concatenate((column, np.array([*more], dtype=column.dtype)))


def _split(columns: list[Any], upto: int) -> tuple[list[Any], list[Any]]:
    """The rows before a time, sorted by time, and the remaining rows."""
    due = columns[0] < upto
    now = [column[due] for column in columns]
    order = np.lexsort((now[1], now[0]))
    return [column[order] for column in now], [column[~due] for column in columns]


def _form(text: str) -> tuple[str, tuple[int, ...]]:
    r"""A text in JSON as a format string, and how many values each placeholder can take; 0 stands for a named line.

    >>> _form("code {n4}, 5 %"), _form("ring {line}"), _form('"now"')
    (('code %04d, 5 %%', (10000,)), ('ring %d', (0,)), ('\\"now\\"', ()))
    """
    text = json.dumps(text, ensure_ascii=False)[1:-1]
    sizes = tuple(10 ** int(size) if size else 0 for size in re.findall(r"{(?:n(\d)|line)}", text))
    form = re.sub(r"{n(\d)}", r"%0\1d", text.replace("%", "%%")).replace("{line}", "%d")
    return (form, sizes) if sizes else (text, ())


_FORMS: Final = [_form(text) for text in ORDINARY]
