"""Letters: made-up refused records and their dead letters, as they are found in their topic."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from models.events.event import Refusal
from models.events.numbering import Numbering, Sources
from streams.kafka.columns import Record
from streams.kafka.found_letters import Found
from streams.kafka.letters import DeadLetters, refused
from streams.settings import Settings
from tests.site import LETTERS_KEY, call

SITE = Settings(topic_prefix="north.", letters_recipient=LETTERS_KEY.recipient)
HARBOUR = Sources(Numbering(), {"harbour": Numbering(country_code="852", trunk_prefix="")})
"""A contract that declares one source, whose national numbers are those of Hong Kong."""
AT = 1_773_625_200_000
ANN = "8610000000001"


def call_record(offset: int, at: int = AT, topic: str = "calls", key: str = ANN, **fields: Any) -> Record:
    """A call record that arrived a second after its event."""
    value = json.dumps(call(ANN, at, **fields)).encode()
    return Record(SITE.topic(topic), 3, offset, at + 1000, key.encode(), value, (("trace", b"1"),))


def found(record: Record, reason: str = "impossible-number", offset: int = 17) -> Found:
    """The letter of a record, at this offset of partition 2 of ``dead-letters``."""
    (letter,) = DeadLetters(SITE, HARBOUR).of([refused(record, Refusal(0, reason, "The peer is no number."))])
    place = {"topic": letter.topic, "partition": 2, "offset": offset, "timestamp": letter.timestamp}
    return Found.of(SimpleNamespace(**place, key=letter.key, value=letter.value, headers=letter.headers))
