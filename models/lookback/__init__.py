"""Look-back: searches the past when a new indicator is known, and judges how unknown numbers behave.

Input: contacts from a ledger, new indicators, spreading domains and numbers. Output: questions to the ledger, signals
of the past, derived and suspected indicators, campaigns. Start with ``planner``, which combines the other modules for
the hunter and for simulated sites.
"""
