"""Tests of ``models.capacity``."""
