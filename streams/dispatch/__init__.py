"""The dispatcher: turns alerts into cases, sends them to stations and follows them to their outcome.

Each site runs one dispatcher. Its only memory is the compacted topic ``dispatch``. Each Kafka transaction holds both
what it has read and what it publishes about it (docs/decisions/0011-dispatch-in-transactions.md).
"""
