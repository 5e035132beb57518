"""Moves: everything that touches the outside (Kafka, Redis, disk, HTTP, time) around ``models``."""
