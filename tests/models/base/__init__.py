"""Tests of ``models.base``."""
