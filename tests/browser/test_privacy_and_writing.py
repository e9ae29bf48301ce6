"""Blurring a picture on the canvas, and the pages of permissions, notices and writing in Chromium."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select

from microcred.credentials.models import EvidenceItem
from microcred.people import grant, links
from microcred.people.models import Person
from tests.browser.test_teacher_pages import AXE, RULES, Site, site
from tests.functional.web.work import complete, upload

__all__ = ["site"]


def stripes() -> bytes:
    """A picture in which every detail shows."""
    image = Image.new("RGB", (400, 300), "white")
    for x in range(0, 400, 4):
        image.paste("black", (x, 0, x + 2, 300))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_what_is_blurred_in_the_browser_is_gone_from_the_file(site: Site, page: Page) -> None:
    course, visitor = site.course, site.course.visitor()
    visitor.get()
    upload(visitor, stripes())
    with course.assembly.database.reading() as session:
        before = session.scalars(select(EvidenceItem)).one()
    home = site.enter(page.context, visitor)
    page.goto(f"{home}parts/p2")
    page.get_by_role("link", name="Crop or blur").click()
    save = page.get_by_role("button", name="Save the changed picture")
    expect(save).to_be_disabled()
    page.get_by_label("From the left").fill("0")
    page.get_by_label("From the top").fill("0")
    page.get_by_label("How wide").fill("50")
    page.get_by_label("How high").fill("100")
    page.get_by_role("button", name="Blur this area").press("Enter")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(save).to_be_disabled()
    page.get_by_role("button", name="Blur this area").press("Enter")
    save.press("Enter")
    expect(page.get_by_text("The changed picture took the place of the old one")).to_be_visible()
    with course.assembly.database.reading() as session:
        after = session.scalars(select(EvidenceItem).where(EvidenceItem.removed_at.is_(None))).one()
    assert after.public_id != before.public_id
    assert after.storage_key is not None
    shown = Image.open(io.BytesIO(course.assembly.storage.read(after.storage_key))).convert("L")
    assert shown.size == (400, 300)
    left, right = shown.crop((20, 20, 180, 280)).tobytes(), shown.crop((220, 20, 380, 280)).tobytes()
    assert max(left) - min(left) < 100
    assert max(right) - min(right) > 180


@pytest.mark.long
def test_the_new_pages_are_open_to_everybody(site: Site, page: Page) -> None:
    """axe-core finds nothing, and nothing is wider than the window, at three widths."""
    course, visitor = site.course, site.course.visitor()
    visitor.get()
    complete(visitor, course)
    visitor.get("submit")
    course.assembly.make_worker().run_due()
    home = site.enter(page.context, visitor)
    with course.assembly.database.writing() as session:
        person = Person(name="Demo Author", created_at=course.clock.now())
        session.add(person)
        session.flush()
        grant(
            session,
            person_id=person.id,
            role="author",
            organization_id=course.issuer_id,
            now=course.clock.now(),
            by=None,
        )
        secret = links.invite(session, person.id, course.clock.now())
        item = session.scalars(select(EvidenceItem.public_id)).first()
    page.goto(f"{site.origin}/desk/enter?t={secret}")
    page.get_by_role("button").first.click()
    page.goto(f"{site.origin}/desk/author/")
    page.get_by_role("button", name=re.compile("New version of Helping")).click()
    draft = page.url.split("?")[0]
    places = [f"{home}{path}" for path in ("notices", "permissions", "submit", f"evidence/{item}/blur")]
    places += [f"{site.origin}/desk/author/", draft]
    places += [f"{draft}/{path}" for path in ("section/parts", "section/rule", "yaml", "preview")]
    for place in places:
        for width in (1100, 720, 320):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(place)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        page.evaluate(AXE)
        found = page.evaluate(
            "rules => axe.run({runOnly: {type: 'tag', values: rules}}).then(r => r.violations)", RULES
        )
        assert [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in found] == [], place
