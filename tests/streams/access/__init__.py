"""Tests of ``streams.access``."""
