"""Risks: finds risky numbers in the ledger and risky accounts in the cases, and keeps the topic ``risks``.

``finding`` goes through ledger and cases. ``risk_topic`` reads the topic and makes one change at a time. ``naming``
gives a number or account its id.
"""
