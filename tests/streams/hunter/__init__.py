"""Tests of ``streams.hunter``."""
