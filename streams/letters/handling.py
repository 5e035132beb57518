"""Handling: sends records back to their topics, or sets letters aside, and notes each of them in the same transaction.

Whoever handles letters begins a producer under the site's one transactional id and only then reads what was done
before. So a record is noted if and only if it was sent, wherever the command is killed. If somebody else begins
meanwhile, Kafka refuses the earlier one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from streams.kafka.found_letters import Found, LettersError, letters_of
from streams.kafka.letters import Envelope, Letter
from streams.letters.choosing import Choice, chosen
from streams.letters.handled import TOPIC, Decision, Handled, encode, handled_letters
from streams.letters.judging import Judge
from streams.settings import Settings

T = TypeVar("T")

REDRIVEN: Final = "forewarn.redriven"
"""The header of a record that was sent back: the partition and offset of its dead letter."""
AT_ONCE: Final = 100
"""Letters in one transaction. Readers of the topics wait while one is open, so it is short."""
_TRANSACTION_MS: Final = 10_000
"""For how long at most a transaction stays open when the command was killed in it."""


class Ready(NamedTuple):
    """A letter whose record would be read now."""

    letter: Found
    record: Envelope


@dataclass
class Tally:
    """What became of the letters that were looked at."""

    done: int = 0
    """Sent back, or ready for it where nothing is sent."""
    left: Counter[str] = field(default_factory=Counter)
    """Those that stay, by the reason."""
    is_bounded: bool = False
    """Whether further letters may follow that were not looked at."""


async def waiting(settings: Settings, choice: Choice) -> AsyncGenerator[Found, None]:
    """The chosen letters about which nothing was done before this is asked. Raises `LettersError`."""
    handled = await handled_letters(settings)
    async with aclosing(letters_of(settings)) as letters:
        async for letter in chosen(letters, choice):
            if letter.origin not in handled:
                yield letter


async def ready(letters: AsyncIterator[Found], judge: Judge, limit: int, tally: Tally) -> AsyncGenerator[Ready, None]:
    """The first letters whose records would be read now, at most ``limit``; ``tally`` counts those that stay."""
    count = 0
    async for letter in letters:
        record = judge.record(letter)
        if isinstance(record, str):
            tally.left[record] += 1
        elif count == limit:
            tally.is_bounded = True
            return
        else:
            count += 1
            yield Ready(letter, record)


async def foreseen(settings: Settings, choice: Choice, judge: Judge, limit: int) -> Tally:
    """What `redrive` would do now; nothing is sent. Raises `LettersError`."""
    tally = Tally()
    async with aclosing(waiting(settings, choice)) as letters:
        async for _ in ready(letters, judge, limit, tally):
            tally.done += 1
    return tally


async def redrive(
    settings: Settings, choice: Choice, judge: Judge, limit: int, decision: Decision, told: Callable[[int], object]
) -> Tally:
    """Send the records of chosen letters back to their topics; ``told`` gets the count of each transaction.

    Raises `LettersError`; what was told before then stands.
    """
    tally = Tally()
    async with _Transactions(settings) as transactions, aclosing(waiting(settings, choice)) as letters:
        async for some in _pieces(ready(letters, judge, limit, tally)):
            sent = [sent_again(*each) for each in some]
            await transactions.commit([*sent, *(_noted(settings, each.letter, decision) for each in some)])
            tally.done += len(some)
            told(len(some))
    return tally


async def count_waiting(settings: Settings, choice: Choice) -> int:
    """How many letters `discard` would set aside now. Raises `LettersError`."""
    async with aclosing(waiting(settings, choice)) as letters:
        return len([None async for _ in letters])


async def discard(settings: Settings, choice: Choice, decision: Decision, told: Callable[[int], object]) -> int:
    """Note that nothing more is to be done about the chosen letters, and count them; they stay in Kafka.

    Raises `LettersError` as `redrive` does.
    """
    done = 0
    async with _Transactions(settings) as transactions, aclosing(waiting(settings, choice)) as letters:
        async for some in _pieces(letters):
            await transactions.commit([_noted(settings, letter, decision) for letter in some])
            done += len(some)
            told(len(some))
    return done


def sent_again(letter: Found, record: Envelope) -> Letter:
    """A record as its sender wrote it, with one more header; its key leads to its subscriber's partition."""
    headers = [(name, value) for name, value in record.headers if name != REDRIVEN]
    headers.append((REDRIVEN, f"{letter.partition}:{letter.offset}".encode()))
    return Letter(letter.origin.topic, record.key, record.value, headers)


def _noted(settings: Settings, letter: Found, decision: Decision) -> Letter:
    handled = Handled.of(letter.origin, decision)
    return Letter(settings.topic(TOPIC), handled.key, encode(handled))


async def _pieces(items: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    """The items, `AT_ONCE` at a time."""
    some: list[T] = []
    async for item in items:
        some.append(item)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


class _Transactions:
    """A transactional producer; a context manager. Starting it ends what a killed command left unfinished."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = AIOKafkaProducer(
            acks="all",
            transactional_id=f"{settings.topic_prefix}{settings.group}.letters",
            transaction_timeout_ms=_TRANSACTION_MS,
            max_request_size=3_000_000,
            request_timeout_ms=10_000,
            **settings.aiokafka_options(),
        )

    async def __aenter__(self) -> _Transactions:
        try:
            await self._producer.start()
        except KafkaError as error:
            await self._producer.stop()
            raise self._failed(error) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def commit(self, records: Sequence[Letter]) -> None:
        """Publish these records, all or none; returns once Kafka has confirmed them."""
        try:
            async with self._producer.transaction():
                sent = [
                    await self._producer.send(each.topic, each.value, key=each.key, headers=list(each.headers))
                    for each in records
                ]
                await asyncio.gather(*sent)
        except ProducerFenced:
            raise LettersError(
                "Somebody else began to work with the letters: run it again when they are done."
            ) from None
        except IllegalOperation:  # the producer has learned of an error between two records, and names none
            raise LettersError(
                "Kafka refused it: see `forewarn topics acl` whether this login may write there, and run it again."
            ) from None
        except KafkaError as error:
            raise self._failed(error) from None

    def _failed(self, error: KafkaError) -> LettersError:
        said = str(error) or type(error).__name__
        return LettersError(f"Kafka at {self._settings.kafka} did not take it ({said}): run it again.")
