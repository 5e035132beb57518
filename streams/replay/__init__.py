"""Replay: runs the live engine over past records, in files or in logs that are kept by partition.

Comes in: past records. Goes out: the alerts that a live worker would have published, byte for byte.
"""
