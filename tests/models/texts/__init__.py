"""Tests of ``models.texts``."""
