"""Pseudonymising: puts other numbers, ids and names in the place of those in the values that a recording keeps.

Numbers keep what matching needs (`models.indicators.pseudonyms`). Cells and the words of alerts are left out; hosts and
links stay, because indicators match them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from models.detection.alerts import Alert, Reason
from models.detection.kept_texts import KeptTexts
from models.detection.signals import Purge, SignalRecord
from models.events.numbering import Numbering, Sources
from models.indicators.indicator import encode as encode_indicator
from models.indicators.indicator import parse
from models.indicators.pseudonyms import Pseudonyms
from streams.kafka.publishing import HEARTBEAT, PURGE
from streams.kafka.reference_data import SubscriberRecord
from streams.recording.keeping import KeptCall, KeptFeedback, KeptMessage

Rename = Callable[[bytes, bytes], tuple[bytes, bytes]]
"""Makes the key and the value of a kept record those that are recorded."""

_MOST_REMEMBERED = 1 << 16
_encode = msgspec.json.Encoder().encode


class Pseudonymiser:
    """Renames kept records of all topics under one key; ``sources`` say how numbers are written."""

    def __init__(self, names: Pseudonyms, sources: Sources) -> None:
        self._names = names
        self._sources = sources
        self._texts = KeptTexts(names.number)
        self._peer = lru_cache(maxsize=_MOST_REMEMBERED)(self._renamed_peer)
        self.of: Mapping[str, Rename] = {
            "calls": self._event(KeptCall, lambda call: {}),
            "sms": self._event(KeptMessage, self._text),
            "signals": self._signal,
            "alerts": self._alert,
            "dispatch-feedback": self._feedback,
            "indicators": self._indicator,
            "subscribers": self._subscriber,
        }

    def _event(self, kind: type[Any], more: Callable[[Any], Mapping[str, Any]]) -> Rename:
        decode = msgspec.json.Decoder(kind).decode

        def rename(key: bytes, value: bytes) -> tuple[bytes, bytes]:
            event = decode(value)
            subscriber = self._names.number(event.subscriber)
            peer = event.peer and self._peer(event.peer, self._numbering(event))
            named = {"id": self._names.name(event.id), "subscriber": subscriber, "peer": peer, "cell": ""}
            return subscriber.encode(), _encode(replace(event, **named, **more(event)))

        return rename

    def _text(self, sms: KeptMessage) -> Mapping[str, Any]:
        if not sms.text:
            return {}
        return {"text": self._texts.of(sms.text, self._numbering(sms) if sms.direction == "in" else None).text}

    def _numbering(self, event: KeptCall | KeptMessage) -> Numbering:
        return self._sources.numbering(self._sources.code(event.source))

    def _renamed_peer(self, written: str, numbering: Numbering) -> str:
        """Another peer, written so that it is read as the pseudonym; one that says that nobody is known stays."""
        try:
            number = numbering.peer(written)
        except ValueError:  # a name or an address
            return self._names.name(written)
        if not number:
            return written
        pseudonym = self._names.number(number)
        return next((each for each in (pseudonym, f"+{pseudonym}") if _reads(each, numbering) == pseudonym), pseudonym)

    def _signal(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        if key == HEARTBEAT:
            return key, value
        number, name = self._names.number, self._names.name
        if key == PURGE:
            purge = msgspec.json.decode(value, type=Purge)
            return key, _encode(replace(purge, id=name(purge.id), subscriber=number(purge.subscriber)))
        signal = msgspec.json.decode(value, type=SignalRecord)
        subscriber = number(signal.subscriber)
        named = {"id": name(signal.id), "subscriber": subscriber, "event": name(signal.event)}
        about = {"peer": self._number_or_host(signal.peer), "indicator": self._key(signal.indicator)}
        return subscriber.encode(), _encode(replace(signal, **named, **about))

    def _alert(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        alert, name = msgspec.json.decode(value, type=Alert), self._names.name
        subscriber = self._names.number(alert.subscriber)
        reasons = tuple(Reason(each.code, "", "", tuple(map(name, each.events))) for each in alert.reasons)
        named = {"id": name(alert.id), "episode": name(alert.episode), "subscriber": subscriber, "cell": ""}
        indicators = tuple(map(self._key, alert.indicators))
        return subscriber.encode(), _encode(replace(alert, **named, reasons=reasons, indicators=indicators))

    def _feedback(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        report = msgspec.json.decode(value, type=KeptFeedback)
        case = self._names.name(report.case)
        return case.encode(), _encode(replace(report, case=case, id=self._names.name(report.id)))

    def _indicator(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        found = parse(value)
        renamed = replace(found, value=self._key(found.key).removeprefix(f"{found.type}:"), case=None)
        return renamed.key.encode(), encode_indicator(renamed)

    def _subscriber(self, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        found = msgspec.json.decode(value, type=SubscriberRecord)
        subscriber = self._names.number(found.subscriber)
        return subscriber.encode(), _encode(replace(found, subscriber=subscriber))

    def _key(self, indicator: str) -> str:
        """The key of an indicator with its pseudonym; domains and URLs stay."""
        kind, _, value = indicator.partition(":")
        if kind == "number":
            return f"{kind}:{self._names.number(value)}"
        return f"{kind}:{self._names.prefix(value)}" if kind == "number-prefix" else indicator

    def _number_or_host(self, peer: str) -> str:
        return self._names.number(peer) if peer.isdigit() else peer


def _reads(written: str, numbering: Numbering) -> str:
    try:
        return numbering.peer(written)
    except ValueError:
        return ""
