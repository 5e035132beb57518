"""Tests of ``streams.worker``."""
