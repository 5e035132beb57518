"""Faults: breaks a real worker on real servers in every way that we can think of; compares it with an undisturbed run.

``ground`` holds the servers and a backlog. ``trial`` runs workers over it and compares their alerts. ``recording`` is
for an undisturbed run that knows the broker's clock. `workers`, `servers`, `publishing`, `cuts` and other modules hold
the scenarios. ``python -m tests.chaos`` runs all scenarios at full length and writes ``docs/evidence/faults.md``;
``tests/live/test_faults.py`` runs in a short form what has no live test of its own.
"""
