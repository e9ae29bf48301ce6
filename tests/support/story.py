"""People of the story, each in a browser of their own: what they click, as they would."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.support import chromium
from tests.support.demo import Demo

COURSE = "Active Classrooms, Fall cohort"
WORDS = (
    "We wrote three room rules together and kept them on the wall. Students listed ideas alone for four "
    "minutes, then sorted them into clusters and voted with a reason. Student A moved from one idea to six; "
    "the last sketch has a title and a change that came from a classmate. I counted notes before any talking "
    "and compared first and last drafts."
)
SLOW = 30_000
PLACES = {"canvas": "module_index_menu_modal", "schoology": "course_materials"}
"""Where content is chosen in an LMS that has several places for it."""


class Pictures:
    """Screenshots under names that sort in the order of the story; none where nobody asked for them
    (`MICROCRED_TEST_IMAGES`, as `make story` and `make screenshots` do): twenty take half a minute.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0

    def take(self, page: Page, name: str) -> None:
        """The whole page, as the next picture of the story."""
        self._number += 1
        if "MICROCRED_TEST_IMAGES" in os.environ:
            photograph(page, self._folder / f"{self._number:02d}-{name}.png")


def photograph(page: Page, path: Path, *, idle: bool = True) -> None:
    """The whole page as a small PNG, once it asks the network for nothing more (`idle`). A frame is only
    painted where the window reaches, so the window is made as high as the page.
    """
    width = page.viewport_size["width"] if page.viewport_size else 1100
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(max(height, 800), 6000)})
    if idle:
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(150 if idle else 1500)
    page.screenshot(path=path)
    # A page has few colours; a palette makes the file a third as large.
    Image.open(path).convert("RGB").quantize(192).save(path, optimize=True)
    page.set_viewport_size({"width": width, "height": 800})


class Files:
    """Small real files, each with content of its own (the same file twice is refused as a duplicate)."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0

    def for_words(self, takes: str) -> Path:
        """A new file that a requirement takes; `takes` is what the page says, such as `Pictures and PDF`."""
        self._number += 1
        colour = (self._number * 40 % 256, 200, 220)
        if "pictures" in takes.lower():
            path = self._folder / f"piece-{self._number}.png"
            Image.new("RGB", (640, 480), colour).save(path)
        elif "PDF" in takes:
            path = self._folder / f"notes-{self._number}.pdf"
            Image.new("RGB", (595, 842), colour).save(path, "PDF")
        else:
            path = self._folder / f"notes-{self._number}.txt"
            path.write_text(f"What was said, taken down by hand, page {self._number}.")
        return path


@contextmanager
def at_course(browser: Browser, demo: Demo, name: str, course: str = COURSE) -> Iterator[Page]:
    """Somebody in the LMS, on the page of a course."""
    with chromium.person(browser) as context:
        page = context.new_page()
        page.goto(demo.lms_url)
        page.get_by_role("region", name=course).or_(page.locator("section", has_text=course)).get_by_role(
            "button", name=name, exact=True
        ).first.click()
        expect(page.get_by_role("heading", name=course)).to_be_visible()
        yield page


@contextmanager
def at_desk(browser: Browser, link: str) -> Iterator[Page]:
    """Somebody who came by a one-time link."""
    with chromium.person(browser) as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Open my desk").click()
        expect(page.get_by_role("heading", name="Your desk")).to_be_visible()
        yield page


def tool(page: Page) -> FrameLocator:
    """The tool inside the LMS's page."""
    return page.frame_locator("iframe#tool")


def open_link(page: Page, title: str) -> FrameLocator:
    """Click a link of the course page; gives the tool in its frame."""
    page.get_by_role("link", name=title).first.click()
    frame = tool(page)
    expect(frame.locator("main")).to_be_visible(timeout=SLOW)
    return frame


