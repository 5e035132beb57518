"""Tests of ``models.detection``."""
