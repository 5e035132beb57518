"""Browser: the machine's Chromium, headless, for tests of the console and for the pictures in the docs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "There is no Chromium on the PATH, and the console's pages are looked at in one: install it (Debian: "
    "apt-get install chromium fonts-noto-cjk)."
)


def find_chromium() -> str | None:
    """The path of the machine's Chromium; None if there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; raises RuntimeError when none is installed."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        # Chromium refuses to run as root with its sandbox, and tests open only our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()
