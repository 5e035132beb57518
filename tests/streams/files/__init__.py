"""Tests of ``streams.files``."""
