"""A long recording's way in Chromium: up with interruptions, prepared, and opened beside the rubric."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from microcred.people import links
from tests.browser.looking import problems
from tests.browser.test_teacher_pages import Site, frame_page, served
from tests.functional.web import tus
from tests.functional.web.course import MovingClock, Visitor, build
from tests.functional.web.test_evidence import items
from tests.functional.web.work import complete, events, submit, upload
from tests.support.servers import free_port
from tests.unit.media import samples

MIB = 1024 * 1024
PACE = 3 * MIB
"""Bytes a second that the narrowed connection carries."""


@pytest.fixture
def roomy(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The pages, served, with room for large files."""
    port, lms_port = free_port(), free_port()
    origin, lms = f"http://127.0.0.1:{port}", f"http://localhost:{lms_port}"
    course = build(migrated_sqlite_url, tmp_path, MovingClock(), origin=origin, lms=lms, max_upload_mb=100)
    with served(port, course.app), served(lms_port, frame_page):
        yield Site(course, origin, lms)
    course.assembly.close()


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """An MP4 of 30 MB: a second that plays, and what fills it up."""
    form = ["-f", "mp4", "-movflags", "+faststart"]
    codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "1", "-c:a", "aac"]
    path = samples.film(tmp_path / "Group talk.mp4", *form, *codecs)
    filling = random.Random(7).randbytes(30 * MIB)
    with path.open("ab") as file:
        file.write((len(filling) + 8).to_bytes(4, "big") + b"free" + filling)
    return path


def narrowed(page: Page) -> None:
    """Let the page's connection carry no more than `PACE` upwards."""
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": PACE},
    )


def choose(group: Locator, film: Path) -> None:
    """Add the film as a teacher does."""
    group.get_by_text("Add a file or photo").click()
    group.get_by_label("File", exact=True).set_input_files(film)
    group.get_by_role("button", name="Add this file").click()


def percent(group: Locator) -> int:
    """How far the bar is."""
    return int(group.get_by_role("progressbar").get_attribute("aria-valuenow") or 0)


def past(page: Page, group: Locator, least: int) -> None:
    """Wait until the bar is past `least` percent."""
    expect(group.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0")
    for _ in range(200):
        if percent(group) > least:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"the bar stays at {percent(group)}")


