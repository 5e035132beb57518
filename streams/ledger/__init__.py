"""The ledger: every contact of every subscriber in sorted Parquet segments, to look back from a new number or domain.

``storage`` is the folder and the names in it, ``segments`` the files' format, ``recording`` what the worker writes,
``lookup`` who was in contact, ``compaction`` fewer and larger segments, ``remembered`` a ledger in memory.
"""
