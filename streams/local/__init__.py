"""The local stack: a real Kafka and a real Valkey on this machine, from Python packages alone: no Docker, no root.

``stack.LocalStack`` is the way in: ``forewarn up``, ``forewarn demo``, the benchmarks and the live tests all
use it. Production runs its own clusters and never imports this package.
"""


class LocalStackError(Exception):
    """The local stack failed; the message says in one sentence what is wrong, where, and what to do."""
