"""Ledger: every contact of every subscriber in sorted Parquet segments, to look back from a new number or domain.

The worker writes it: ``ledger_writer`` opens it, ``gathering`` collects rows, ``partition_ledger`` makes segments.
``storage`` is the folder and the names in it, ``segments`` the format of the files, ``lookup`` finds rows by key,
``people`` adds them up per person, ``compaction`` merges small segments, ``remembered`` is a ledger in memory.
"""
