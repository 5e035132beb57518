"""Access: who may do what, whose cases they may see, and the chain that makes the audit log tamper-evident.

Comes in: a user, an action, a unit. Goes out: yes or no, and audit lines.
"""
