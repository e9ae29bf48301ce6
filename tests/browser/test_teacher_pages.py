"""The teacher's pages in Chromium: saving by itself, choosing, coming back, in the frame, for everybody."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lti_tool.sessions import COOKIE
from tests.browser import looking
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.functional.web.work import picture
from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]


class Site:
    """The pages on a port of their own, and the course behind them."""

    def __init__(self, course: Course, origin: str, lms: str) -> None:
        self.course = course
        self.origin = origin
        self.lms = lms
        """Origin of an LMS whose every page frames the address after its question mark."""

    def handover(self, visitor: Visitor) -> str:
        """An address that opens a launch once, wherever it is opened."""
        secret = self.course.assembly.lti.sessions.make_handover(visitor.launch)
        return f"{self.origin}/app/{visitor.launch}/open?h={secret}"

    def enter(self, context: BrowserContext, visitor: Visitor) -> str:
        """Give a browser the cookie of a launch; the address of its first page."""
        value = self.course.assembly.lti.sessions.credential_for(visitor.launch)
        path = f"/app/{visitor.launch}/"
        context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": value,
                    "domain": "127.0.0.1",
                    "path": path,
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "None",
                }
            ]
        )
        return self.origin + path


@pytest.fixture
def site(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The pages, served."""
    port, lms_port = free_port(), free_port()
    origin, lms = f"http://127.0.0.1:{port}", f"http://localhost:{lms_port}"
    course = build(migrated_sqlite_url, tmp_path, MovingClock(), origin=origin, lms=lms)
    with served(port, course.app), served(lms_port, frame_page):
        yield Site(course, origin, lms)
    course.assembly.close()


@contextmanager
def served(port: int, application: Any) -> Iterator[None]:
    """A WSGI application on 127.0.0.1, in a thread."""
    server = make_server("127.0.0.1", port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@Request.application
def frame_page(request: Request) -> Response:
    """A page of an LMS: a frame, and the messages it sent."""
    return Response(
        f"""<!doctype html><title>Course</title><script>
        var heights = [];
        addEventListener("message", (event) => heights.push(event.data));
        </script><iframe width="1000" height="700" src="{escape(request.query_string.decode())}"></iframe>""",
        mimetype="text/html",
    )


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """A learner with a try."""
    made = site.course.visitor()
    made.get()
    return made


def saved_text(site: Site, visitor: Visitor) -> str:
    """What a fresh page shows in the first box of Part 1."""
    page = visitor.get("parts/p1").text
    found = re.search(r'id="text-p1-q1"[^>]*>\n(.*?)</textarea>', page, re.S)
    assert found is not None
    return found[1]


def test_words_are_saved_while_writing(site: Site, visitor: Visitor, browser_context: BrowserContext) -> None:
    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "parts/p1")
    box = page.locator("#p1-q1")
    box.locator("textarea.answer").fill("Four rules, in their words.")
    expect(box.locator("[data-words]")).to_have_text("5 of 200 words")
    expect(box.locator("[data-saved]")).to_have_text("Saved 10:42 AM")
    assert saved_text(site, visitor) == "Four rules, in their words."
    box.locator("textarea.answer").fill(" ".join(["word"] * 201))
    expect(box.locator("[data-over]")).to_contain_text("Over the limit of 200 words by 1.")
    page.get_by_role("link", name="Next: Work from two students").click()
    page.wait_for_url("**/parts/p2")
    assert saved_text(site, visitor).endswith("word word")


