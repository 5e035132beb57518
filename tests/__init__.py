"""The tests, as one package: they import shared builders and fixtures by name."""
