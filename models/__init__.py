"""Decides: pure functions and values that turn call and SMS events into alerts.

Nothing here knows Kafka, Redis, a clock or a file; ``streams`` brings all of that.
"""
