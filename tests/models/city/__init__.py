"""Tests of ``models.city``."""
