"""Look-back: what the past says once something new is known, and what numbers are up to that nobody knows.

Comes in: contacts from a ledger, new indicators, what spreads. Goes out: questions to the ledger, signals of the past,
derived and suspected indicators, campaigns. ``planner`` brings it together for the hunter and for simulated sites.
"""