@pytest.mark.long
def test_an_upload_outlives_pauses_reloads_and_the_launch(
    roomy: Site, film: Path, browser_context: BrowserContext, images_folder: Path
) -> None:
    course = roomy.course
    person = course.person("Demo Filmer")
    visitor = course.visitor(person)
    visitor.get()
    page = browser_context.new_page()
    page.goto(roomy.enter(browser_context, visitor) + "parts/p2")
    group = page.locator("#p2-a1")
    narrowed(page)
    choose(group, film)
    past(page, group, 5)
    expect(group).to_contain_text("of 31 MB")
    group.get_by_role("button", name="Pause").click()
    expect(group.get_by_role("status")).to_contain_text("Paused. What has arrived is kept")
    assert problems(page) == []
    for width in (1100, 320):
        page.set_viewport_size({"width": width, "height": 800})
        group.screenshot(path=images_folder / f"upload-paused-{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1100, "height": 800})
    group.get_by_role("button", name="Go on").click()
    past(page, group, 35)

    # A reload in the middle: the page knows the file, and the same choice goes on.
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(group).to_contain_text("To go on, choose the same file again.")
    narrowed(page)
    choose(group, film)
    past(page, group, 20)
    expect(group.locator("[data-upload-id]")).to_have_count(0)

    # The launch ends; opened from the course again, this very page goes on.
    course.clock.move(hours=13)
    expect(group.get_by_role("status")).to_contain_text("Open this from your course again", timeout=15_000)
    again = course.visitor(person)
    roomy.enter(browser_context, again)
    expect(group).to_contain_text("All of it has arrived. It is being added.", timeout=30_000)
    tus.work_off(course)
    expect(group).to_contain_text("Video, 31 MB", timeout=15_000)
    [item] = items(course)
    assert (item.size, item.sha256) == (film.stat().st_size, hashlib.sha256(film.read_bytes()).hexdigest())


@pytest.mark.long
def test_a_lost_connection_goes_on_by_itself_and_stop_forgets(
    roomy: Site, film: Path, browser_context: BrowserContext
) -> None:
    visitor = roomy.course.visitor()
    visitor.get()
    page = browser_context.new_page()
    page.goto(roomy.enter(browser_context, visitor) + "parts/p2")
    group = page.locator("#p2-a1")
    narrowed(page)
    choose(group, film)
    past(page, group, 5)
    browser_context.set_offline(True)
    page.wait_for_timeout(500)
    browser_context.set_offline(False)
    past(page, group, 40)
    group.get_by_role("button", name="Stop").click()
    expect(group.get_by_role("progressbar")).to_have_count(0)
    expect(group.get_by_text("Add a file or photo")).to_be_focused()
    assert "choose the same file again" not in visitor.get("parts/p2").text


def reviewing(roomy: Site, context: BrowserContext) -> Page:
    """A demo reviewer at the desk."""
    course = roomy.course
    reviewer = course.officer("reviewer")
    with course.assembly.database.writing() as session:
        secret = links.invite(session, reviewer.person_id, course.clock.now())
    page = context.new_page()
    page.goto(f"{roomy.origin}/desk/enter?t={secret}")
    page.get_by_role("button", name="Open my desk").click()
    page.wait_for_url("**/desk/")
    return page


def handed_in(roomy: Site, film: Path) -> Visitor:
    """A try with a film that has captions, a voice memo and a PDF, prepared and handed in."""
    course = roomy.course
    visitor = course.visitor()
    visitor.get()
    complete(visitor, course)
    upload(visitor, film.read_bytes(), "Group talk.mp4")
    memo = ["-f", "amr", "-vn", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k"]
    upload(visitor, samples.film(film.with_name("memo.amr"), *memo).read_bytes(), "memo.amr")
    upload(visitor, samples.pdf(), "Notes.pdf")
    tus.work_off(course)
    talk = next(item for item in items(course) if item.file_name == "Group talk.mp4")
    captions = "WEBVTT\n\n00:00.000 --> 00:01.000\nA: We could sort them by colour."
    assert (
        visitor.post(f"evidence/{talk.public_id}/transcript", {"text-transcript": captions}).status_code
        == 303
    )
    submit(visitor)
    return visitor


@pytest.mark.long
def test_recordings_and_pdf_open_beside_the_rubric(
    roomy: Site, film: Path, browser_context: BrowserContext, images_folder: Path
) -> None:
    course = roomy.course
    visitor = handed_in(roomy, film)
    page = reviewing(roomy, browser_context)
    page.goto(f"{roomy.origin}/desk/review/{course.attempt(visitor.person_id).public_id}")
    page.get_by_role("button", name="Start").click()
    page.goto(page.url.partition("?")[0] + "?part=p2")
    before = events(course, "evidence_opened")
    gallery = page.locator(".gallery").first
    for summary in gallery.locator("details.view > summary").all():
        summary.click()
    page.wait_for_timeout(300)
    talk = gallery.locator("video").first
    talk.evaluate("(video) => { video.muted = true; return video.play(); }")
    talk.evaluate("(video) => new Promise((done) => { video.onseeked = done; video.currentTime = 0.8; })")
    assert talk.evaluate("(video) => [video.currentTime > 0.7, video.textTracks[0].cues.length]") == [True, 1]
    memo = gallery.locator("audio").first
    memo.evaluate("(sound) => { sound.muted = true; return sound.play(); }")
    expect(gallery.get_by_text("What is said in it", exact=True)).to_be_visible()
    assert events(course, "evidence_opened") >= before + 3
    assert problems(page) == []
    for width in (1100, 720, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=images_folder / f"desk-recordings-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
