"""Byte streams: a small file that unpacks to a large one is read piece by piece."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from streams.files import records
from streams.files.byte_streams import chunks_of, unpacked
from streams.files.records import RecordFiles
from streams.files.text_lines import FileError

MEBIBYTE = 1 << 20


def zeros(mebibytes: int) -> bytes:
    """Zeros in zstd, of which four bytes stand for 128 kB."""
    packer = zstandard.ZstdCompressor().compressobj()
    return b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(mebibytes)) + packer.flush()


def test_a_kilobyte_of_zstd_is_not_unpacked_to_all_that_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """128 kB were unpacked at once, which can stand for 4 GB."""
    sizes: list[int] = []
    plain = zstandard.ZstdDecompressor

    class Unpacker:
        """Notes how much is unpacked at once."""

        def decompressobj(self) -> Unpacker:
            """One frame."""
            self._frame = plain().decompressobj()
            return self

        @property
        def eof(self) -> bool:
            """Whether the frame is over."""
            return self._frame.eof

        @property
        def unused_data(self) -> bytes:
            """What follows the frame."""
            return self._frame.unused_data

        def decompress(self, packed: bytes) -> bytes:
            """Unpack some bytes."""
            found = self._frame.decompress(packed)
            sizes.append(len(found))
            return found

    monkeypatch.setattr(zstandard, "ZstdDecompressor", Unpacker)
    total = sum(map(len, chunks_of(unpacked(io.BytesIO(zeros(64) + zeros(1))))))

    assert total == 65 * MEBIBYTE
    assert max(sizes) <= 33 * MEBIBYTE


@pytest.mark.parametrize("packed", [gzip.compress, lambda content: zstandard.compress(content)])
def test_records_without_a_line_end_do_not_fill_the_memory(
    packed: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten megabytes of gzip can stand for a line of ten gigabytes."""
    monkeypatch.setattr(records, "LONGEST_LINE", MEBIBYTE)
    path = tmp_path / "calls.jsonl"
    path.write_bytes(packed(bytes(3 * MEBIBYTE)))
    files: RecordFiles[object] = RecordFiles(
        (path,), lambda lines: pytest.fail("nothing of it is read"), lambda line: None
    )

    with pytest.raises(FileError, match="line 1 is longer than 16 MB"):
        list(files.chunks())
