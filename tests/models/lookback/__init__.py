"""Tests of ``models.lookback``."""
