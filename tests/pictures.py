"""Pictures: those of the docs, which show the console, a bulletin and `forewarn top` in a made-up city.

.venv/bin/python -m tests.pictures            # writes docs/images/*.png and top.svg
.venv/bin/python -m tests.pictures --all DIR  # every page, width, scheme and language, for review
"""

from __future__ import annotations

import argparse
import asyncio
import io
import logging
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import structlog
import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page
from rich.console import Console as Terminal

from models.access.audit_chain import Plain
from models.base.durations import DAY, MINUTE
from models.casework.bulletin import bulletin
from models.casework.payments import Account
from models.risks.accounts import AccountEvidence
from models.risks.numbers import NumberEvidence
from models.risks.risk import Decision, Evidence, Risk
from streams.audit import AuditLog, Deed
from streams.console.app import make_app
from streams.console.bulletin_sheet import sheet, standalone
from streams.console.pages import PAGES
from streams.console.times import local
from streams.dispatch.weeks import edges
from streams.files.playbook_files import read_playbooks
from streams.ledger.storage import Storage
from streams.local.ports import any_free_port
from streams.overview.picture import picture as drawn
from streams.overview.summing import overview
from streams.overview.worries import worries
from streams.settings import Settings
from tests.browser import chromium
from tests.casework import OFFICE
from tests.city_day import NEW, NOW, TALKING, a_day
from tests.city_weeks import WEEK, ZONE, six_weeks
from tests.consoles import GOOD, Backroom
from tests.overviews import demo_day
from tests.site import FRAUD, ROOT, call
from tests.streams.ledger.test_ledger import put, rows
from tests.valkeys import Valkey, guarded

IMAGES = ROOT / "docs" / "images"

Scheme = Literal["light", "dark"]
Language = Literal["zh", "en"]


class Picture(NamedTuple):
    """A page, its user, and the settings of the browser."""

    name: str
    path: str
    user: str = "wang"
    width: int = 1440
    height: int = 900
    scheme: Scheme = "light"
    language: Language = "zh"
    press: str = ""
    """A selector of an element to click first."""
    typed: tuple[tuple[str, str], ...] = ()
    """Selectors of fields, and what to type into each before."""


LOOK_UP = (("#value", f"+{FRAUD[:3]} {FRAUD[3:]}"), ("#case", "A-2026-118"), ("#days", "30"))
PICTURES = (
    Picture("console-orders-zh", "/orders", height=700),
    Picture("console-case-en", f"/cases/{TALKING}", language="en", height=860),
    Picture("console-case-phone-zh", f"/cases/{NEW}", width=390, height=844, scheme="dark"),
    Picture("console-centre-zh", "/centre", user="chen", height=880, press="#fold-sb-01"),
    Picture("console-look-up-en", "/look-up", "qian", 1100, 1000, "light", "en", "main form .main", LOOK_UP),
    Picture("console-risks-zh", "/risks", "qian", 1280, 760),
    Picture("console-audit-zh", "/audit", "zhao", 1280, 1000),
    Picture("console-users-en", "/users", "wu", 1100, 880, language="en"),
)
PATHS = {
    "sign-in": ("", "/sign-in"),
    "orders": ("wang", "/orders"),
    "done": ("wang", "/orders?show=done"),
    "empty": ("li", "/orders"),
    "below": ("sun", "/orders"),
    "new": ("wang", f"/cases/{NEW}"),
    "talking": ("wang", f"/cases/{TALKING}"),
    "centre": ("chen", "/centre"),
    "missing": ("wang", "/cases/none"),
    "look-up": ("chen", "/look-up"),
    "risks": ("qian", "/risks"),
    "risk-number": ("chen", "/risks/1f6b0c9d2e4a7788"),
    "risk-account": ("qian", "/risks/9c3d5e7f01a2b4c6"),
    "audit": ("zhao", "/audit"),
    "users": ("wu", "/users"),
    "user": ("wu", "/users/li"),
    "bulletin": ("chen", "/bulletin"),
}


def fill_ledger(folder: Path) -> None:
    """Record whom the number of the look-up has reached in the last days."""
    storage = Storage(Settings(ledger=str(folder / "ledger")))
    for number, (days, seconds) in enumerate(((1, 41), (1, 1264), (2, 12), (3, 388), (6, 5), (9, 73))):
        at = NOW - days * DAY - number * 7 * MINUTE
        called = f"861000000{1000 + number * 237}"
        records = [call(called, at), call(called, at + seconds * 1000, phase="end", duration_s=seconds)]
        put(storage, number, rows(records), day=local(at).date())


