"""Indicators: the known fraud numbers and domains, and the events that match them.

Comes in: values from lists and topics, numbers and hosts from events. Goes out: normalised indicators, and matches.
`indicator` checks a value, `matching` holds a million indicators.
"""
