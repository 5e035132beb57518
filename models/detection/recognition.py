"""Recognition: turns the events of a batch into signals, with a cheap check of all events and a closer one of a few.

Almost no event gives a signal. Prefilters over whole columns drop most events, and only the others become objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, assert_never, get_args

import numpy as np

from models.detection.kinds import (
    BANK_CALL,
    BANK_NOTICE,
    CHECK_CALL,
    CODE,
    CONTACTS,
    DOMAIN_SMS,
    LONG_CALL,
    NUMBER_CALL,
    NUMBER_CALLBACK,
    NUMBER_MISSED,
    NUMBER_REPLY,
    NUMBER_SMS,
    NUMBER_TALK,
    NUMBER_TEXT,
    ContextKind,
)
from models.detection.signals import Signal
from models.detection.transfers import Transfers
from models.events.batches import NAMED, UNREAD, Calls, Messages
from models.events.event import Call, Sms, cell_of
from models.events.named_numbers import named_numbers
from models.events.numbering import CHINA, Numbering, Sources
from models.events.scanning import OUT
from models.indicators.hotlines import HotlineKind
from models.indicators.matching import Indicators, Match
from models.indicators.numbers import hotline
from models.policy.policy import Windows
from models.texts.domains import host_of
from models.texts.extraction import LONGEST, read, read_with_traits
from models.texts.notices import Flag
from models.texts.prefilter import DISGUISE, DOT, READ


def _kind_of_hotline(kind: HotlineKind) -> ContextKind | None:
    """The kind of signal that a call to a hotline gives; None if it gives none."""
    match kind:
        case "bank":
            return BANK_CALL
        case "police" | "directory" | "authority":
            return CHECK_CALL
        case "carrier":
            return None
        case _:
            assert_never(kind)


def _kind_of_flag(flag: Flag) -> ContextKind:
    """The kind of signal that a text with a flag gives."""
    match flag:
        case "verification-code":
            return CODE
        case "bank-notice":
            return BANK_NOTICE
        case _:
            assert_never(flag)


_HOTLINE_CALLS: Final[Mapping[HotlineKind, ContextKind | None]] = {
    kind: _kind_of_hotline(kind) for kind in get_args(HotlineKind)
}
_FLAGS: Final[Mapping[Flag, ContextKind]] = {flag: _kind_of_flag(flag) for flag in get_args(Flag)}


def call_signals(calls: Calls, indicators: Indicators, windows: Windows) -> Iterator[tuple[str, Signal]]:
    """The signals of call events, with the subscriber of each, in order."""
    return ((subscriber, signal) for _, subscriber, signal in placed_call_signals(calls, indicators, windows))


def placed_call_signals(
    calls: Calls, indicators: Indicators, windows: Windows, transfers: Transfers | None = None
) -> Iterator[tuple[int, str, Signal]]:
    """The same, each with the row of its event, and those of calls with known numbers that end with others."""
    long_call = windows.long_call * 60.0
    known = indicators.numbers.may_hold(calls.peers)
    kept = known | (calls.durations >= long_call)
    if transfers is not None:
        kept |= transfers.may_end(calls, known)
    for row in np.flatnonzero(kept).tolist():
        call = calls.event(row)
        signal = call_signal(call, indicators, long_call)
        if transfers is not None and (signal is None or signal.kind not in CONTACTS):
            signal = transfers.end_of(call) or signal
        if signal is not None:
            yield row, call.subscriber, signal


def contact_kind(call: Call) -> str:
    """The kind of signal that a call with a known number gives."""
    if call.phase == "start":
        return NUMBER_CALL if call.direction == "in" else NUMBER_CALLBACK
    return NUMBER_TALK if call.duration_s > 0 else NUMBER_MISSED


def call_signal(call: Call, indicators: Indicators, long_call: float) -> Signal | None:
    """The signal of one call event, if any; ``long_call`` is the length in seconds from which any call is long."""
    match = indicators.number(call.peer, call.at)
    if match is not None:
        known = match.known
        kind = contact_kind(call)
        return Signal(
            call.at,
            kind,
            call.id,
            call.peer,
            match.key,
            known.scam_type,
            known.confidence,
            call.duration_s if kind == NUMBER_TALK else 0.0,
            cell_of(call),
        )
    hotline_kind = hotline(call.peer)
    ended = call.phase == "end"  # only an end record has a meaningful duration_s
    if hotline_kind is not None:
        hotline_call = _HOTLINE_CALLS[hotline_kind]
        if hotline_call is None or call.direction == "in":
            return None
        began = call.at - int(call.duration_s * 1000) if ended else call.at
        return Signal(began, hotline_call, call.id, call.peer, cell=cell_of(call))
    if ended and call.duration_s >= long_call:
        return Signal(call.at, LONG_CALL, call.id, call.peer, duration_s=call.duration_s, cell=cell_of(call))
    return None


def sms_signals(messages: Messages, indicators: Indicators, sources: Sources = CHINA) -> Iterator[tuple[str, Signal]]:
    """The signals of SMS events, with the subscriber of each, in order. Texts are read here and stored nowhere.

    ``sources`` say how the numbers in a text are written.
    """
    traits = messages.traits.copy()
    plain = np.flatnonzero((traits & (DOT | DISGUISE | UNREAD)) == DOT)
    if len(plain):
        kept = indicators.hosts.may_hold(messages.texts, messages.text_begins[plain], messages.text_ends[plain])
        traits[plain[~kept]] ^= DOT  # there may be a host, but no known one
    naming = indicators.text_numbers.may_hold(messages.texts, messages.text_begins, messages.text_ends)
    naming = (naming | ((traits & UNREAD) > 0)) & ((messages.kinds & OUT) == 0)
    for row in np.flatnonzero(
        indicators.numbers.may_hold(messages.peers) | ((traits & (READ | NAMED | UNREAD)) > 0) | naming
    ).tolist():
        message = messages.event(row)
        numbering = sources.numbering(int(messages.sources[row])) if naming[row] else None
        for signal in _message_signals(message, int(traits[row]), indicators, numbering):
            yield message.subscriber, signal


def _message_signals(
    message: Sms, traits: int, indicators: Indicators, numbering: Numbering | None
) -> Iterator[Signal]:
    """The signals of one SMS; ``numbering`` is None if its text names no known number."""
    match = indicators.number(message.peer, message.at)  # a sender that is no number matches none
    if match is not None:
        yield _contact(message, NUMBER_SMS if message.direction == "in" else NUMBER_REPLY, message.peer, match)
    text = (message.text or "")[:LONGEST]
    if numbering is not None:
        named = _strongest_named(text, message.at, indicators, numbering, "" if match is None else match.key)
        if named is not None:
            yield _contact(message, NUMBER_TEXT, *named)
    hosts, urls, flags = read(text) if traits & UNREAD else read_with_traits(text, traits)
    if message.direction == "in":
        for flag in flags:
            yield Signal(message.at, _FLAGS[flag], message.id, message.peer, cell=cell_of(message))
    if message.domains:
        hosts = (*normal_hosts(message.domains), *hosts)
    if hosts:
        found = strongest(hosts, urls, message.at, indicators)
        if found is not None:
            yield _contact(message, DOMAIN_SMS, *found)


def _strongest_named(
    text: str, at: int, indicators: Indicators, numbering: Numbering, sender: str
) -> tuple[str, Match] | None:
    """The match of highest confidence among the numbers that a text names, with the number; None if none is known.

    The indicator of the ``sender`` does not count, since senders sign with their own number.
    """
    found = (
        (number, match)
        for number in named_numbers(text, numbering, indicators.text_numbers)
        if (match := indicators.number(number, at)) is not None and match.key != sender
    )
    return max(found, key=lambda each: _strength(each[1]), default=None)


def normal_hosts(domains: Sequence[str]) -> Iterator[str]:
    """The hosts of the domains or URLs that a carrier found itself, normalised; those that have none are left out.

    As many are looked at as a text of `LONGEST` characters could hold.
    """
    left = LONGEST
    for domain in domains:
        left -= len(domain) + 1
        if left < 0:
            return
        with suppress(ValueError):
            yield host_of(domain)


def strongest(hosts: Sequence[str], urls: Sequence[str], at: int, indicators: Indicators) -> tuple[str, Match] | None:
    """The match of highest confidence among the hosts and URLs of one message, with what matched.

    That is the host, or the longest listed URL that covers the link. The link itself may have a person's token in it.
    """
    found = [*_matching_hosts(hosts, at, indicators)]
    if urls and indicators.knows_urls:
        matches = ((url, indicators.url(url, at)) for url in urls)
        found += ((indicators.listed(url), match) for url, match in matches if match is not None)
    return _strongest(found)


def strongest_hashed(
    hosts: Sequence[str], paths: Sequence[int], at: int, indicators: Indicators
) -> tuple[str, Match] | None:
    """The same of a message whose URLs are known by their hashes only (`models.indicators.path_hashes`)."""
    return _strongest([*_matching_hosts(hosts, at, indicators), *indicators.hashed_links(paths, at)])


def _matching_hosts(hosts: Sequence[str], at: int, indicators: Indicators) -> Iterator[tuple[str, Match]]:
    matches = ((host, indicators.host(host, at)) for host in hosts)
    return ((host, match) for host, match in matches if match is not None)


def _strongest(found: Sequence[tuple[str, Match]]) -> tuple[str, Match] | None:
    return max(found, key=lambda each: _strength(each[1]), default=None)


def _strength(match: Match) -> tuple[int, str]:
    return match.known.confidence, match.key


def match_again(signal: Signal, indicators: Indicators) -> Match | None:
    """The match of a contact whose indicator is gone, if any. For an SMS, only what matched of its links is known."""
    if signal.kind != DOMAIN_SMS:
        return indicators.number(signal.peer, signal.at)
    try:
        host = host_of(signal.peer)
    except ValueError:  # an IPv6 address
        host = signal.peer
    urls = (signal.peer,) if "/" in signal.peer or "?" in signal.peer else ()
    found = strongest((host,), urls, signal.at, indicators)
    return None if found is None else found[1]


def _contact(message: Sms, kind: str, peer: str, match: Match) -> Signal:
    known = match.known
    about = known.scam_type, known.confidence, 0.0, cell_of(message)
    return Signal(message.at, kind, message.id, peer, match.key, *about)
