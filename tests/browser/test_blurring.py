"""Blurring a picture on the canvas, in Chromium."""

import io

from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select

from microcred.credentials.models import EvidenceItem
from tests.browser.test_teacher_pages import Site, site
from tests.functional.web.work import upload

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
