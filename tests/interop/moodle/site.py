"""A running Moodle, driven through its pages in Chromium as its people would. Knows nothing of how it was
installed, and uses no service of it.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, FilePayload, FrameLocator, Locator, Page, expect

from tests.interop.moodle.people import Account, as_csv
from tests.support import chromium

SLOW = 90_000


@dataclass(frozen=True)
class Course:
    """A course; `id` as its address has it."""

    id: str
    name: str


@dataclass(frozen=True)
class Grade:
    """A learner's line of the gradebook, as the learner's own report shows it."""

    item: str
    grade: str
    range: str
    feedback: str


@dataclass(frozen=True)
class Moodle:
    """The site at `url`, with its administrator."""

    url: str
    browser: Browser
    admin: str
    password: str
    failures: Path
    """Where a picture of the page goes on which a step failed."""

    @contextmanager
    def signed_in(self, who: Account | None = None) -> Iterator[Page]:
        """A browser of somebody's own, signed in; the administrator where nobody is named."""
        with chromium.person(self.browser, width=1280, height=1000) as context:
            context.set_default_timeout(SLOW)
            page = context.new_page()
            if who is None:
                self._sign_in(page, self.admin, self.password)
            else:
                self._sign_in(page, who.username, who.password)
            try:
                yield page
            except BaseException:
                page.screenshot(path=self.failures / "failed.png", full_page=True)
                raise

    def _sign_in(self, page: Page, name: str, password: str) -> None:
        """A script of the page takes away a password that was typed before it ran: then once more."""
        menu = page.locator("#user-menu-toggle")
        for _ in range(3):
            page.goto(f"{self.url}/login/index.php", wait_until="networkidle")
            page.locator("#username").fill(name)
            page.locator("#password").fill(password)
            with page.expect_navigation(timeout=SLOW):
                page.locator("#loginbtn").click()
            page.wait_for_load_state()
            if menu.count():
                return
        raise AssertionError(f"Moodle does not let {name} in")

    def go(self, page: Page, path: str) -> None:
        """Open a page, wait for its scripts, and close the tour that covers it for newcomers."""
        page.goto(f"{self.url}{path}")
        self._scripts_have_run(page)
        tour = page.locator("[data-role=end]:visible")
        if tour.count():
            tour.first.click()

    def _scripts_have_run(self, page: Page) -> None:
        """What is pressed before does nothing. Moodle counts what is pending, for its own browser tests."""
        page.wait_for_function(
            "() => window.M?.util && document.readyState === 'complete' && !M.util.pending_js?.length",
            timeout=SLOW,
        )

    def version(self, page: Page) -> str:
        """What the administrator's page of notifications says, such as `5.1.1+ (Build: 20260205)`."""
        self.go(page, "/admin/index.php?cache=1")
        found = re.search(r"\d\.\d+(?:\.\d+)?\+? \(Build: \d+\)", page.content())
        return found.group() if found else "unknown"

    # courses and people

    def make_course(self, page: Page, name: str, short_name: str) -> Course:
        """A new course in the first category."""
        self.go(page, "/course/edit.php?category=1")
        page.locator("#id_fullname").fill(name)
        page.locator("#id_shortname").fill(short_name)
        page.locator("#id_saveanddisplay").click()
        page.wait_for_url(re.compile(r"/(course/view|user/index|enrol/users)\.php\?id=\d+"))
        return Course(parse_qs(urlsplit(page.url).query)["id"][0], name)

    def upload_people(self, page: Page, people: Sequence[Account], short_name: str) -> None:
        """Accounts by the form "Upload users", enrolled in a course."""
        self.go(page, "/admin/tool/uploaduser/index.php")
        page.get_by_role("button", name="Choose a file...").click()
        picker = page.locator(".filepicker:visible")
        expect(picker).to_be_visible(timeout=SLOW)
        upload = picker.locator(".fp-repo", has_text="Upload a file")
        upload.first.click()
        file: FilePayload = {
            "name": "people.csv",
            "mimeType": "text/csv",
            "buffer": as_csv(people, short_name),
        }
        picker.locator("input[name=repo_upload_file]").set_input_files(file)
        picker.locator(".fp-upload-btn").click()
        expect(page.locator(".filepicker-filename", has_text="people.csv")).to_be_visible(timeout=SLOW)
        page.locator("#id_submitbutton").click()
        page.locator("#id_uupasswordnew").select_option("0")
        page.locator("#id_uuforcepasswordchange").select_option("0")
        page.locator("#id_submitbutton").click()
        expect(page.get_by_text(re.compile(rf"Users created: {len(people)}(?!\d)"))).to_be_visible(
            timeout=SLOW
        )

    # the tool in site administration and in a course

    def start_registration(self, page: Page, address: str) -> FrameLocator:
        """Paste an address of dynamic registration; gives the tool's page inside Moodle's."""
        self.go(page, "/mod/lti/toolconfigure.php")
        page.locator("#tool-url").fill(address)
        page.locator("#tool-create-button").click()
        frame = page.frame_locator("iframe[src*=startltiadvregistration]")
        # Where a tool of this host is there already, Moodle asks whether to update it.
        another = frame.locator("button[data-href*='type=0']")
        expect(frame.locator("main").or_(another).first).to_be_visible(timeout=SLOW)
        if another.count():
            another.click()
            expect(frame.locator("main")).to_be_visible(timeout=SLOW)
        return frame

    def tool_card(self, page: Page, client_id: str) -> Locator:
        """The tool's card among those of the site."""
        return page.locator(f".tool-card[data-clientid='{client_id}']")

    def show_in_chooser(self, page: Page, course: Course, type_id: str) -> None:
        """Switch the tool on in the activity chooser of a course."""
        self.go(page, f"/mod/lti/coursetools.php?id={course.id}")
        switch = page.locator(f"#showinactivitychooser-toggle-{type_id}")
        if not switch.is_checked():
            switch.click()
            expect(switch).to_be_checked(timeout=SLOW)

    def choose_content(self, page: Page, course: Course, tool_name: str) -> FrameLocator:
        """Add an activity of the tool from the chooser, up to the tool's own page for choosing."""
        self.go(page, f"/course/view.php?id={course.id}")
        editing = page.locator("input[name=setmode]")
        if not editing.is_checked():
            with page.expect_navigation():
                editing.click()
            self._scripts_have_run(page)
        chooser = self._open_chooser(page)
        chooser.locator("a[data-action=add-chooser-option]", has_text=tool_name).first.click()
        add = chooser.locator("button[data-action=add-selected-chooser-option]:visible")  # since 5.1
        page.wait_for_timeout(1000)
        if add.count():
            add.click()
        page.wait_for_url(re.compile(r"/course/modedit\.php"))
        self._scripts_have_run(page)
        page.get_by_role("button", name="Select content").click()
        return page.frame_locator("#contentitem-page-iframe")

    def _open_chooser(self, page: Page) -> Locator:
        """The activity chooser of the first section after General; since 5.0 it hides behind a plus sign."""
        section = page.locator("li.section[data-number='1']")
        opener = section.locator("[data-action=open-chooser]").last
        if not opener.is_visible():
            section.locator("button.add-content:visible, .divider button:visible").last.click()
        opener.click()
        return page.get_by_role("dialog").filter(has=page.locator("[data-region=chooser-container]"))

    def save_activity(self, page: Page) -> None:
        """Save and return to the course."""
        page.locator("#id_submitbutton2").click()
        page.wait_for_url(re.compile(r"/course/view\.php"), timeout=SLOW)

    def activities(self, page: Page, course: Course) -> dict[str, str]:
        """External tools of a course: their titles and the numbers of their pages."""
        self.go(page, f"/course/view.php?id={course.id}")
        links = page.locator("a[href*='/mod/lti/view.php?id=']").all()
        found = {}
        for link in links:
            title = re.sub(r"\s*External tool\s*$", "", link.inner_text()).strip()
            if title:
                found[title] = parse_qs(urlsplit(str(link.get_attribute("href"))).query)["id"][0]
        return found

    def open_activity(self, page: Page, number: str) -> FrameLocator:
        """Open an external tool; gives the tool in its frame, once it shows a page."""
        self.go(page, f"/mod/lti/view.php?id={number}")
        frame = page.frame_locator("#contentframe")
        expect(frame.locator("main")).to_be_visible(timeout=SLOW)
        return frame

    # gradebook

    def own_grades(self, page: Page, course: Course) -> list[Grade]:
        """The signed-in learner's report of a course."""
        self.go(page, f"/grade/report/user/index.php?id={course.id}")
        rows = page.locator("table.user-grade tr").filter(has=page.locator("td.column-grade"))
        return [
            Grade(
                item=row.locator("th.column-itemname .rowtitle, th.column-itemname").first.inner_text(),
                grade=_text_if_there(row.locator("td.column-grade")).split("\n")[0].strip(),
                range=_text_if_there(row.locator("td.column-range")),
                feedback=_text_if_there(row.locator("td.column-feedback")),
            )
            for row in rows.all()
        ]

    def gradebook_columns(self, page: Page, course: Course) -> list[str]:
        """The headings of the teacher's report."""
        self.go(page, f"/grade/report/grader/index.php?id={course.id}")
        return page.locator("#user-grades .gradeitemheader").all_inner_texts()

    # copies

    def import_course(self, page: Page, source: Course, target: Course) -> None:
        """Bring the activities of one course into another (Course reuse, Import), in one go."""
        self.go(page, f"/backup/import.php?id={target.id}&importid={source.id}&target=1")
        page.locator("[name=oneclickbackup]").click()
        page.get_by_role("button", name="Continue").click(timeout=SLOW)
        page.wait_for_url(re.compile(r"/course/view\.php"), timeout=SLOW)

    def copy_course(self, page: Page, source: Course, name: str, short_name: str) -> None:
        """Ask for a copy (Course reuse, Copy course); Moodle's cron makes it."""
        self.go(page, f"/backup/copy.php?id={source.id}")
        page.locator("#id_fullname").fill(name)
        page.locator("#id_shortname").fill(short_name)
        for role in page.get_by_role("checkbox", name=re.compile("Teacher", re.I)).all():
            role.check()
        with page.expect_navigation():
            page.locator("#id_submitreturn").click()

    def find_course(self, page: Page, name: str) -> Course | None:
        """A course by its name; None where there is none (yet)."""
        self.go(page, f"/course/search.php?areaids=core_course-course&q={name.replace(' ', '+')}")
        link = page.locator(".coursebox a[href*='/course/view.php?id=']", has_text=name)
        if not link.count():
            return None
        return Course(parse_qs(urlsplit(str(link.first.get_attribute("href"))).query)["id"][0], name)


def _text_if_there(cell: Locator) -> str:
    return cell.first.inner_text().strip() if cell.count() else ""
