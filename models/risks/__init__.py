"""Risks: numbers that act like a gang's and accounts that stop-payments named, for an analyst to decide about.

Comes in: contacts of the ledger, cases with their stop-payments. Goes out: evidence with a score (`numbers`,
`accounts`), and the record of a risk with the decisions on it (`risk`). Nothing here blocks anything.
"""
