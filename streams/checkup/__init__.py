"""Check-up: looks at each part that a site needs, for ``forewarn doctor``; says its faults and how to repair them.

Comes in: the settings. Goes out: a `Finding` for each part, in the order in which a worker needs them. `examining`
calls the looks: at the files that decide and at secrets (`configuration`, `secrets`), at Kafka (`brokers`), at Redis
(`redis_servers`), at this machine (`machine`), at `certificates`, and at the programs that run (`programs`).
"""
