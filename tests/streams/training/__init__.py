"""Tests of ``streams.training``."""
