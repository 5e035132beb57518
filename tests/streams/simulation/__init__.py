"""Tests of ``streams.simulation``."""
