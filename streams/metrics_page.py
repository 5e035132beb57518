"""The page about metrics, ``docs/metrics.md``: made from what `streams.metrics` declares."""

from __future__ import annotations

from typing import Final

from streams.metrics import REGISTRY

# prometheus-client has no public way to get the labels of a metric.
_labels: Final[dict[str, tuple[str, ...]]] = {
    vars(metric)["_name"]: vars(metric)["_labelnames"]
    for metric in dict.fromkeys(REGISTRY._names_to_collectors.values())
}


def page() -> str:
    """The text of ``docs/metrics.md``."""
    rows = []
    for metric in REGISTRY.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        labels = ", ".join(f"`{label}`" for label in _labels[metric.name])
        rows.append(f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |")
    table = "\n".join(rows)
    return f"""\
<!-- Made by `python -m streams.metrics_page > docs/metrics.md`; a test holds it equal. -->
# Metrics

Each program serves these at `/metrics` of its own address: the worker at `FOREWARN_HTTP`, the hunter at
`FOREWARN_HUNTER_HTTP`, the dispatcher at `FOREWARN_DISPATCHER_HTTP`, the console at `FOREWARN_CONSOLE_HEALTH`. No label
ever holds a person's number.

| metric | type | labels | meaning |
|---|---|---|---|
{table}

`/healthz` answers 503 in two cases only: there are records to read and no offset has moved for
`FOREWARN_STALL_SECONDS`, or the worker has not checked its offsets for that long. Restart the worker then. A thread of
its own serves this page, so it answers at once however busy the worker is. `/readyz` answers 503 until every part is
ready (`forewarn_ready`), and names the parts that it waits for.

SIGTERM ends a program in order, within ten seconds. A program that is still there fifteen seconds after it was told to
stop, or after it failed, ends itself by force and says so in its log. Nothing is lost: the unfinished work is done
again with the same ids. Whenever a program ends, start it again. SIGUSR1 makes a program print the stack of each thread
to its standard error.

[The runbook](runbook.md) has an entry for each alert that rests on these metrics; `monitoring/` has the alerts, and the
configuration of Prometheus and Alertmanager.

Exemplars are left out on purpose ([decision 36](decisions/0036-alerts-are-proved.md)).
"""


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
