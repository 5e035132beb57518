"""The dispatcher: makes cases of alerts, sends them to stations and follows what becomes of them.

One for each site; its memory is the compacted topic ``dispatch`` alone, and what it reads and what it says about it are
one transaction of Kafka's (docs/decisions/0011-dispatch-in-transactions.md).
"""
