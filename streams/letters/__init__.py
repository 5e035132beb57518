"""Letters: what operators do with dead letters. They count them, look at one, send records back, or set them aside.

Comes in: the sealed letters of ``dead-letters``, and the choice of an operator. Goes out: records that can be read now,
to the topics they came from, and on ``handled-letters`` what was done about which record. ``choosing`` and ``counting``
need no private key. ``judging`` opens a letter and says whether its record is read now, and ``handling`` does the work.
"""
