"""Capacity: what a station's officers can do with its orders, and when.

Comes in: orders, officers by shift, how long the steps take, and the deadlines of the policy. Goes out: when each order
is acknowledged, called and visited, which deadlines are missed, and how many officer-hours it takes. `handling` is the
way in. Nothing here is measured: it is a queue, for projections of workload and of what an alert is worth.
"""
