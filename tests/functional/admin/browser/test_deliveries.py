"""Grades of a course and the operator's deliveries in Chromium."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

import grade_passback
from grade_passback.wire import SCOPES
from lti_tool.models import Context
from microcred import outbox
from microcred.outbox import OutboxRow
from microcred.outbox.models import OutboxDestination
from microcred.placements import GradeColumn, Placement
from tests.functional.admin.browser.test_in_chromium import Site, look, site, somebody_with_work, visit
from tests.functional.people.places import officer
from tests.functional.web.course import INSTRUCTOR

__all__ = ["site"]


def graded(site: Site, *ends: tuple[str, str | None]) -> None:
    """One awarded teacher for each end: state of their grade and why."""
    here = site.here
    with here.assembly.database.writing() as session:
        session.get_one(Context, here.context_id).ags_scopes = list(SCOPES)
        placement = session.scalars(
            select(Placement).where(Placement.resource_link_id == here.link_ids["mc-shape-ideas"])
        ).one()
        column = session.scalars(select(GradeColumn).where(GradeColumn.placement_id == placement.id)).one()
        column.lineitem_url = "http://localhost:8000/lineitems/1"
    for state, reason in ends:
        somebody_with_work(site)
        with here.assembly.database.writing() as session:
            newest = select(OutboxRow).where(OutboxRow.kind == "score").order_by(OutboxRow.id.desc()).limit(1)
            row = session.scalars(newest).one()
            row.state, row.reason, row.attempts = state, reason, 1
            row.last_tried_at = here.clock.now()
            row.finished_at = None if state == "waiting" else here.clock.now()
            row.last_answer = {"status": 403, "body": "The course has ended. " * 10}


@pytest.mark.long
def test_grades_of_a_course(site: Site, browser_context: BrowserContext) -> None:
    graded(
        site,
        ("delivered", None),
        ("waiting", "http_503"),
        ("blocked", "user_not_in_course"),
        ("blocked", "conflict"),
        ("blocked", "course_closed"),
    )
    staff = site.here.visitor(site.here.person("Demo Coordinator"), rights=INSTRUCTOR)
    page = browser_context.new_page()
    home = site.at_launch(browser_context, staff)
    visit(page, f"{home}course")
    expect(page.get_by_text("1 of 5 grades are in the gradebook, 1 on the way.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download results").click()
    assert download.value.suggested_filename == "micro-credential-results.csv"

    with site.here.assembly.database.writing() as session:
        row = session.scalars(
            select(OutboxRow).where(OutboxRow.state == "waiting", OutboxRow.kind == "score")
        ).one()
        row.state, row.finished_at = "delivered", site.here.clock.now()
    expect(page.get_by_text("2 of 5 grades are in the gradebook.")).to_be_visible(timeout=10_000)

    page.get_by_role("button", name="Send all that stopped").click()
    expect(page.get_by_text("Everything that had stopped is on its way again.")).to_be_visible()
    page.get_by_role("button", name="Compare with the gradebook").click()
    expect(page.get_by_text("The LMS did not show us its gradebook.")).to_be_visible()
    look(page)


@pytest.mark.long
def test_deliveries_of_an_operator(site: Site, page: Page) -> None:
    graded(site, ("blocked", "course_closed"), ("dead", "timeout"), ("waiting", "http_503"))
    now = site.here.clock.now()
    with site.here.assembly.database.writing() as session:
        outbox.stop_destination(session, grade_passback.destination_of(site.there.registration_id))
        name = grade_passback.destination_of(site.here.registration_id)
        trouble = session.get_one(OutboxDestination, name)
        trouble.failures, trouble.failing_since, trouble.pause_reason = 6, now, "not_answering"
    operator = officer(site.here, "operator", "Olga Operator")
    desk = site.at_desk(page, operator.person_id)
    visit(page, f"{desk}outbox")
    page.get_by_role("button", name="Send again").first.click()
    expect(page.get_by_text("It is on its way again.")).to_be_visible()
    page.get_by_role("button", name="Start Second Demo LMS").click()
    expect(page.get_by_text("It is being sent there again.")).to_be_visible()
    visit(page, f"{desk}outbox?state=waiting")
