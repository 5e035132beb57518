"""The keys derived from the site secret."""

from __future__ import annotations

from typing import get_args

from models.access.site_secret import Purpose, fingerprint, hkdf, key_of

SECRET, OTHER = "0123456789abcdef" * 4, "0123456789abcdee" * 4


def test_keys_are_derived_as_rfc_5869_says() -> None:
    """The first test case of its appendix, which asks for ten bytes more."""
    derived = hkdf(bytes([0x0B] * 22), bytes(range(13)), bytes(range(0xF0, 0xFA)))

    assert derived.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


def test_each_purpose_and_each_secret_has_a_key_of_its_own() -> None:
    """Who learns the key of the pseudonyms can name nobody's case."""
    keys = {key_of(secret, purpose) for secret in (SECRET, OTHER) for purpose in get_args(Purpose)}

    assert len(keys) == 2 * len(get_args(Purpose))
    assert {len(key) for key in keys} == {32}


def test_a_fingerprint_tells_secrets_apart_and_is_part_of_no_other_key() -> None:
    """It stands in Redis and on the operator's terminal."""
    assert fingerprint(SECRET) != fingerprint(OTHER)
    assert len(fingerprint(SECRET)) == 16
    assert not any(fingerprint(SECRET) in key_of(SECRET, purpose).hex() for purpose in ("ids", "pseudonyms"))


def test_derived_keys_never_change() -> None:
    """Standing orders are known by ids under this key: another derivation would rename them all."""
    assert key_of(SECRET, "ids").hex() == "7fc44d59677890e516d4dd55e165707f1f49a8e5849143ba2032a721b43b0827"
    assert fingerprint(SECRET) == "9eda8c450deb5f35"
