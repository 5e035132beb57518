"""The risk topic: reads what stands on it, and changes it so that no decision overwrites another unseen.

Whoever changes something begins a transaction under the site's one transactional id and only then reads what stands. If
somebody else begins meanwhile, Kafka refuses the earlier one, which has then written nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError, ProducerFenced

from models.risks.risk import Risk, decode, encode
from streams.kafka.clients import started
from streams.kafka.compacted import CompactedReader
from streams.settings import Settings

TOPIC: Final = "risks"

Standing = Mapping[str, Risk]
"""The newest record of each risk, by id."""


class RiskTopicError(Exception):
    """The topic cannot be read or changed; one sentence says why and what to do."""


async def standing(settings: Settings) -> Standing:
    """All risks; records that are none are skipped. Waits until Kafka answers; raises `RiskTopicError`."""
    try:
        return await _standing(settings)
    except KafkaError as error:
        raise RiskTopicError(str(error)) from None


async def change(settings: Settings, changed: Callable[[Standing], Sequence[Risk]]) -> Sequence[Risk]:
    """Publish what ``changed`` makes of the risks that stand, all or nothing; returns it once Kafka has confirmed it.

    Waits until Kafka answers. Raises whatever ``changed`` raises. Raises `RiskTopicError` if Kafka refuses, or if
    somebody else has changed something meanwhile: nothing was written then.
    """
    try:
        producer = await started(lambda: _producer(settings), settings)
        try:
            async with producer.transaction():
                risks = changed(await _standing(settings))
                topic = settings.topic(TOPIC)
                await asyncio.gather(
                    *[await producer.send(topic, key=each.id.encode(), value=encode(each)) for each in risks]
                )
            return risks
        finally:
            await producer.stop()
    except ProducerFenced:
        raise RiskTopicError(
            "Somebody else was changing the risks at the same moment: look at them and repeat it."
        ) from None
    except IllegalOperation:  # the producer has learned of an error between two records, and names none
        raise RiskTopicError(
            "Kafka refused the change: see `forewarn topics acl` whether this login may write risks, and repeat it."
        ) from None
    except KafkaError as error:
        raise RiskTopicError(f"Kafka did not take the change ({error or type(error).__name__}): repeat it.") from None


def _producer(settings: Settings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        transactional_id=f"{settings.topic_prefix}{settings.group}.risks",
        acks="all",
        request_timeout_ms=10_000,
        **settings.aiokafka_options(),
    )


async def _standing(settings: Settings) -> Standing:
    topic = await CompactedReader.open(settings, settings.topic(TOPIC))
    try:
        found = {}
        for record in await topic.contents():
            try:
                risk = decode(record.value)
            except msgspec.MsgspecError:
                continue
            found[risk.id] = risk
        return found
    finally:
        await topic.close()
