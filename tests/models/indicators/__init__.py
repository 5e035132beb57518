"""Tests of ``models.indicators``."""
