"""Tests of ``streams.cli``."""
