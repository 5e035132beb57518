"""Tests of ``models.casework``."""
