"""Worker: scores calls and SMS, from Kafka's batches to checkpointed and published alerts.

Comes in: the topics `calls`, `sms`, `signals`, and the partitions that Kafka assigns. Goes out: checkpoints in Redis,
alerts, dead letters, ledger segments. `service` starts it, `assignment` says what happens on a rebalance.
"""
