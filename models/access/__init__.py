"""Access: what a user may do and which cases they may see, and the chain that makes the audit log tamper-evident.

Comes in: a user, an action, a unit. Goes out: yes or no, and audit lines.
"""
