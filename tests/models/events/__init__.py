"""Tests of ``models.events``."""
