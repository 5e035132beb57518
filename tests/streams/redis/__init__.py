"""Tests of ``streams.redis``."""
