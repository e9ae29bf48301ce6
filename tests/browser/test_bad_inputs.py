"""What goes wrong while a teacher works, as a person sees it: each time a clear message, and nothing lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from sqlalchemy import select
from werkzeug.wrappers import Request, Response

from microcred.people.models import LmsIdentity
from tests.browser.test_teacher_pages import Site, frame_page, framed, saved_text, served
from tests.functional.web.course import MovingClock, Visitor, build
from tests.functional.web.work import complete, events, picture, submit, write
from tests.support.servers import free_port

pytestmark = pytest.mark.long

PROGRAM = b"MZ\x90\x00" + b"\0" * 200
LONG = " ".join(["word"] * 201)


@Request.application
def nothing_here(_request: Request) -> Response:
    """A web site whose every page is gone."""
    return Response("Not found", 404)


@pytest.fixture(scope="module")
def site(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages, served; files up to 1 MB; links may lead to this machine."""
    folder = tmp_path_factory.mktemp("bad-inputs")
    copy = folder / "microcred.sqlite3"
    copy.write_bytes(migrated_sqlite_file.read_bytes())
    port, lms_port = free_port(), free_port()
    origin, lms = f"http://127.0.0.1:{port}", f"http://localhost:{lms_port}"
    course = build(
        f"sqlite:///{copy}", folder, MovingClock(), origin=origin, lms=lms, allow_hosts=("localhost",)
    )
    with served(port, course.app), served(lms_port, frame_page):
        yield Site(course, origin, lms)
    course.assembly.close()


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """A learner with a try of their own."""
    made = site.course.visitor()
    made.get()
    return made


@pytest.fixture
def page(site: Site, visitor: Visitor, browser_context: BrowserContext) -> Page:
    """Their browser."""
    site.enter(browser_context, visitor)
    return browser_context.new_page()


def at(site: Site, visitor: Visitor, path: str = "") -> str:
    """The address of a page of somebody's launch."""
    return f"{site.origin}/app/{visitor.launch}/{path}"


def relaunched(site: Site, visitor: Visitor) -> Visitor:
    """The same person, who opened the link from the course once more."""
    with site.course.assembly.database.reading() as session:
        query = select(LmsIdentity.id).where(LmsIdentity.person_id == visitor.person_id)
        return site.course.visitor((visitor.person_id, session.scalars(query).one()))


def group_of(page: Page, requirement: str = "p2-a1") -> Locator:
    """The place where evidence is added, its form for files open."""
    group = page.locator(f"#{requirement}")
    group.get_by_text("Add a file or photo").click()
    return group


def add(group: Locator, name: str, content: bytes) -> None:
    """Choose a file, and add it unless the page says at once that it will not do."""
    group.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )
    if not group.get_by_role("alert").count():
        group.get_by_role("button", name="Add this file").click()


def test_an_answer_of_201_words(site: Site, visitor: Visitor, page: Page) -> None:
    page.goto(at(site, visitor, "parts/p1"))
    box = page.locator("#p1-q1")
    box.locator("textarea.answer").fill(LONG)
    expect(box.locator("[data-over]")).to_contain_text(
        "Over the limit of 200 words by 1. It is kept as a draft."
    )
    expect(box.locator("[data-saved]")).to_contain_text("Saved")
    page.goto(at(site, visitor, "submit"))
    expect(page.locator("#ms + ul")).to_contain_text("has 201 words and the limit is 200. Take out 1 word.")
    expect(page.get_by_role("button", name="Submit for review")).to_be_disabled()
    assert saved_text(site, visitor) == LONG


def test_an_empty_part(site: Site, visitor: Visitor, page: Page) -> None:
    complete(visitor, site.course)
    write(visitor, "p4", "p4-q1", "", 1)
    page.goto(at(site, visitor, "submit"))
    button = page.get_by_role("button", name="Submit for review")
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description("You can submit once nothing is missing.")
    # A page that was opened before the answer was taken out, in another tab.
    button.evaluate("(one) => { one.disabled = false }")
    for statement in page.locator("input[name=confirm]").all():
        statement.check()
    button.click()
    expect(page.get_by_role("status").filter(has_text="Not submitted.")).to_be_visible()
    for statement in page.locator("input[name=confirm]").all():
        expect(statement).to_be_checked()
    page.locator("#ms + ul").get_by_role("link").click()
    expect(page.locator("#text-p4-q1")).to_be_in_viewport()
    assert events(site.course, "try_submitted") == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.png", b"", "This file is empty. Save it again and choose it once more."),
        ("board.png", PROGRAM, "is a program, whatever its name says"),
        ("huge.png", picture() + b"\0" * 1_200_000, "It is 1.2 MB and the limit is 1.0 MB."),
    ],
    ids=["of no bytes", "that is a program", "over the limit"],
)
def test_a_file(site: Site, visitor: Visitor, page: Page, name: str, content: bytes, said: str) -> None:
    write(visitor, "p1", "p1-q1", "Written before.")
    page.goto(at(site, visitor, "parts/p2"))
    group = group_of(page)
    add(group, "good.png", picture(7))
    expect(group.locator(".count")).to_have_text("1 of 2 pieces")
    group = group_of(page)
    add(group, name, content)
    told = group.locator("[role=alert], [role=status]").filter(has_text=said)
    expect(told).to_contain_text(f"“{name}” was not added")
    expect(group.locator(".count")).to_have_text("1 of 2 pieces")
    assert saved_text(site, visitor) == "Written before."


