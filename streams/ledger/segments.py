"""Segments: rows of contacts as Parquet files sorted by key, each with what the worker knew when it scored them.

Any Parquet reader can open them; `docs/ledger.md` has the columns. Because the rows are sorted, the least and greatest
keys of the row groups are enough to find a key.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.base.formats import NewerFormatError, check_format
from models.indicators.path_hashes import PathHashes
from models.lookback.contacts import Rows
from streams.ledger.storage import LedgerError

ROW_GROUP: Final = 1 << 16
"""Rows of a row group, the smallest part of a file that is read for a key."""

SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("subscriber", pa.int64(), nullable=False),
        pa.field("peer", pa.int64()),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("what", pa.uint8(), nullable=False),
        pa.field("duration_s", pa.float64()),
        pa.field("event", pa.string(), nullable=False),
        pa.field("links", pa.string()),
        pa.field("template", pa.int64()),
        pa.field("paths", pa.list_(pa.field("item", pa.int64(), nullable=False))),
    ]
)
"""Columns of a segment, as in `models.lookback.contacts.Rows`. A missing duration is null, and so is a peer that
equals the key."""

_PATHS: Final = SCHEMA.get_field_index("paths")
_SCHEMAS: Final = {1: SCHEMA.remove(_PATHS), 2: SCHEMA}
"""The columns of each format. In format 1, ``links`` has the hosts and then the whole links of an SMS."""

KNOWN: Final = b"forewarn.known"
"""Key of the metadata that holds a segment's `Knowledge`."""

FORMAT: Final = 2
"""The format of the files that this version writes; it reads this one and all before it."""

_FORMAT_KEY: Final = b"forewarn.format"
"""Key of the metadata that holds the number of the format; files from before there were numbers have none."""


class Knowledge(msgspec.Struct, frozen=True):
    """How far other topics had been read, at least, when the rows of a segment were scored.

    Later records of those topics are what the rows missed.
    """

    indicators: dict[int, int] = {}
    """The offset before which each partition of the indicators was known."""
    signals: int = 0
    """The same for the partition's own signals from earlier look-backs."""


def least(some: Sequence[Knowledge]) -> Knowledge:
    """The knowledge that all of them had."""
    numbers = set().union(*(each.indicators for each in some))
    indicators = {number: min(each.indicators.get(number, 0) for each in some) for number in numbers}
    return Knowledge(indicators, min((each.signals for each in some), default=0))


_encode = msgspec.json.Encoder().encode
_decode_known = msgspec.json.Decoder(Knowledge).decode


_DAMAGED: Final = (
    *(pa.ArrowException, OSError, LookupError, AttributeError),
    *(ArithmeticError, TypeError, ValueError),
)
"""What reading the footer of a damaged file may raise."""


class NoSegmentError(Exception):
    """A file is not a segment of the ledger, or it is damaged."""


def table_of(some: Sequence[Rows]) -> pa.Table:
    """The rows as one table, sorted by key."""
    keys = np.concatenate([rows.keys for rows in some])
    peers = np.concatenate([rows.peers for rows in some])
    durations = np.concatenate([rows.durations for rows in some])
    ids = _strings([(rows.ids, rows.id_ends) for rows in some])
    links = pa.concat_arrays(
        [
            pa.nulls(len(rows), pa.string())
            if rows.links is None or rows.link_ends is None
            else _strings([(rows.links, rows.link_ends)])
            for rows in some
        ]
    )
    templates = pa.concat_arrays(
        [pa.nulls(len(rows), pa.int64()) if rows.templates is None else pa.array(rows.templates) for rows in some]
    )
    paths = pa.concat_arrays([_paths_of(rows) for rows in some])
    table = pa.Table.from_arrays(
        [
            pa.array(keys),
            pa.array(np.concatenate([rows.subscribers for rows in some])),
            pa.array(peers, mask=peers == keys),
            pa.array(np.concatenate([rows.times for rows in some])),
            pa.array(np.concatenate([rows.whats for rows in some])),
            pa.array(durations, mask=durations < 0),
            ids,
            links,
            templates,
            paths,
        ],
        schema=SCHEMA,
    )
    return table.take(pa.array(np.argsort(keys)))


def _paths_of(rows: Rows) -> pa.Array:
    kind = SCHEMA.field("paths").type
    if rows.paths is None or rows.path_ends is None:
        return pa.nulls(len(rows), kind)
    ends = np.concatenate(([0], rows.path_ends)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.paths), type=kind)


def _strings(parts: Sequence[tuple[Any, Any]]) -> pa.Array:
    """One array of strings from several UTF-8 buffers, each given with the offsets at which its strings end."""
    sizes = [int(ends[-1]) if len(ends) else 0 for _, ends in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    ends = np.concatenate([[0], *(ends + start for (_, ends), start in zip(parts, starts, strict=True))])
    text = np.concatenate([buffer for buffer, _ in parts])
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(text))


