"""How a launch is bound to its browser, in real Chromium, with LMS and tool on different sites."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from demo_lms import Platform, serve
from tests.support.lti import World, lti_world, signing_key
from tests.support.servers import free_port

StartResponse = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Silent."""


@dataclass
class _Cookies:
    """A proxy before the tool that keeps or strips what it sets."""

    app: Any
    mode: str = "kept"

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            changed = []
            for name, value in headers:
                if name.lower() == "set-cookie" and self.mode == "none":
                    continue
                if name.lower() == "set-cookie" and self.mode == "unpartitioned":
                    value = value.replace("; Partitioned", "")
                changed.append((name, value))
            return start_response(status, changed, exc_info)

        found: Iterable[bytes] = self.app(environ, start)
        return found


@dataclass
class Here:
    """The tool and the LMS, both served."""

    world: World
    platform: Platform
    lms_url: str
    cookies: _Cookies

    def enter(self, page: Page, person: str = "u-1") -> None:
        """Sign in to the LMS."""
        page.goto(self.lms_url)
        page.context.request.post(f"{self.lms_url}/enter", form={"person": person})

    def open_link(self, page: Page, link: str = "rl-1") -> FrameLocator:
        """Open the activity in the course; gives its frame."""
        page.goto(f"{self.lms_url}/courses/c-1/links/{link}")
        return page.frame_locator("iframe#tool")


@contextmanager
def _served(world: World, port: int) -> Iterator[_Cookies]:
    proxy = _Cookies(world.app.wsgi_app)
    server = make_server("127.0.0.1", port, proxy, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def here(migrated_sqlite_url: str) -> Iterator[Here]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (
        lti_world(migrated_sqlite_url, settings={"public_url": url}) as world,
        _served(world, port) as cookies,
    ):
        # Chromium's own clock ends cookies, so the tool's must agree with it.
        world.clock.time = datetime.now(UTC)
        platform = Platform(keys=[signing_key("a-1")])
        platform.add_tool(
            "tool-l",
            f"{url}/lti/login",
            [f"{url}/lti/launch"],
            launch_url=f"{url}/lti/launch",
            deployment_id="dep-1",
            jwks={"keys": []},
        )
        platform.add_course("c-1", "Active Classrooms")
        for person in ("u-1", "u-2"):
            platform.add_person(person, f"{person} Demo-Teacher")
            platform.enrol("c-1", person)
        for link in ("rl-1", "rl-2"):
            platform.add_link("c-1", link, link_id=link)
        with serve(platform) as server:
            world.register("local", platform, server, "tool-l", "dep-1", auth_url=f"{server.url}/auth")
            yield Here(world, platform, server.url, cookies)


def _expect_opened(frame: FrameLocator, sub: str = "u-1") -> None:
    expect(frame.locator("body")).to_contain_text(f'"sub":"{sub}"', timeout=10_000)


def test_a_partitioned_cookie_binds_where_third_party_cookies_are_blocked(here: Here, page: Page) -> None:
    here.enter(page)

    _expect_opened(here.open_link(page))
    page.reload()
    _expect_opened(page.frame_locator("iframe#tool"))

    assert [launch.bound_by for launch in here.world.launches()] == ["cookie", "cookie"]


def test_two_framed_links_log_in_at_the_same_moment(here: Here, page: Page) -> None:
    here.enter(page)
    page.goto(f"{here.lms_url}/courses/c-1")
    page.evaluate(
        """() => { for (const link of ["rl-1", "rl-2"]) {
            const frame = document.createElement("iframe");
            frame.id = link; frame.src = `/start/c-1/link/${link}`; document.body.append(frame); } }"""
    )

    for link in ("rl-1", "rl-2"):
        _expect_opened(page.frame_locator(f"iframe#{link}"))


def test_two_people_in_two_tabs_of_one_browser_keep_apart(
    here: Here, browser_context: BrowserContext
) -> None:
    first, second = browser_context.new_page(), browser_context.new_page()
    here.enter(first, "u-1")
    _expect_opened(here.open_link(first), "u-1")
    here.enter(second, "u-2")
    _expect_opened(here.open_link(second), "u-2")

    frame = first.frames[-1]
    frame.goto(frame.url)
    _expect_opened(first.frame_locator("iframe#tool"), "u-1")


@pytest.mark.case("ST-17")
def test_platform_storage_binds_where_no_cookie_is_kept(here: Here, page: Page) -> None:
    here.cookies.mode = "none"
    here.platform.platform_storage = True
    here.enter(page)

    _expect_opened(here.open_link(page))

    assert here.world.launches()[0].bound_by == "storage"


_HELD = """
window.held = [];
addEventListener("message", (event) => {
    if (event.data?.subject !== "lti.put_data") return;
    event.stopImmediatePropagation();
    held.push(event);
}, true);
"""


@pytest.mark.long
def test_platform_storage_that_answers_late_is_still_used(here: Here, page: Page) -> None:
    """The way out is offered meanwhile; the hint was not used up, so either way leads in."""
    here.cookies.mode = "none"
    here.platform.platform_storage = True
    here.enter(page)
    page.add_init_script(_HELD)

    frame = here.open_link(page)
    expect(frame.get_by_role("link", name="Open in a new tab")).to_be_visible()
    page.evaluate("held.splice(0).forEach((event) => answerTool(event))")

    _expect_opened(frame)
    assert [launch.bound_by for launch in here.world.launches()] == ["storage"]


_WRONG = """
addEventListener("message", (event) => {
    const { subject, message_id, key } = event.data ?? {};
    if (subject !== "lti.get_data") return;
    event.stopImmediatePropagation();
    const answer = { subject: `${subject}.response`, message_id, key, value: "1.somebody-elses" };
    event.source.postMessage(answer, event.origin);
}, true);
"""


def test_platform_storage_that_gives_a_wrong_secret_opens_nothing(here: Here, page: Page) -> None:
    here.cookies.mode = "none"
    here.platform.platform_storage = True
    here.enter(page)
    page.add_init_script(_WRONG)

    frame = here.open_link(page)

    expect(frame.locator("[data-lti-error=browser_not_bound]")).to_contain_text("course", timeout=10_000)
    assert here.world.launches() == []


@pytest.mark.parametrize("storage", [False, True], ids=["no storage", "storage that never answers"])
def test_without_cookie_and_storage_a_new_tab_works(here: Here, page: Page, storage: bool) -> None:
    here.cookies.mode = "none"
    here.platform.platform_storage = storage
    here.enter(page)
    if storage:
        page.add_init_script("addEventListener('message', (event) => event.stopImmediatePropagation(), true)")

    frame = here.open_link(page)
    link = frame.get_by_role("link", name="Open in a new tab")
    expect(link).to_be_visible()
    here.cookies.mode = "kept"
    with page.context.expect_page() as opened:
        link.click()

    tab = opened.value
    expect(tab.locator("body")).to_contain_text('"sub":"u-1"')
    assert re.search(r"/app/\w+/$", tab.url)


def test_a_whole_tab_without_any_cookie_is_told_in_words(here: Here, page: Page) -> None:
    here.cookies.mode = "none"
    here.enter(page)
    page.goto(f"{here.lms_url}/start/c-1/link/rl-1")

    expect(page.locator("[data-lti-error=browser_not_bound]")).to_contain_text("course")
    assert here.world.launches() == []


def test_third_party_cookies_allowed_and_partitioned_unknown(
    here: Here, lenient_context: BrowserContext
) -> None:
    here.cookies.mode = "unpartitioned"
    page = lenient_context.new_page()
    here.enter(page)

    _expect_opened(here.open_link(page))
