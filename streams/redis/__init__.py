"""Redis: the access to it that all programs share, whether a site runs one server, a cluster or Sentinel.

Comes in: settings. Goes out: one client for all three, and answers that are waited for while Redis cannot give them.
"""
