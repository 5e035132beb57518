"""The indicators of the example: real published fraud domains, and made-up numbers, a prefix, a link and two domains.

The domains come from ``published-domains.tsv``; their source and licence are in ``indicators.NOTICE.md``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from examples.day import MIDNIGHT, SHANGHAI
from models.base.durations import SECOND
from models.indicators.indicator import SCAM_TYPES, Indicator, IndicatorType, check

PUBLISHED = Path(__file__).parent / "published-domains.tsv"
PUBLISHER = "Taiwan police hotline 165, collected by houboyjacky (MIT)"
MADE_UP = "made up for this example"
KNOWN_SINCE = MIDNIGHT - 14 * 86_400_000

AUTHORITY = "999001000001"
AUTHORITY_TOO = "999001000002"
SERVICE = "999001000003"
BOSS = "999001000004"
LOAN = "999001000005"
TASK = "999001000006"
ROMANCE = "999001000007"
COIN = "999001000008"
PRIZE = "999001000009"
INSURANCE = "999001000010"
ONE_RING = "999001654321"
SEXTORTION_PREFIX = "9990077"
SHORT_LINK = "bit.ly/example/prize-1"
"""A link shortener's paths have one part, so this link leads nowhere."""
LOAN_SITE = "quick-loan.example"
PRIZE_SITE = "lucky-draw.example"

_NUMBERS = (
    (AUTHORITY, "impersonated-authority", 95),
    (AUTHORITY_TOO, "impersonated-authority", 90),
    (SERVICE, "impersonated-service", 90),
    (BOSS, "impersonated-boss", 90),
    (LOAN, "loan", 85),
    (TASK, "task-rebate", 85),
    (ROMANCE, "romance-investment", 85),
    (COIN, "virtual-currency", 85),
    (PRIZE, "fake-prize", 90),
    (INSURANCE, "insurance-sms", 85),
    (ONE_RING, "other", 70),
)
_OTHERS: tuple[tuple[IndicatorType, str, str, int], ...] = (
    ("number-prefix", SEXTORTION_PREFIX, "sextortion", 80),
    ("url", SHORT_LINK, "fake-prize", 90),
    ("domain", LOAN_SITE, "loan", 90),
    ("domain", PRIZE_SITE, "fake-prize", 90),
)
_UNUSED = 40
"""How many listed numbers reach nobody on this day, like most numbers of a list."""


def published() -> Iterator[Indicator]:
    """The real domains, each valid from its day of publication. The source names no scam type, so none is claimed."""
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            day = datetime.fromisoformat(row["first_seen"]).replace(tzinfo=SHANGHAI)
            yield _indicator("domain", row["domain"], "other", 80, PUBLISHER, int(day.timestamp()) * SECOND)


def made_up() -> Iterator[Indicator]:
    """The invented numbers, prefix, link and domains, known for two weeks."""
    for number, scam_type, confidence in _NUMBERS:
        yield _indicator("number", number, scam_type, confidence)
    for kind, value, scam_type, confidence in _OTHERS:
        yield _indicator(kind, value, scam_type, confidence)
    listed = {scam_type for _, scam_type, _ in _NUMBERS} | {scam_type for _, _, scam_type, _ in _OTHERS}
    types = [scam_type for scam_type in SCAM_TYPES if scam_type in listed]  # so that a new type changes no file
    for index in range(_UNUSED):
        yield _indicator("number", f"999001{900_000 + 7919 * index % 100_000:06d}", types[index % len(types)], 75)


def _indicator(
    kind: IndicatorType,
    value: str,
    scam_type: str,
    confidence: int,
    source: str = MADE_UP,
    valid_from: int = KNOWN_SINCE,
) -> Indicator:
    return check(
        Indicator(
            type=kind,
            value=value,
            scam_type=scam_type,
            confidence=confidence,
            source=source,
            valid_from=valid_from,
        )
    )


LURES = tuple(indicator.value for indicator in published())[::30]
"""The ten published domains that victims are sent."""