def test_two_tabs_end_in_a_choice_and_lose_nothing(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    address = site.enter(browser_context, visitor) + "parts/p1"
    first, second = browser_context.new_page(), browser_context.new_page()
    first.goto(address)
    second.goto(address)
    first.locator("#text-p1-q1").fill("from the first tab")
    expect(first.locator("#p1-q1 [data-saved]")).to_have_text("Saved 10:42 AM")
    second.locator("#text-p1-q1").fill("from the second tab")
    expect(second.locator("#p1-q1 .note")).to_contain_text("Nothing was overwritten")
    assert saved_text(site, visitor) == "from the first tab"
    assert looking.problems(second) == []
    second.get_by_role("button", name="Keep both").click()
    expect(second.locator("#p1-q1 [data-saved]")).to_have_text("Saved 10:42 AM")
    assert saved_text(site, visitor) == "from the first tab\n\nfrom the second tab"


def test_without_the_network_the_words_stay_and_are_saved_later(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "parts/p1")
    browser_context.set_offline(True)
    page.locator("#text-p1-q1").fill("On the train.")
    expect(page.locator("#p1-q1 [data-saved]")).to_contain_text("Keep writing")
    browser_context.set_offline(False)
    page.locator("#text-p1-q1").fill("On the train. And after.")
    expect(page.locator("#p1-q1 [data-saved]")).to_have_text("Saved 10:42 AM")
    assert saved_text(site, visitor) == "On the train. And after."


@pytest.mark.long
def test_evidence_is_added_and_removed_in_place(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "parts/p2")
    group = page.locator("#p2-a1")
    group.get_by_text("Add a file or photo").click()
    group.get_by_label("File", exact=True).set_input_files(
        {"name": "huge.png", "mimeType": "image/png", "buffer": picture() + b"\0" * 1_200_000}
    )
    expect(group.get_by_role("alert")).to_contain_text("“huge.png” was not added. It is 1.2 MB")
    group.get_by_label("File", exact=True).set_input_files(
        {"name": "board.png", "mimeType": "image/png", "buffer": picture()}
    )
    group.get_by_label("What it shows").first.fill("All ideas")
    group.get_by_role("button", name="Add this file").click()
    expect(group.locator(".count")).to_have_text("1 of 2 pieces")
    expect(page.locator("#p2-a1 .file-name")).to_have_text("All ideas")
    group.get_by_label("Remove All ideas").click()
    group.get_by_role("button", name="Yes, remove it").click()
    expect(group.locator(".count")).to_have_text("0 of 2 pieces")


def test_everything_works_without_script(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    browser = browser_context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as plain:
        page = plain.new_page()
        page.goto(site.enter(plain, visitor) + "parts/p1")
        page.fill("#text-p1-q1", "Written without script.")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").first).to_contain_text("Saved.")
        page.get_by_role("link", name="Next: Work from two students").click()
        page.locator("#p2-a1").get_by_text("Add a file or photo").click()
        page.set_input_files("#f-p2-a1", {"name": "board.png", "mimeType": "image/png", "buffer": picture()})
        page.locator("#p2-a1").get_by_role("button", name="Add this file").click()
        expect(page.locator("#p2-a1 .count")).to_have_text("1 of 2 pieces")
        page.get_by_role("button", name="Open in a new tab").click()
        expect(page.get_by_role("link", name="Open in a new tab")).to_be_visible()


@pytest.mark.long
def test_the_browser_counts_words_as_the_server_does(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page = browser_context.new_page()
    page.goto(site.enter(browser_context, visitor) + "parts/p1")
    vectors = json.loads((ROOT / "tests/data/word_vectors.json").read_text())
    counted = page.evaluate("(texts) => texts.map(countWords)", [one["text"] for one in vectors])
    assert counted == [one["words"] for one in vectors]


def test_in_the_lms_frame_the_page_tells_its_height_and_saves(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page, frame = framed(site, visitor, browser_context)
    frame.get_by_role("link", name="Start", exact=True).click()
    frame.locator("#text-p1-q1").fill("Written in the frame.")
    expect(frame.locator("#p1-q1 [data-saved]")).to_have_text("Saved 10:42 AM")
    assert saved_text(site, visitor) == "Written in the frame."
    told = page.evaluate("heights.at(-1)")
    assert told["subject"] == "lti.frameResize"
    html = frame.locator("html")
    assert told["height"] == html.evaluate("(html) => Math.ceil(html.getBoundingClientRect().height)")


@pytest.mark.long
def test_from_the_frame_a_page_opens_in_a_new_tab(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page, frame = framed(site, visitor, browser_context)
    with page.expect_popup() as opened:
        frame.get_by_role("button", name="Open in a new tab").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text(
        "Helping Students Generate and Shape Ideas"
    )
    opened.value.get_by_role("link", name="Start", exact=True).click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Overview questions")


@pytest.mark.long
def test_another_site_cannot_frame_a_page(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page = browser_context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text))
    page.goto(f"{site.lms.replace('localhost', '127.0.0.1')}/?{site.handover(visitor)}")
    page.wait_for_timeout(500)
    assert any("frame-ancestors" in text for text in errors)


def framed(site: Site, visitor: Visitor, context: BrowserContext) -> tuple[Page, FrameLocator]:
    """A course page of the LMS with the tool in its frame; the frame's cookie is set by a hand-over."""
    page = context.new_page()
    page.goto(f"{site.lms}/?{site.handover(visitor)}")
    return page, page.frame_locator("iframe")


@pytest.mark.parametrize("path", ["", "parts/p1"])
def test_the_first_pages_are_for_everybody(
    site: Site, visitor: Visitor, browser_context: BrowserContext, path: str
) -> None:
    """What is looked at of every page (`test_every_page.py`), of these two in every run."""
    page = browser_context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site.enter(browser_context, visitor) + path)
    faults = looking.plain_faults(page) + looking.size_faults(page, 320) + looking.problems(page)
    assert errors + faults == []
