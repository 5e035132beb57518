"""Demo: the records that `forewarn demo` plays, its output, and playing records into topics.

Comes in: files of records, a running site. Goes out: records on topics, and each alert as it comes back.
"""