def some_risks() -> Iterator[Risk]:
    """Numbers and accounts of these days, at all states of the work on them."""
    confirmed = Decision(state="confirmed", at=NOW - DAY, who="qian", case="A-2026-118")
    over = Decision(state="handed-over", at=NOW - DAY // 2, who="chen", case="A-2026-118", to="示例银行反诈专班")
    numbers = (
        (84, 3, 2, 4, 0.99, ()),
        (41, 1, 1, 2, 0.93, (confirmed,)),
        (126, 2, 0, 6, 0.71, ()),
        (9, 2, 0, 1, 0.58, ()),
    )
    for index, (people, led, victims, days, chance, decisions) in enumerate(numbers):
        number = NumberEvidence(
            number=f"86100000{10_007 + index * 237}",
            people=people,
            begun=people // 40,
            calls=people + people // 9,
            guided=led - 1,
            about_codes=led,
            victims=victims,
            active_days=days,
            first_seen=NOW - (days + 1) * DAY,
            last_seen=NOW - index * 9 * MINUTE,
            is_subscriber=index % 2 == 0,
            probability=chance,
        )
        name = "1f6b0c9d2e4a7788" if index == 0 else f"{index:016x}"
        yield listed(name, number, decisions)
    for index, (levels, cases, decisions) in enumerate((((1, 2), 3, (confirmed, over)), ((1,), 2, ()), ((3,), 1, ()))):
        key = "9c3d5e7f01a2b4c6" if index == 0 else f"{index + 16:016x}"
        account = AccountEvidence(
            account=Account(masked=f"****{1234 + index * 1111}", key=key),
            banks=("示例银行",),
            levels=levels,
            cases=cases,
            named_cases=tuple(f"A-2026-{118 - each}" for each in range(cases)),
            victims=cases,
            payments=cases,
            received_cny=48_000.0 * cases,
            frozen_cny=2_000.0,
            passed_on=cases - 1,
            fastest_min=14.5 if cases > 1 else None,
            first_seen=NOW - 3 * DAY,
            last_seen=NOW - (index + 1) * 31 * MINUTE,
            points=2 * cases,
        )
        yield listed(key, account, decisions)


def listed(name: str, evidence: Evidence, decisions: tuple[Decision, ...]) -> Risk:
    """A risk after these decisions."""
    status = decisions[-1].state if decisions else "open"
    return Risk(id=name, status=status, evidence=evidence, found_at=NOW - 2 * DAY, at=NOW, decisions=decisions)


def fill_audit(backroom: Backroom) -> None:
    """Note what was done that day before the auditor comes; what the pictures themselves do is of one moment."""
    backroom.console.audit._now = lambda: datetime.fromtimestamp(NOW / 1000, UTC)
    deeds: tuple[tuple[int, str, Deed, str, tuple[str, ...], dict[str, Plain]], ...] = (
        (312, "os:forewarn", "policy-followed", "", (), {"version": "2026-11"}),
        (290, "wu", "user-added", "", (), {"user": "qian", "role": "analyst", "unit": ""}),
        (211, "wang", "shown-case", TALKING, (), {}),
        (210, "wang", "shown-number", TALKING, ("number:8610000000008",), {}),
        (96, "qian", "look-up", "A-2026-118", (f"number:{FRAUD}",), {"since": "2026-10-28T06:24:00+00:00", "found": 6}),
        (64, "os:zhang", "state-saved", "", (), {"partitions": "all", "file": "sealed"}),
        (31, "li", "case-refused", NEW, (), {"action": "acknowledge"}),
        (12, "os:zhang", "ledger-expired", "", (), {"days": 1, "newest": "2026-10-27"}),
    )
    for minutes, who, did, case, about, details in deeds:
        at = datetime.fromtimestamp(NOW / 1000 - minutes * 60, UTC)
        AuditLog(backroom.audit_file, backroom.console.audit.keys, lambda at=at: at).note(  # type: ignore[misc]
            did, who=who, case=case, about=about, details=details
        )


@contextmanager
def console(folder: Path) -> Iterator[str]:
    """Serve the console with the cases of that day; yields its address."""
    with guarded() as watch:
        backroom = Backroom(Settings(redis=f"redis://{Valkey.at(folder, watch).address}/0"), folder)
        backroom.now = backroom.view.as_of = NOW
        backroom.reached = six_weeks()
        backroom.view.begin(case for case in a_day().values() if case.unit != "ps-0205")
        backroom.risks = {each.id: each for each in some_risks()}
        fill_ledger(folder)
        fill_audit(backroom)
        port = any_free_port()
        app = make_app(backroom.console, PAGES)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            backroom.view.close()
            server.should_exit = True
            thread.join(10)


def opened(browser: Browser, address: str, picture: Picture) -> Page:
    """Open a page with the settings of a picture."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "language", "value": picture.language, "url": address}])
    page = context.new_page()
    page.on("pageerror", lambda error: print(f"{picture.name}: {error}"))
    if picture.user:
        page.goto(f"{address}/sign-in")
        page.fill("#name", picture.user)
        page.fill("#password", GOOD)
        page.press("#password", "Enter")
        page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    page.goto(address + picture.path)
    for field, text in picture.typed:
        page.fill(field, text)
    if picture.typed:
        page.check("[name=type][value=number]")
    if picture.press:
        page.click(picture.press)
    page.wait_for_timeout(150)
    return page


def taken(browser: Browser, address: str, picture: Picture, file: Path) -> None:
    """Take a picture, and print a warning if the page is wider than the window."""
    page = opened(browser, address, picture)
    if (wide := int(page.evaluate("document.documentElement.scrollWidth"))) > picture.width:
        print(f"{file.name}: {wide} pixels wide")
    page.screenshot(path=file)
    if file.parent == IMAGES:
        _shrink(file)
    page.context.close()


def sheet_taken(browser: Browser, language: Language, file: Path) -> None:
    """Take a picture of a station's bulletin, as `forewarn bulletin` writes it."""
    weeks = edges(WEEK, ZONE)
    found = bulletin(six_weeks(), OFFICE.stations, "ps-0201", weeks, known_from=weeks[-5])
    page = browser.new_page(viewport={"width": 840, "height": 900})
    page.set_content(standalone(sheet(found, OFFICE.stations, read_playbooks(), ZONE, language), language))
    page.locator(".sheet").screenshot(path=file)
    page.close()
    _shrink(file)


def _shrink(file: Path) -> None:
    with Image.open(file) as shot:
        shot.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)


