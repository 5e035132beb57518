"""Tests of ``streams.replay``."""
