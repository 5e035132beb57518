"""Who comes in: users and their passwords, sessions, failed sign-ins, and the door that asks all of them.

``users`` is the file, ``passwords`` the hashing, ``sessions`` and ``attempts`` are in Redis, ``door`` lets people in.
What they may then do and see is decided in ``models/access/rights.py``.
"""
