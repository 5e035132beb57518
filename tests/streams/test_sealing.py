"""Sealing: what is sealed to a key opens with that key alone, byte for byte."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from streams.sealing import MAGIC, MOST_RECIPIENTS, Identities, Seal, SealError, new_keys, recipients

OURS, OTHERS = new_keys(), new_keys()


@pytest.mark.parametrize("content", [b"", b"\x00\xff", "文本".encode(), b"x" * 1_000_000])
def test_what_was_sealed_is_opened_byte_for_byte(content: bytes) -> None:
    sealed = Seal(OURS.recipient).sealed(content)

    assert Identities([OURS.identity]).opened(sealed) == content
    assert sealed.startswith(MAGIC)


def test_each_recipient_can_open_it_and_nobody_else() -> None:
    sealed = Seal(f"{OURS.recipient},{OTHERS.recipient}").sealed(b"text")

    assert {Identities([each.identity]).opened(sealed) for each in (OURS, OTHERS)} == {b"text"}
    with pytest.raises(SealError, match="sealed to another key"):
        Identities([new_keys().identity]).opened(sealed)


def test_one_of_several_identities_is_enough() -> None:
    """After a change of keys, an operator names the file of the old one as well."""
    assert Identities([OTHERS.identity, OURS.identity]).opened(Seal(OURS.recipient).sealed(b"text")) == b"text"


def test_the_same_content_is_never_sealed_twice_to_the_same_bytes() -> None:
    """Otherwise whoever guesses a record could test the guess."""
    seal = Seal(OURS.recipient)

    assert len({seal.sealed(b"8610000000001") for _ in range(10)}) == 10


def test_what_was_changed_or_cut_off_is_not_opened() -> None:
    sealed = Seal(OURS.recipient).sealed(b"text" * 100)
    changed = [sealed[:-1], sealed[:100], sealed[:-20] + b"\x00" + sealed[-19:], sealed + b"x"]

    for each in changed:
        with pytest.raises(SealError, match="or changed"):
            Identities([OURS.identity]).opened(each)
    for each in (b"", b'{"id": "m1"}'):
        with pytest.raises(SealError, match="it is not sealed"):
            Identities([OURS.identity]).opened(each)


def test_a_seal_may_be_used_by_several_threads() -> None:
    seal, sealed = Seal(OURS.recipient), list[bytes]()
    threads = [threading.Thread(target=lambda: sealed.append(seal.sealed(b"text"))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [Identities([OURS.identity]).opened(each) for each in sealed] == [b"text"] * 4


def test_an_identity_file_is_that_of_age() -> None:
    made = new_keys(datetime(2026, 3, 16, tzinfo=UTC))

    lines = made.identity.splitlines()
    assert lines[:2] == ["# created: 2026-03-16T00:00:00+00:00", f"# public key: {made.recipient}"]
    assert lines[2].startswith("AGE-SECRET-KEY-1")
    assert Identities([made.identity]).recipient == made.recipient


@pytest.mark.parametrize(
    "text",
    ["", "# a comment\n", "age1abc", "AGE-SECRET-KEY-1ABC", OURS.recipient],
    ids=["empty", "comment", "short public key", "short private key", "public key"],
)
def test_a_file_without_an_identity_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="no identity of age"):
        Identities([text])


@pytest.mark.parametrize(
    "text",
    ["", "age1", f"{OURS.recipient},", OURS.recipient[:-1], OURS.identity, "ssh-rsa x"],
    ids=["empty", "short", "comma at the end", "cut", "private key", "another kind"],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public keys of age"):
        recipients(text)


def test_more_recipients_than_a_letter_has_room_for_are_refused() -> None:
    several = [OURS.recipient] * MOST_RECIPIENTS

    assert recipients(" , ".join(several)) == ",".join(several)
    with pytest.raises(ValueError, match=f"at most {MOST_RECIPIENTS}"):
        recipients(",".join([*several, OTHERS.recipient]))
