"""Policy: what a city decides to act on, read from `policy.yaml`, and the stages of a fraud.

Comes in: YAML. Goes out: a frozen, checked `Policy`.
"""
