"""Benchmarks: ``python -m bench`` measures throughput and latency on a real Kafka and Valkey of its own."""
