"""Signals page: makes ``docs/signals.md`` from the registries, with ``python -m streams.signals_page``.

The page says how to add a kind of signal and a scam type, and has a table of each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import assert_never

from models.detection.kinds import KINDS, Contact, Kind
from models.indicators.scam_types import ENTRIES, ScamType

_HEAD = """\
<!-- Made by `python -m streams.signals_page > docs/signals.md`; a test holds it equal. -->
# Signals and scam types

A signal is what one event says about a subscriber. A *contact* touches a known indicator and can open an episode. A
*context* counts only beside a contact.

## Adding a kind of signal

1. Write its name into `ContactKind` or `ContextKind` and its entry into `_ENTRIES`, both in
   [`models/detection/kinds.py`](../models/detection/kinds.py). The entry has its words, the feature in which it counts,
   the stage that it shows, and for a context its number in the ledger.
2. Make the signal in [`models/detection/recognition.py`](../models/detection/recognition.py).
3. Run `mypy` and `python -m pytest tests/test_registries.py`. They name each file that still lacks something.

`policy.yaml` gives points to features, and several kinds may count in one feature. A feature of its own is a new column
of the model, so it needs a higher `FEATURES_VERSION` and a model trained anew.

| signal | kind | counts in | stage | in an alert |
|---|---|---|---|---|
"""

_SCAM_TYPES = """
## Adding a scam type

1. Write its entry into `ENTRIES` in [`models/indicators/scam_types.py`](../models/indicators/scam_types.py).
2. Write its playbook, `models/casework/playbooks/NAME.yaml` ([format](playbooks.md)), and a script for the simulated
   city, `models/city/scripts/NAME.yaml` ([format](city.md#a-script)).
3. Run `python -m pytest tests/test_registries.py`. It names each file that still lacks something.

The list is open: indicators may carry any word of `a-z`, `0-9` and `-`. A site's own type can have a playbook of the
site's; its name is shown as it is written.

| scam type | in Chinese | in English | playbook |
|---|---|---|---|
"""


def page(kinds: Iterable[Kind] = tuple(KINDS.values()), scam_types: Iterable[ScamType] = ENTRIES) -> str:
    """The text of the page."""
    return "".join((_HEAD, *map(_kind, kinds), _SCAM_TYPES, *map(_scam_type, scam_types)))


def _kind(kind: Kind) -> str:
    if isinstance(kind, Contact):
        what = "contact"
        counts = f"`{kind.feature}`" if kind.feature else "by the length of the call"
    else:
        what, counts = "context", f"`{kind.feature}`"
    words = f"{kind.zh}<br>{kind.en}".replace("{scam}", "")
    return f"| `{kind.name}` | {what} | {counts} | {_stage(kind)} | {words} |\n"


def _stage(kind: Kind) -> str:
    """The stage that a kind of signal leads to, and the condition for it; empty when it leads to none by itself."""
    if kind.reaches is not None:
        return kind.reaches
    if isinstance(kind, Contact):
        match kind.call:
            case "begins" | "talked":
                return "medium from `windows.talk` on"
            case "none" | "missed":
                return ""
            case _:
                assert_never(kind.call)
    match kind.rule:
        case "code":
            return "deep"
        case "payment":
            return "harmed within `windows.harmed_hours` after deep"
        case "plain" | "other-call":
            return ""
        case _:
            assert_never(kind.rule)


def _scam_type(each: ScamType) -> str:
    book = f"[{each.name}](../models/casework/playbooks/{each.name}.yaml)"
    return f"| `{each.name}` | {each.zh} | {each.en} | {book} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
