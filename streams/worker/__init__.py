"""Worker: scores calls and SMS, from Kafka's batches to checkpointed and published alerts.

Comes in: the topics `calls`, `sms`, `signals`, and the partitions that Kafka assigns. Goes out: checkpoints in Redis,
alerts, reminders, dead letters, ledger segments. `service` starts it, `assignment` handles a rebalance.
"""
