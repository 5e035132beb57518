"""Look-back: what the past says once something new is known, and what numbers are up to that nobody knows.

Comes in: contacts from the ledger, new indicators, what spreads. Goes out: signals of the past, derived and
suspected indicators, campaigns.
"""
