"""Tests on a real Kafka and a real Valkey, which the session starts by itself."""
