"""Policy: a city's rules for acting on fraud, read from `policy.yaml`, and the stages of a fraud.

Comes in: YAML. Goes out: a frozen, checked `Policy`.
"""
