"""Tests of ``models.access``."""
