"""Tests of ``streams.console``."""
