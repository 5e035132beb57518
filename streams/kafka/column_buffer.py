"""Column buffer: makes a consumer of aiokafka yield columns in the place of single records.

The worker's transport and the reading of past records (`streams.kafka.history`) both read through it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer

from streams.kafka.columns import Columns
from streams.kafka.record_batches import unpack

FETCH_AGAIN_AFTER = 0.02
"""Seconds from a fetch to the next one, while some of its records have not been taken yet."""

Readers = Mapping[str, Callable[[Columns], Any]]
"""By topic, the function that reads the content of its columns.

Shared between threads: the consumer's thread calls them, because it makes the columns, while the event loop may call
them for other columns. So a reader must keep nothing between two calls.
"""


class ColumnBuffer(OrderedDict[Any, Any]):
    """aiokafka's buffer of fetched records, changed so that each fetch of a partition yields columns.

    Belongs to the thread in whose event loop its consumer runs.
    """

    def __init__(self, readers: Readers) -> None:
        super().__init__()
        self._readers = readers

    def __setitem__(self, tp: Any, result: Any) -> None:
        """Keep the result of a fetch; errors are kept unchanged."""
        records = getattr(result, "_partition_records", None)
        if records is not None:
            records._records_iterator = unpack(records, self._readers[tp.topic])
        super().__setitem__(tp, result)


def yield_columns(consumer: AIOKafkaConsumer, readers: Readers) -> None:
    """Have a consumer that was started, and has fetched nothing yet, yield columns from now on."""
    fetching = consumer._fetcher
    fetching._records = ColumnBuffer(readers)
    # Nobody takes the fetched records of a paused partition. aiokafka then waits a tenth of a second before it
    # fetches again for the others, and that would be most of the time.
    fetching._prefetch_backoff = FETCH_AGAIN_AFTER
