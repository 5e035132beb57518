"""Detection: from the events of one partition to its alerts.

Comes in: calls, SMS, indicators, the policy, a risk model. Goes out: alerts with their reasons, and reminders.
`engine` is the way in: recognition gives signals, episodes hold them, risk judges them, decisions say what is
published.
"""