def add_to_course(
    page: Page, title: str, scheme: str, lms: str = "plain", columns: Sequence[str] = ()
) -> None:
    """A coordinator adds a credential by deep linking, and does what this LMS wants before it shows.
    `columns` are those that the picker must have shown before.
    """
    where = page.get_by_label("Where")
    if lms in PLACES:
        where.select_option(PLACES[lms])
    page.get_by_role("button", name="Add content").click()
    frame = tool(page)
    frame.get_by_role("radio", name=title).check(timeout=SLOW)
    frame.get_by_role("radio", name=scheme).check()
    expect(frame.locator("#preview table")).to_be_visible()
    if columns:
        expect(frame.locator("#preview tbody th")).to_have_text(columns)
    frame.get_by_role("button", name="Add to course").click()
    if lms == "moodle":
        page.get_by_role("button", name="Save and return to course").click(timeout=SLOW)
    if lms == "canvas":
        page.get_by_role("button", name=re.compile("^Publish .* and all in it$")).first.click(timeout=SLOW)
    expect(page.get_by_role("link", name=title)).to_be_visible(timeout=SLOW)


def add_stack_to_course(page: Page, title: str, scheme: str, column: str, member: str) -> None:
    """A coordinator adds every micro-credential of a stack (`member` is one), and the column that counts
    them.
    """
    page.get_by_role("button", name="Add content").click()
    frame = tool(page)
    frame.get_by_text("Narrow it further").click(timeout=SLOW)
    frame.get_by_label("Show", exact=True).select_option("stack")
    frame.get_by_role("button", name="Search").click()
    frame.get_by_role("radio", name=title).check(timeout=SLOW)
    frame.get_by_role("radio", name=scheme).check()
    frame.get_by_role("checkbox", name="A column for the whole stack").check()
    expect(frame.locator("#preview tbody th").last).to_have_text(column)
    frame.get_by_role("button", name="Add to course").click()
    expect(page.get_by_role("link", name=member)).to_be_visible(timeout=SLOW)


def fill_part(frame: FrameLocator, files: Files) -> None:
    """Write every answer of the part that is open, confirm permissions, and add the evidence it asks for."""
    answers = frame.locator("textarea.answer:not([readonly])").all()
    for answer in answers:
        answer.fill(WORDS)
    for answer in answers:
        box = answer.locator("xpath=ancestor::*[contains(@class, 'box')]")
        expect(box.locator("[data-saved]")).to_contain_text("Saved", timeout=SLOW)
    confirm = frame.get_by_role("button", name="It is on file at school")
    while confirm.count():
        before = confirm.count()
        confirm.first.click()
        expect(confirm).to_have_count(before - 1, timeout=SLOW)
    for need in [need.get_attribute("id") for need in frame.locator("section.need").all()]:
        _give(frame, frame.locator(f"section#{need}"), files)


def _give(frame: FrameLocator, need: Locator, files: Files) -> None:
    count = need.locator(".tag.count")
    has, of = (int(n) for n in re.findall(r"\d+", count.inner_text())[:2])
    for number in range(has, of):
        need.get_by_text(re.compile(r"^\s*Add a file( or photo)?\s*$")).click()
        takes = need.locator("[id^=fh-]").inner_text()
        need.get_by_label("File", exact=True).set_input_files(files.for_words(takes))
        need.get_by_label("What it shows").first.fill(f"Piece {number + 1}, cropped")
        need.get_by_role("button", name="Add this file").click()
        expect(count).to_contain_text(f"{number + 1} of", timeout=SLOW)


def fill_all(frame: FrameLocator, files: Files) -> None:
    """Go through the parts from the credential's home and fill each one that is open."""
    links = frame.locator(".partlist a")
    expect(links.first).to_be_visible(timeout=SLOW)
    for number in range(links.count()):
        frame.locator(".partlist a").nth(number).click()
        expect(frame.locator("#part")).to_be_visible(timeout=SLOW)
        fill_part(frame, files)
        frame.locator(".bar-home").click()
        expect(frame.locator(".partlist")).to_be_visible(timeout=SLOW)


def submit(frame: FrameLocator) -> None:
    """Check, confirm every statement, submit."""
    frame.get_by_role("link", name=re.compile("Check and submit")).first.click()
    expect(frame.get_by_role("button", name="Submit for review")).to_be_enabled(timeout=SLOW)
    for box in frame.locator("input[name=confirm]").all():
        box.check()
    frame.get_by_role("button", name="Submit for review").click()
    waits = frame.get_by_role("heading", name="Submitted. It waits for a reviewer.")
    expect(waits).to_be_visible(timeout=SLOW)


