"""Events: one call or SMS record as a value, and a whole Kafka batch of records as columns.

Comes in: bytes of JSON records. Goes out: checked `Calls` and `Messages`, and a refusal with a reason for each wrong
record. `decoding` is the entry point.
"""
