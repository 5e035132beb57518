"""Recognition: which signals calls and SMS give."""

from __future__ import annotations

import pytest

from models.base.durations import MINUTE, SECOND
from models.detection.recognition import call_signals, match_again, sms_signals
from models.detection.signals import Signal
from models.events.event import Call, Sms
from models.indicators.matching import Indicators
from tests.strategies import (
    ANN,
    BANK,
    BO,
    CODE_TEXT,
    CROOK,
    EVIL,
    FRIEND,
    NOTICE_TEXT,
    POLICE,
    POLICY,
    T0,
    calls_of,
    end,
    indicator,
    known,
    messages_of,
    sms,
    start,
)


def of_calls(*calls: Call, indicators: Indicators | None = None) -> list[Signal]:
    """The signals that these calls give."""
    return [signal for _, signal in call_signals(calls_of(calls), indicators or known(), POLICY.windows)]


def of_sms(*messages: Sms, indicators: Indicators | None = None) -> list[Signal]:
    """The signals that these SMS give."""
    return [signal for _, signal in sms_signals(messages_of(messages), indicators or known())]


def codes(signals: list[Signal]) -> list[str]:
    """The kinds of these signals."""
    return [signal.kind for signal in signals]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (start("c", 0), "fraud-number-call"),
        (start("c", 0, direction="out"), "fraud-number-callback"),
        (end("c", 0, 61), "fraud-number-talk"),
        (end("c", 0, 61, direction="out"), "fraud-number-talk"),
        (end("c", 0, 0), "fraud-number-missed"),
        (start("c", 0, peer=POLICE, direction="out"), "check-call"),
        (start("c", 0, peer="8675596110", direction="out"), "check-call"),
        (start("c", 0, peer="114", direction="out"), "check-call"),
        (start("c", 0, peer="12345", direction="out"), "check-call"),
        (start("c", 0, peer=BANK, direction="out"), "bank-call"),
        (end("c", 0, 10 * 60, peer=FRIEND), "long-call"),
    ],
)
def test_a_call_gives_its_signal(call: Call, code: str) -> None:
    assert codes(of_calls(call)) == [code]


@pytest.mark.parametrize(
    "call",
    [
        start("c", 0, peer=FRIEND),
        end("c", 0, 10 * 60 - 1, peer=FRIEND),
        start("c", 0, peer=BANK),
        end("c", 0, 3000, peer=BANK),
        start("c", 0, peer="10086", direction="out"),
        end("c", 0, 3000, peer="10086", direction="out"),
        Call("c", ANN, FRIEND, "in", "start", T0, 3000.0),
    ],
    ids=["friend", "shorter", "bank rings", "bank talks", "carrier", "long with carrier", "start with a duration"],
)
def test_a_call_that_means_nothing_gives_none(call: Call) -> None:
    assert of_calls(call) == []


def test_a_signal_names_its_indicator_and_how_sure_it_is() -> None:
    assert of_calls(end("c", 0, 61.5)) == [
        Signal(T0, "fraud-number-talk", "c", CROOK, f"number:{CROOK}", "loan", 100, 61.5)
    ]
    assert of_calls(start("c", 0, peer="99900551234")) == [
        Signal(T0, "fraud-number-call", "c", "99900551234", "number-prefix:9990055", "loan", 80)
    ]


def test_a_hotline_call_counts_from_its_beginning_by_either_record() -> None:
    both = of_calls(start("c", 0, peer=BANK, direction="out"), end("c", 70 * SECOND, 60, peer=BANK, direction="out"))

    assert [signal.at - T0 for signal in both] == [0, 10 * SECOND]


