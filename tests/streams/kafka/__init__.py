"""Tests of ``streams.kafka``."""
