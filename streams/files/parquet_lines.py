"""Parquet lines: a Parquet file of records, with a column for each field, as lines of JSON for the same decoder.

Whole columns are written at once; only texts with signs that JSON must escape are written one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streams.files.text_lines import FileError

MAGIC: Final = b"PAR1"
"""How every Parquet file begins."""
_AT_ONCE: Final = 8192
_ESCAPED: Final = r'["\\\x00-\x1f]'
_RECORDING: Final = frozenset({"offset", "key", "value"})
"""Columns of the files of a recording, which have other ones than a record's fields."""

_encode = msgspec.json.Encoder().encode


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does, whatever its name is; raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def parquet_lines(path: Path) -> Iterator[tuple[int, bytes, float]]:
    """Chunks of lines, one for each row, with the number of the first row and the share of the file that they are.

    Empty cells are fields that are missing. Raises `FileError` for a file that cannot be read or holds other things.
    """
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if _RECORDING.issubset(names):
                raise FileError(f"{path} is a file of a recording: give its folder with --recording")
            number, total = 1, max(file.metadata.num_rows, 1)
            for batch in file.iter_batches(_AT_ONCE):
                yield number, _lines(path, batch), len(batch) / total
                number += len(batch)
    except pa.ArrowException as error:
        raise FileError(f"{path} cannot be read as Parquet: {error}") from None


def _lines(path: Path, batch: Any) -> bytes:
    """The rows of a batch as lines of JSON, without the last line feed."""
    fields = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            written = _written(column)
        except pa.ArrowException as error:
            raise FileError(f"{path} has a column {name} that no record has: {error}") from None
        fields.append(pc.binary_join_element_wise(f"{_encode(name).decode()}:", written, ""))
    rows = pc.binary_join_element_wise(*fields, ",", null_handling="skip")
    content: bytes = pc.binary_join_element_wise("{", rows, "}\n", "").buffers()[2].to_pybytes()
    return content.removesuffix(b"\n")


def _written(column: Any) -> Any:
    """The values of a column as JSON, null where there is none."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = column.cast(pa.string())
        if not pc.any(pc.match_substring_regex(column, _ESCAPED)).as_py():
            return pc.binary_join_element_wise('"', column, '"', "")
    elif pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("ms", kind.tz), safe=False).cast(pa.int64()).cast(pa.string())
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    elif pa.types.is_floating(kind):  # pandas writes a missing number as one that is none
        return pc.if_else(pc.is_finite(column), column, None).cast(pa.string())
    values = (None if value is None else _encode(value).decode() for value in column.to_pylist())
    return pa.array(values, pa.string())