def test_a_link_to_nothing(site: Site, visitor: Visitor, page: Page) -> None:
    port = free_port()
    gone = f"http://localhost:{port}/board"
    with served(port, nothing_here):
        page.goto(at(site, visitor, "parts/p2"))
        group = page.locator("#p2-a1")
        group.get_by_text("Paste a link").click()
        group.get_by_label("Address of the page").fill(gone)
        group.get_by_role("button", name="Add this link").click()
        expect(group.get_by_role("status").filter(has_text="The link was not added")).to_be_visible()
        expect(group.get_by_label("Address of the page")).to_have_value(gone)
    expect(group.locator(".count")).to_have_text("0 of 2 pieces")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_submitting_by_a_double_click(
    site: Site, visitor: Visitor, browser_context: BrowserContext, script: bool
) -> None:
    before = events(site.course, "try_submitted")
    complete(visitor, site.course)
    browser = browser_context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=script) as context:
        page = context.new_page()
        page.goto(site.enter(context, visitor) + "submit")
        for statement in page.locator("input[name=confirm]").all():
            statement.check()
        page.get_by_role("button", name="Submit for review").dblclick()
        expect(page.get_by_role("heading", name="Submitted. It waits for a reviewer.")).to_be_visible()
    assert events(site.course, "try_submitted") == before + 1


def test_a_page_left_open_while_somebody_else_launches_in_the_next_tab(
    site: Site, visitor: Visitor, page: Page, browser_context: BrowserContext
) -> None:
    page.goto(at(site, visitor, "parts/p1"))
    other = site.course.visitor()
    other.get()
    tab = browser_context.new_page()
    tab.goto(site.enter(browser_context, other) + "parts/p1")
    tab.locator("#text-p1-q1").fill("Written by the second person.")
    expect(tab.locator("#p1-q1 [data-saved]")).to_contain_text("Saved")
    page.locator("#text-p1-q1").fill("Written by the first person.")
    expect(page.locator("#p1-q1 [data-saved]")).to_contain_text("Saved")
    assert saved_text(site, visitor) == "Written by the first person."
    assert saved_text(site, other) == "Written by the second person."


def test_a_session_that_ended_while_writing(
    site: Site, visitor: Visitor, page: Page, browser_context: BrowserContext
) -> None:
    page.goto(at(site, visitor, "parts/p1"))
    site.course.clock.move(hours=13)
    page.locator("#text-p1-q1").fill("Written through the evening.")
    said = page.locator("#p1-q1 [data-saved]")
    expect(said).to_contain_text("Open this from your course again")
    expect(page.locator("#text-p1-q1")).to_have_value("Written through the evening.")
    again = relaunched(site, visitor)
    site.enter(browser_context, again)
    expect(said).to_contain_text("Saved", timeout=15_000)
    assert saved_text(site, again) == "Written through the evening."
    page.get_by_role("link", name="Next: Work from two students").click()
    page.wait_for_url(f"**/app/{again.launch}/parts/p2")


def test_a_session_that_ended_while_writing_without_script(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    browser = browser_context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(site.enter(context, visitor) + "parts/p1")
        page.fill("#text-p1-q1", "Written through the night.")
        site.course.clock.move(hours=13)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Open this from your course again")
        expect(page.locator("textarea")).to_have_value("Written through the night.")


def test_a_framed_page_whose_session_ended_saves_after_the_relaunch(
    site: Site, visitor: Visitor, browser_context: BrowserContext
) -> None:
    page, frame = framed(site, visitor, browser_context)
    frame.get_by_role("link", name="Start", exact=True).click()
    expect(frame.locator("#text-p1-q1")).to_be_visible()
    site.course.clock.move(hours=4)
    frame.locator("#text-p1-q1").fill("Written through the evening.")
    expect(frame.locator("#p1-q1 [data-saved]")).to_contain_text("Open this from your course again")
    again = relaunched(site, visitor)
    framed(site, again, browser_context)
    page.bring_to_front()
    expect(frame.locator("#p1-q1 [data-saved]")).to_contain_text("Saved", timeout=15_000)
    assert saved_text(site, again) == "Written through the evening."


def test_a_second_submission_from_an_old_page(site: Site, visitor: Visitor, page: Page) -> None:
    before = events(site.course, "try_submitted")
    complete(visitor, site.course)
    page.goto(at(site, visitor, "submit"))
    for statement in page.locator("input[name=confirm]").all():
        statement.check()
    submit(visitor)
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_role("heading", name="Submitted. It waits for a reviewer.")).to_be_visible()
    assert events(site.course, "try_submitted") == before + 1
