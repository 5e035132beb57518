"""Tests of ``streams.dispatch``."""
