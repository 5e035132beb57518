"""A made-up day of records that the demo plays, and the scripts that write it: ``python -m examples.generate``."""
