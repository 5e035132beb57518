"""Replay: runs the live engine over files of records, without a server.

Comes in: records in files. Goes out: the alerts that a live worker would have published, byte for byte.
"""
