"""Inquiry: who was in contact with some numbers, domains or URLs, for ``forewarn hunt`` and for the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from models.indicators.indicator import Indicator, IndicatorType, check, guess_type
from models.indicators.path_hashes import PUBLIC, PathHashes
from models.lookback.keys import keys_of
from models.lookback.naming import Named
from streams.ledger.lookup import find
from streams.ledger.people import People, Reached, contacts_of
from streams.ledger.storage import LedgerError, Storage
from streams.setting_fields import SettingsError
from streams.settings import Settings

_UNSAID: Final[dict[str, Any]] = {"scam_type": "other", "confidence": 80, "source": "hunt", "valid_from": 0}
"""Fields of an indicator that do not matter for a look-up."""
_LATE: Final = timedelta(days=1)
"""How long before its own event time an event may have been recorded, when its clock is wrong."""


class InquiryError(Exception):
    """The look-up is not possible; one sentence says why."""


class TooManyContactsError(InquiryError):
    """More contacts were found than the asker wants to have in memory."""


def wanted(kind: IndicatorType, value: str, region: str) -> Indicator:
    """What somebody looks for, as an indicator: a number, or a prefix that ends with ``*``; a domain; a URL.

    Raises `IndicatorError`.
    """
    given = kind
    if kind == "number" and value.strip().endswith("*"):
        given = "number-prefix"
    elif kind == "domain" and value.strip() and guess_type(value) == "url":
        given = "url"
    return check(Indicator(type=given, value=value, **_UNSAID), region)


def check_since(since: datetime, now: datetime, days: int) -> None:
    """Raise `InquiryError` when contacts of that time are kept no longer, or when it is in the future."""
    # Allow an extra hour, because "30d" was converted to a time a little while ago.
    if since < now - timedelta(days=days, hours=1):
        raise InquiryError(f"goes back further than contacts are kept: {days} days (FOREWARN_LEDGER_DAYS)")
    if since > now:
        raise InquiryError("is in the future")


class Inquiry:
    """Look-ups in a site's ledger; its methods block, and may be called from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.days = settings.ledger_days
        """Days for which contacts are kept."""

    def reached(
        self,
        keys: Sequence[str],
        since: datetime,
        *,
        bar: Callable[[int], AbstractContextManager[Callable[[int], object]]] = lambda total: nullcontext(lambda n: n),
        most: int | None = None,
    ) -> list[Reached]:
        """Everyone whom indicators with these keys have reached since then, the latest first.

        ``bar`` shows progress over a number of segments. Raises `LedgerError`, and `TooManyContactsError` once there
        are more than ``most`` contacts.
        """
        if not self._settings.ledger:
            raise LedgerError("There is no ledger: FOREWARN_LEDGER is empty")
        storage = Storage(self._settings)
        if not storage.days():
            raise LedgerError(
                f"Nothing has been recorded at {storage.shown}: does the worker have the same FOREWARN_LEDGER?"
            )
        people, count = People(Named(keys, self._hashes(keys))), 0
        segments = storage.segments((since.astimezone(UTC) - _LATE).date())
        at = int(since.timestamp() * 1000)
        with bar(len(segments)) as told:
            for table in find(storage, segments, keys_of(keys), told=lambda _: told(1), since=at):
                count += table.num_rows
                if most is not None and count > most:
                    raise TooManyContactsError(f"more than {most:,} contacts were found: ask for less time")
                for contact in contacts_of(table):
                    people.add(contact)
        return people.lines()

    def _hashes(self, keys: Sequence[str]) -> PathHashes:
        """The hashes under which the ledger has the paths of links; any will do where no URL is looked for."""
        if not any(key.startswith("url:") for key in keys):
            return PUBLIC
        try:
            return PathHashes(self._settings.derived_key("links"))
        except SettingsError as error:
            raise LedgerError(str(error)) from None
