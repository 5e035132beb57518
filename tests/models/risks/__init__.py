"""Tests of ``models.risks``."""
