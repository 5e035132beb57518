"""Events: one call or SMS record as a value, and a whole Kafka batch of them as columns.

Comes in: bytes of JSON records. Goes out: checked `Calls` and `Messages`, and a refusal with its reason for each
record that is wrong. `decoding` is the way in.
"""
