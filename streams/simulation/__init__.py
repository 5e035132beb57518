"""Simulation: a made-up city with known victims, and a whole site at work on it in one process.

Comes in: a city, a policy, models. Goes out: the city's files, and every alert that the site would have raised.
"""
