"""Detection: from the events of one partition to its alerts.

Input: calls, SMS, indicators, the policy and a risk model. Output: alerts with their reasons, and reminders.
Start with `engine`. Recognition turns events into signals, episodes hold the signals, risk scores the episodes, and
decisions determine which alerts are published.
"""
