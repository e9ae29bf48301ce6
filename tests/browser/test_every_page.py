"""Every page of the product as a tired teacher, a keyboard, a screen reader and a small screen meet it.

The addresses are those of the app itself: one that nobody has thought of fails the first test here.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import assemble
from tests.browser import looking
from tests.browser.building import town
from tests.browser.every_page import LED_TO, NO_PAGE, NO_PAGE_BELOW, PAGES, Shown
from tests.browser.town import Town
from tests.functional.people.places import at_desk
from tests.functional.web.course import MovingClock
from tests.support import chromium

EVERY = {shown.name: shown for shown in (one for views in PAGES.values() for one in views)}


def endpoints(app: Flask) -> set[str]:
    """Endpoints that answer GET, once where a page is both in a launch and at the desk."""
    rules = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()))
    return {rule.endpoint.removeprefix("app.").removeprefix("desk.") for rule in rules}


def test_every_address_has_a_page_here_or_a_reason_for_none(migrated_sqlite_url: str, tmp_path: Path) -> None:
    settings = Settings(
        database_url=migrated_sqlite_url, data_dir=tmp_path, secret_keys=["a secret of the tests alone"]
    )
    assembly = assemble(settings, MovingClock(), lambda: 0.5)
    try:
        found = endpoints(create_app(assembly))
    finally:
        assembly.close()
    known = set(PAGES) | set(NO_PAGE)
    there = {name for name in found if not name.startswith(tuple(NO_PAGE_BELOW))}
    assert there - known == set(), "say in tests/browser/every_page.py who opens these, or why nobody does"
    assert known - there == set(), "these are in tests/browser/every_page.py, and the app has them no more"
    assert set(PAGES) & set(NO_PAGE) == set()


@pytest.fixture(scope="module")
def everybody(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town of this module; nothing here changes it."""
    folder = tmp_path_factory.mktemp("town")
    copy = folder / "microcred.sqlite3"
    copy.write_bytes(migrated_sqlite_file.read_bytes())
    with town(f"sqlite:///{copy}", folder) as made:
        yield made


@pytest.fixture
def pictures(images_folder: Path) -> Path:
    """Where each page is left as a picture of each width."""
    folder = images_folder / "pages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", EVERY)
def test_page(everybody: Town, browser: Browser, pictures: Path, name: str) -> None:
    """At every width, and however somebody reads or works."""
    shown = EVERY[name]
    with chromium.person(browser) as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        go(everybody, context, page, shown)
        faults = look(page, pictures, name)
        assert not errors + faults, "\n".join(errors + faults)
    if not shown.needs_script:
        with browser.new_context(java_script_enabled=False) as plain:
            page = plain.new_page()
            go(everybody, plain, page, shown)
            assert looking.script_faults(page) == []


def go(everybody: Town, context: BrowserContext, page: Page, shown: Shown) -> None:
    """Open a page; it answers, and it is the one that was asked for."""
    address = everybody.address(context, shown.who, shown.path)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == shown.status
    assert page.url == address, f"{shown.name} leads elsewhere"
    page.wait_for_load_state("networkidle")


def look(page: Page, pictures: Path, name: str) -> list[str]:
    """What is wrong with the page that is open, and a picture of it at every width."""
    faults = looking.plain_faults(page)
    for width in looking.WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
    looking.open_folds(page)
    for width in looking.WIDTHS:
        faults += [f"{width}: {fault}" for fault in looking.size_faults(page, width)]
        faults += [f"{width}: {fault}" for fault in looking.problems(page)]
    faults += looking.keyboard_faults(page)
    faults += looking.motion_faults(page)
    faults += looking.colour_faults(page)
    faults += looking.zoom_faults(page)
    return faults


WALKERS = (
    *("writing", "revisions", "earned", "coordinator", "picker", "gradebook", "privacy"),
    *("reviewer", "second reviewer", "second approver", "author", "operator", "nobody"),
)
"""People who between them have a link to everything."""
OFTEN = 4
"""How many pages of one kind each of them looks at."""


@pytest.mark.long
def test_links_lead_to_every_page_and_back_from_it(everybody: Town) -> None:
    """Nobody has to know an address, and nobody is stuck. Followed without a browser."""
    reached: set[str] = set()
    stuck: dict[str, str] = {}
    for who in WALKERS:
        for endpoint, path, onward in walk(everybody, who):
            reached.add(endpoint)
            if not onward - {endpoint, "notices.page", "common.help_page"}:
                stuck[f"{who}: {path}"] = endpoint
    assert set(PAGES) - set(LED_TO) - reached == set()
    # Where the LMS waits for a choice, where there is no course, and for whom there is nothing: one page.
    alone = ("choosing.choose", "privacy.page", "home.index")
    assert {place: one for place, one in stuck.items() if one not in alone} == {}


def walk(everybody: Town, who: str) -> Iterator[tuple[str, str, set[str]]]:
    """Each kind of page that somebody comes to by links: endpoint, path, and the endpoints it links to."""
    course = everybody.course
    if who in everybody.launches:
        visitor = everybody.launches[who]
        client, waiting = visitor.client, [visitor.url()]
    else:
        client, waiting = at_desk(course, everybody.desks[who]).client, ["/desk/"]
    adapter = course.app.url_map.bind("127.0.0.1")
    seen: Counter[str] = Counter()
    been: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        endpoint = _endpoint(adapter, path)
        if endpoint not in PAGES or path in been or seen[endpoint] == OFTEN:
            continue
        been.add(path)
        answer = client.get(path)
        if answer.status_code == 303:
            waiting.insert(0, urlsplit(answer.location)._replace(scheme="", netloc="").geturl())
            continue
        assert answer.status_code == 200, (who, path)
        seen[endpoint] += 1
        links = [
            urljoin(path, html.unescape(link)) for link in re.findall(r'<a [^>]*href="([^"#]+)', answer.text)
        ]
        links = [urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl() for link in links]
        waiting += links
        yield endpoint, path, {one for link in links if (one := _endpoint(adapter, link))}


def _endpoint(adapter: MapAdapter, path: str) -> str:
    """The endpoint of an address of ours; empty for anything else."""
    try:
        return str(adapter.match(path.partition("?")[0])[0]).removeprefix("app.").removeprefix("desk.")
    except HTTPException:
        return ""
