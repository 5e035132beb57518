"""Kafka: the access to it that all programs share.

Comes in: settings and the contracts of `topics.yaml`. Goes out: clients, confirmed publishing, compacted topics held
in memory, and topics that agree with their contracts.
"""
