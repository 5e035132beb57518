"""Tests of ``models.policy``."""