def start_review(page: Page, title: str) -> None:
    """A reviewer takes the first try of a credential from the queue."""
    page.get_by_role("link", name=re.compile("^Review")).first.click()
    row = page.get_by_role("row").filter(has_text=title).first
    row.get_by_role("button", name=re.compile("^Start")).click()
    expect(page.locator("[data-review-desk]")).to_be_visible()
    page.wait_for_load_state("domcontentloaded")


def rate_all(page: Page, levels: Mapping[str, str], comment: str = "") -> None:
    """Rate every open criterion of every part with the keyboard.

    `levels` maps a criterion's title to the key to press (`1` is the lowest level); all others get the
    highest. Levels below passing get `comment`.
    """
    for number in range(page.locator(".steps a").count()):
        page.locator(".steps a").nth(number).click()
        page.wait_for_load_state("domcontentloaded")  # only then does the page's script hear the keys
        criteria = page.locator("fieldset.crit").all()
        for criterion in criteria:
            title = criterion.locator("legend").inner_text()
            options = criterion.locator("input[type=radio]")
            wanted = next((key for name, key in levels.items() if name in title), str(options.count()))
            options.first.focus()
            page.keyboard.press(wanted)
            expect(criterion.locator("input[type=radio]:checked")).to_have_count(1)
            if wanted != str(options.count()) and comment:
                criterion.locator("textarea").fill(comment)
                criterion.locator("textarea").blur()
        if criteria:  # those of a part that passed in an earlier try are kept
            expect(page.locator("#review-saved")).to_contain_text("Saved")


def fresh_desk(demo: Demo, name: str) -> str:
    """A new one-time link of somebody at the desk."""
    person = next(one for one in demo.command("person", "list") if one["name"] == name)
    return str(demo.command("person", "link", f"person:{person['person_id']}")["url"])


def finish(page: Page, label: str) -> None:
    """Finish the review that is open, with the button that its ratings lead to."""
    page.get_by_role("button", name=label).click()
    expect(page.get_by_text("You have finished this one.")).to_be_visible(timeout=SLOW)


def recommend(browser: Browser, reviewer_link: str, title: str) -> None:
    """A reviewer takes a try of a credential, rates all of it highest and recommends it."""
    with at_desk(browser, reviewer_link) as page:
        start_review(page, title)
        rate_all(page, {})
        finish(page, "Finish and recommend the award")


def award(browser: Browser, approver_link: str, teacher: str) -> None:
    """An approver awards what was recommended for somebody."""
    with at_desk(browser, approver_link) as page:
        page.get_by_role("link", name=re.compile("^Decide")).first.click()
        page.get_by_role("link", name=re.compile(teacher)).first.click()
        page.get_by_role("button", name="Award").click()
        expect(page.get_by_role("status")).to_contain_text("You awarded this")


Grades = dict[str, str]
"""What a gradebook shows for one person: by column, written `heading / of maximum`, the value alone."""


def open_gradebook(page: Page) -> None:
    """The LMS's gradebook of the course that is open."""
    page.get_by_role("link", name="Grades", exact=True).click()
    expect(page.get_by_role("heading", name="Grades")).to_be_visible()


def grades_of(page: Page, name: str) -> Grades:
    """Somebody's row in the open gradebook."""
    cells = page.get_by_role("row", name=name).locator("td > a").all_inner_texts()
    return dict(zip(columns_of(page), (re.split(r"\s+for ", cell)[0] for cell in cells), strict=True))


def columns_of(page: Page) -> list[str]:
    """The columns of the open gradebook."""
    heads = page.locator("table.grid thead th").all_inner_texts()[1:]
    return [re.sub(r"\s+", " ", head.replace("\n", " / ")) for head in heads]


def wait_for_grades(page: Page, name: str, wanted: Grades) -> list[str]:
    """Open the gradebook and look again until somebody's row shows these values (the worker needs a moment);
    the columns it has then, each as often as it is there.
    """
    open_gradebook(page)
    until = time.monotonic() + SLOW / 1000
    while not wanted.items() <= (shown := grades_of(page, name)).items():
        assert time.monotonic() < until, f"{wanted} is not in {shown}"
        page.wait_for_timeout(250)
        page.reload()
    return columns_of(page)


def comment_for(page: Page, name: str, column: str) -> str:
    """The words beside somebody's grade in the open gradebook."""
    number = list(grades_of(page, name)).index(column)
    words = page.get_by_role("row", name=name).locator("td").nth(number).locator(".comment")
    return words.inner_text() if words.count() else ""
