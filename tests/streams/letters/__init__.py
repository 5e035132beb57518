"""Tests of ``streams.letters``."""
