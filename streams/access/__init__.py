"""Access: users and their passwords, sessions, failed sign-ins, and the authentication that combines them.

``authentication`` is the way in. ``users`` manages the users, ``accounts`` is their file, ``passwords`` hashes, and
``sessions`` and ``attempts`` are in Redis, through ``store``. What users may do and see is decided in
``models/access/rights.py``.
"""
