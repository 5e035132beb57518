"""A real Kafka and a real Valkey on one's own machine, from Python packages alone: no Docker, no root.

``stack.LocalStack`` is the way in: ``forewarn up``, ``forewarn demo``, the benchmarks and the live tests all
use it. Production runs its own clusters and never imports this package.
"""


class LocalStackError(Exception):
    """The local stack could not do what was asked: one sentence with what, where and what to do."""
