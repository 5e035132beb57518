"""Tests of ``streams.demo``."""
