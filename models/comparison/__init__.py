"""Comparison: what other settings would have done about the same people, episode by episode."""
