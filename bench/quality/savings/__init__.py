"""Savings: what alerts are worth. Plays orders through a station's queue and counts the money that victims keep.

Comes in: the alerts of a city that was played, and its truth. Goes out: a section of docs/quality.md and its plot. What
no city can know (who answers, who listens, what a bank can still stop) is an assumption, and all of them stand in
`assumptions`.
"""
