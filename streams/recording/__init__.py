"""Recording: a range of topics as a folder that can be carried away, checked, and replayed without a server.

Comes in: the history of topics. Goes out: sealed Parquet files with a manifest, and their records as columns again.
"""
