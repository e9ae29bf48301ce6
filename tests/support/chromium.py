"""Chromium as the tests drive it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

from tests.support import programs

# Only the list that is named last counts, so this begins with Playwright's own. After it: parts of the
# browser's window that are web pages themselves, drawn for every tab; without them a tab costs a third.
_TURNED_OFF = [
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "PreloadTopChromeWebUI",
]
# No sandbox: containers and root have none. The rest keeps the browser from talking to anybody but the tests.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(_TURNED_OFF)}",
]
# Newer Chromiums block them by themselves; older ones need to be told.
BLOCK_THIRD_PARTY_COOKIES = "--test-third-party-cookie-phaseout"
ALLOW_THIRD_PARTY_COOKIES = {"profile": {"cookie_controls_mode": 0}}
TIMEOUT_MS = 10_000


@contextmanager
def started_browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium with third-party cookies blocked. Raises MissingProgramError when there is none."""
    browser = playwright.chromium.launch(
        executable_path=programs.chromium(), args=[*ARGUMENTS, BLOCK_THIRD_PARTY_COOKIES]
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def person(browser: Browser, *, width: int = 1100, height: int = 800) -> Iterator[BrowserContext]:
    """A browser context of one person: cookies and storage of its own; the window's size is in CSS pixels."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def lenient_person(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """The same with third-party cookies allowed, which only a profile of its own can say."""
    preferences = profile / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps(ALLOW_THIRD_PARTY_COOKIES))
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=programs.chromium(),
        args=ARGUMENTS,
        viewport={"width": 1100, "height": 800},
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    context.set_default_timeout(TIMEOUT_MS)
    try:
        yield context
    finally:
        context.close()
