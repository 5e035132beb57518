"""Tests of ``streams.risks``."""
