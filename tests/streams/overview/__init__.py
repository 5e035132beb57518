"""Tests of ``streams.overview``."""
