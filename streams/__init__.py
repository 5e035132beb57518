"""Streams: everything around ``models`` that touches the outside: Kafka, Redis, disk, HTTP, time."""