def test_signals_come_in_the_order_of_their_calls_with_their_subscribers() -> None:
    calls = [start("1", 0), start("2", 1, peer=FRIEND), start("3", 2, subscriber=BO, peer="99900551234"), start("4", 3)]

    for indicators in (known(), Indicators([indicator("number", CROOK), indicator("number", "99900551234")])):
        found = list(call_signals(calls_of(calls), indicators, POLICY.windows))
        assert [(who, signal.event) for who, signal in found] == [(ANN, "1"), (BO, "3"), (ANN, "4")]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (sms("m", 0, "hello", peer=CROOK), ["fraud-number-sms"]),
        (sms("m", 0, "yes", peer=CROOK, direction="out"), ["fraud-number-reply"]),
        (sms("m", 0, peer="99900551234"), ["fraud-number-sms"]),
        (sms("m", 0, f"see https://pay.{EVIL}/x"), ["fraud-domain-sms"]),
        (sms("m", 0, domains=[f"pay.{EVIL.upper()}"]), ["fraud-domain-sms"]),
        (sms("m", 0, "hello", domains=["fine.invalid", EVIL]), ["fraud-domain-sms"]),
        (sms("m", 0, domains=[f"http://user@{EVIL}:8443/a"]), ["fraud-domain-sms"]),
        (sms("m", 0, f"see http://{EVIL}", domains=["fine.invalid"]), ["fraud-domain-sms"]),
        (sms("m", 0, CODE_TEXT), ["verification-code"]),
        (sms("m", 0, NOTICE_TEXT), ["bank-notice"]),
        (sms("m", 0, CODE_TEXT, peer=CROOK), ["fraud-number-sms", "verification-code"]),
        (
            sms("m", 0, f"{CODE_TEXT} http://{EVIL}/a", peer=CROOK),
            ["fraud-number-sms", "verification-code", "fraud-domain-sms"],
        ),
        (sms("m", 0, CODE_TEXT, direction="out"), []),
        (sms("m", 0, "hello"), []),
        (sms("m", 0), []),
        (sms("m", 0, domains=[]), []),
        (sms("m", 0, domains=["", ".", "fine.invalid", "not a host"]), []),
    ],
)
def test_an_sms_gives_its_signals(message: Sms, expected: list[str]) -> None:
    assert codes(of_sms(message)) == expected


def test_of_several_links_the_surest_is_named_and_a_url_before_its_domain() -> None:
    indicators = Indicators(
        [indicator("domain", "a.invalid", 50), indicator("domain", EVIL, 90), indicator("url", f"{EVIL}/pay", 90)]
    )

    found = of_sms(sms("m", 0, f"http://a.invalid/x http://{EVIL}/pay/1"), indicators=indicators)

    assert [(signal.indicator, signal.peer) for signal in found] == [(f"url:{EVIL}/pay", f"{EVIL}/pay")]


def test_of_a_link_only_what_is_listed_is_kept_and_it_is_matched_again_by_the_rest() -> None:
    """The link's own path may have a person's token in it. What is listed is public."""
    listed = [indicator("url", f"{EVIL}/a", 90), indicator("url", f"{EVIL}/a/b", 80), indicator("url", "evil.other/a")]
    message = sms("m", 0, f"see https://{EVIL}/a/b/c?token=marked")

    (signal,) = of_sms(message, indicators=Indicators(listed))
    left = match_again(signal, Indicators(listed[:1]))

    assert (signal.peer, signal.indicator) == (f"{EVIL}/a/b", f"url:{EVIL}/a/b")
    assert left is not None
    assert left.key == f"url:{EVIL}/a"


def test_a_longer_listed_url_covers_a_link_after_the_shorter_one_is_gone() -> None:
    shorter, longer = f"{EVIL}/a", f"{EVIL}/a/b"
    of_both = Indicators([indicator("url", shorter), indicator("url", longer, valid_from=T0 + 1)])
    (signal,) = of_sms(sms("m", 0, f"see https://{EVIL}/a/b/c"), indicators=of_both)

    again = match_again(signal, Indicators([indicator("url", longer)]))

    assert signal.indicator == f"url:{shorter}"
    assert again is not None
    assert again.key == f"url:{longer}"