def writer(to: Any, known: Knowledge) -> pq.ParquetWriter:
    """A Parquet writer for sorted tables, which stores ``known`` in the metadata."""
    return pq.ParquetWriter(
        to,
        SCHEMA.with_metadata({KNOWN: _encode(known), _FORMAT_KEY: str(FORMAT)}),
        compression="zstd",
        compression_level=1,
        use_dictionary=["what", "duration_s"],
        column_encoding={
            "key": "DELTA_BINARY_PACKED",
            "peer": "DELTA_BINARY_PACKED",
            "at": "DELTA_BINARY_PACKED",
            "subscriber": "DELTA_BINARY_PACKED",
        },
        write_statistics=["key"],
    )


def written(table: pa.Table, known: Knowledge) -> pa.Buffer:
    """The bytes of a segment's file with the rows of a sorted table."""
    to = pa.BufferOutputStream()
    with writer(to, known) as parquet:
        parquet.write_table(table, row_group_size=ROW_GROUP)
    return to.getvalue()


class SegmentFile:
    """An open segment; a context manager.

    ``hashes`` are those of the site's links. They are only needed to read the links of a file of format 1, whose rows
    come out as those of the present format.

    Raises `NoSegmentError` for a file that is no segment or is cut off, and `LedgerError` for one that was written by a
    newer version, which must not be set aside.
    """

    def __init__(self, opened: Any, hashes: PathHashes | None = None) -> None:
        self._opened = opened
        self._hashes = hashes
        try:
            self._parquet = pq.ParquetFile(opened)
            said = self._parquet.schema_arrow.metadata or {}
            self.format = int(said.get(_FORMAT_KEY, b"1"))
            check_format("A segment of the ledger", self.format, FORMAT)
            if not self._parquet.schema_arrow.equals(_SCHEMAS[self.format]):
                raise NoSegmentError("its columns are not a segment's")
            self.known: Knowledge = _decode_known(said[KNOWN])
            groups = [self._parquet.metadata.row_group(number) for number in range(self._parquet.num_row_groups)]
            bounds = [group.column(0).statistics for group in groups]
            self.lows = np.array([each.min for each in bounds], dtype=np.int64)
            """The least key of each row group."""
            self.highs = np.array([each.max for each in bounds], dtype=np.int64)
            """The greatest key of each row group."""
        except NoSegmentError:
            opened.close()
            raise
        except NewerFormatError as error:
            opened.close()
            raise LedgerError(str(error)) from None
        except _DAMAGED as error:
            opened.close()
            raise NoSegmentError(str(error).splitlines()[0][:200]) from None

    def __enter__(self) -> SegmentFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._parquet.close()
        self._opened.close()

    def __len__(self) -> int:
        return int(self._parquet.metadata.num_rows)

    @property
    def row_groups(self) -> int:
        """The number of row groups."""
        return int(self._parquet.num_row_groups)

    def read(self, groups: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of some row groups; raises `NoSegmentError` when they are damaged.

        Raises `LedgerError` when they have whole links and there are no ``hashes``.
        """
        wanted = SCHEMA.names if columns is None else columns
        there = [name for name in wanted if name in _SCHEMAS[self.format].names]
        try:
            table = self._parquet.read_row_groups(list(groups), columns=there, use_threads=False)
        except (pa.ArrowException, OSError, io.UnsupportedOperation) as error:
            raise NoSegmentError(str(error).splitlines()[0][:200]) from None
        if "paths" in wanted and self.format == 1:
            table = self._with_hashes(table)
        return table.select(wanted)

    def _with_hashes(self, table: pa.Table) -> pa.Table:
        """Rows of format 1, with the hosts and hashes of their links instead of the links."""
        if self._hashes is None:
            raise LedgerError(
                "A segment of the ledger has whole links from an earlier version. To read them, the site secret is "
                "needed: set FOREWARN_SECRET_FILE to its file."
            )
        links = table.column("links").combine_chunks().dictionary_encode()
        each = [text.split(" ") for text in links.dictionary.to_pylist()]
        hosts = pa.array([" ".join(one for one in some if "://" not in one) for some in each], pa.string())
        paths = [self._hashes.of_links(one for one in some if "://" in one) for some in each]
        table = table.set_column(
            table.schema.get_field_index("links"), SCHEMA.field("links"), hosts.take(links.indices)
        )
        return table.append_column(
            SCHEMA.field("paths"), pa.array(paths, SCHEMA.field("paths").type).take(links.indices)
        )
