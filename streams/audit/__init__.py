"""Audit: the log of what people did, which comes before the deed, and its head, which is published to Kafka.

Comes in: a deed, the user, the case, the values that it is about. Goes out: a sealed line in a file, and records of the
topic ``audit-heads``.
"""

from __future__ import annotations

from streams.audit.log import AuditLog, Deed, operator
from streams.audit.reading import AuditError, lines

__all__ = ["AuditError", "AuditLog", "Deed", "lines", "operator"]
