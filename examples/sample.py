"""Draws the published domains of the example from the whole list; its result is ``published-domains.tsv``.

``python -m examples.sample fraud-domains.tsv > examples/published-domains.tsv``, where the list has the columns
``first_seen`` and ``domain``. You do not need it to write the day again.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from models.texts.domains import is_shared_host, normalise_host, registrable

COUNT = 300
"""How many domains are drawn: enough to look like a list, few enough to read."""


def eligible(domain: str) -> bool:
    """Whether a listed domain is a registered name in canonical form, and not a host that strangers share."""
    try:
        host = normalise_host(domain)
    except ValueError:
        return False
    return host == domain == registrable(host) and not is_shared_host(host)


def draw(rows: Iterable[tuple[str, str]], count: int = COUNT) -> list[tuple[str, str]]:
    """Eligible rows at a regular distance, so that all months of the list are represented.

    >>> draw([("2024-01-01", "a.top"), ("2024-01-02", "b.top"), ("2024-01-03", "c.top"), ("2024-01-04", "d.top")], 2)
    [('2024-01-01', 'a.top'), ('2024-01-03', 'c.top')]
    """
    found = [row for row in rows if eligible(row[1])]
    return found[:: max(1, len(found) // count)][:count]


def main(path: Path) -> None:
    """Write the sample of a list to standard output."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["first_seen"], row["domain"]) for row in csv.DictReader(file, delimiter="\t")]
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(("first_seen", "domain"))
    writer.writerows(draw(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
