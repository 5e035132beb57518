"""Faults: a real worker on real servers, broken in every way that we can think of, against an undisturbed run.

``ground`` holds the servers and a backlog, ``trial`` runs workers over it and compares what they published;
`workers`, `servers`, `publishing` and `cuts` hold the scenarios. ``python -m tests.chaos`` runs them all at full
length and writes ``docs/evidence/faults.md``; ``tests/live/test_faults.py`` runs nearly all of them in a short form.
"""