def top_taken(file: Path) -> None:
    """Draw `forewarn top` on a demo day, from what its programs served (`tests.overviews`)."""
    site = overview(*demo_day())
    terminal = Terminal(record=True, width=140, file=io.StringIO())
    terminal.print(drawn(site, worries(site), ZONE))
    svg = terminal.export_svg(title="forewarn top", unique_id="top")
    without_foreign_fonts = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    file.write_text(without_foreign_fonts, encoding="utf-8")


def all_pictures() -> Iterator[Picture]:
    """Every page, width, scheme and language."""
    for name, (user, path) in PATHS.items():
        for width, height in ((320, 700), (390, 844), (800, 900), (1440, 900)):
            for scheme in ("light", "dark") if width in (390, 1440) else ("light",):
                for language in ("zh", "en"):
                    yield Picture(
                        f"{name}-{language}-{width}-{scheme}",
                        path,
                        user,
                        width,
                        height,
                        scheme,
                        language,
                    )


def main() -> None:
    """Take the pictures of the docs, or every picture."""
    parser = argparse.ArgumentParser(description="Take the pictures of the docs.")
    parser.add_argument("--all", type=Path, metavar="DIR", help="every page into this folder instead")
    parser.add_argument("--only", default="", help="those whose name holds this")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    folder = asked.all or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [each for each in (all_pictures() if asked.all else PICTURES) if asked.only in each.name]
    languages: tuple[Language, ...] = ("zh", "en")
    if asked.only in "top":
        top_taken(folder / "top.svg")
    with chromium() as browser:
        for language in languages:
            if asked.only in (name := f"bulletin-{language}"):
                sheet_taken(browser, language, folder / f"{name}.png")
        if pictures:
            with tempfile.TemporaryDirectory() as place, console(Path(place)) as address:
                for picture in pictures:
                    taken(browser, address, picture, folder / f"{picture.name}.png")


if __name__ == "__main__":
    main()
