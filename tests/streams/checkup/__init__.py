"""Tests of ``streams.checkup``."""
