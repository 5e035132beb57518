"""The tests: a package, so that they share builders and fixtures by name."""
