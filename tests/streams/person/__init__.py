"""Tests of ``streams.ledger``."""