def test_an_sms_that_names_a_known_number_says_so_whoever_sends_it() -> None:
    """The number is the signal's peer. The sender may be unknown, a name or nobody."""
    for sender in (FRIEND, ""):
        found = of_sms(sms("m", 0, f"请立即致电+{CROOK}处理", peer=sender))

        assert found == [Signal(T0, "fraud-number-text", "m", CROOK, f"number:{CROOK}", "loan", 100)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (sms("m", 0, f"我已转账给{CROOK}", direction="out"), []),
        (sms("m", 0, "致电 95588 或 99900000009"), []),
        (sms("m", 0, f"回电{CROOK}", peer=CROOK), ["fraud-number-sms"]),
        (sms("m", 0, "回电99900551234", peer=CROOK), ["fraud-number-sms", "fraud-number-text"]),
        (sms("m", 0, f"回电{CROOK}或99900551234", peer=CROOK), ["fraud-number-sms", "fraud-number-text"]),
        (sms("m", 0, f"致电{CROOK}或99900551234"), ["fraud-number-text"]),
        (sms("m", 0, f"致电{CROOK}或登录 http://{EVIL}/a"), ["fraud-number-text", "fraud-domain-sms"]),
        (sms("m", 0, f"登录 http://{EVIL}/{CROOK}"), ["fraud-domain-sms"]),
        (sms("m", 0, f"{CODE_TEXT} 致电{CROOK}"), ["fraud-number-text", "verification-code"]),
        (sms("m", 0, f'请拨"{CROOK}"'), ["fraud-number-text"]),
    ],
    ids=[
        "sent",
        "strangers",
        "the sender's own",
        "another",
        "both",
        "two",
        "with a link",
        "in a link",
        "with a code",
        "quoted",
    ],
)
def test_a_number_in_a_text_counts_once_beside_sender_and_link(message: Sms, expected: list[str]) -> None:
    """A sender who signs with their own number says nothing new; of several numbers the surest is named."""
    assert codes(of_sms(message)) == expected


def test_a_number_in_a_text_is_matched_again_by_a_prefix() -> None:
    signal = Signal(T0, "fraud-number-text", "m", "99900551234", "number:99900551234")

    match = match_again(signal, known())

    assert match is not None
    assert match.key == "number-prefix:9990055"


def test_the_text_is_in_no_signal() -> None:
    for signal in of_sms(sms("m", 0, f"{CODE_TEXT} secret http://{EVIL}/a", peer=CROOK)):
        assert "secret" not in repr(signal)
        assert "482913" not in repr(signal)


@pytest.mark.parametrize(
    ("peer", "still_known", "expected"),
    [
        (f"http://www.{EVIL}:8080/pay?x=1", indicator("domain", EVIL), f"domain:{EVIL}"),
        (f"http://{EVIL}?x=1", indicator("domain", EVIL), f"domain:{EVIL}"),
        (f"http://{EVIL}/pay/1", indicator("url", f"{EVIL}/pay"), f"url:{EVIL}/pay"),
        (f"www.{EVIL}", indicator("domain", EVIL), f"domain:{EVIL}"),
        (f"http://fine.invalid/to.{EVIL}", indicator("domain", EVIL), None),
        ("http://[2001:db8::1]:80/a", indicator("url", "[2001:db8::1]/a"), "url:[2001:db8::1]/a"),
        (f"www.{EVIL}", indicator("domain", "fine.invalid"), None),
        (f"{EVIL}?x=1", indicator("url", EVIL), f"url:{EVIL}"),
        ("2001:db8::1", indicator("url", "[2001:db8::1]/a"), None),
    ],
)
def test_a_link_is_matched_again_by_its_host_or_url(peer: str, still_known: object, expected: str | None) -> None:
    """When the indicator behind a link is revoked, another indicator may cover the link."""
    signal = Signal(T0, "fraud-domain-sms", "m", peer, "domain:gone.invalid")

    match = match_again(signal, Indicators([still_known]))  # type: ignore[list-item]

    assert (match and match.key) == expected


def test_a_number_is_matched_again_by_a_prefix() -> None:
    signal = Signal(T0, "fraud-number-call", "c", "99900551234", "number:99900551234")

    match = match_again(signal, known())

    assert match is not None
    assert match.key == "number-prefix:9990055"


def test_a_call_at_the_very_end_of_an_indicator_is_known_before_and_not_after() -> None:
    indicators = Indicators([indicator("number", CROOK, valid_until=T0 + MINUTE)])

    assert codes(of_calls(start("a", MINUTE - 1), start("b", MINUTE), indicators=indicators)) == ["fraud-number-call"]
