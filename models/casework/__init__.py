"""Casework: how the stations handle an alert.

Comes in: alerts, officers' feedback, the time. Goes out: cases with orders, deadlines, routes, payments and playbooks.
`board` is the way in.
"""
