"""What only a browser can see of the dialects: Canvas's platform storage, and pages of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from demo_lms import DIALECTS, Server, SigningKey

from .conftest import running
from .test_lms_in_chromium import COURSE, add_graded_link, be, check

ASK = """([message, direct]) => new Promise((done) => {
  addEventListener("message", (event) => {
    if (event.data.subject === message.subject + ".response") done(event.data);
  });
  const target = direct ? window : window.parent.frames["post_message_forwarding"];
  target.postMessage(direct ? message : JSON.stringify(message), "*");
  if (!direct) setTimeout(() => done(null), 3000);
})"""


@pytest.fixture
def lms_of(
    platform_key: SigningKey, tool_key: SigningKey, request: pytest.FixtureRequest
) -> Iterator[Server]:
    with running(DIALECTS[request.param], platform_key, tool_key) as server:
        yield server


@pytest.mark.parametrize("lms_of", ["canvas"], indirect=True)
def test_canvas_39_storage_is_by_origin_and_needs_a_key(page: Page, lms_of: Server) -> None:
    lms_of.platform.platform_storage = True
    add_graded_link(lms_of)
    be(page, lms_of, "Terry Demo-Teacher")
    page.get_by_role("main").get_by_role("link", name="Idea Shaper").click()
    expect(page.frame_locator("#tool").get_by_role("heading")).to_contain_text("Hello")
    frame = page.frame(name="tool")
    assert frame is not None

    def ask(subject: str, **fields: Any) -> dict[str, Any]:
        message = {"subject": subject, "message_id": f"m-{subject}", **fields}
        answer: dict[str, Any] = frame.evaluate(ASK, [message, False])
        return answer

    assert ask("lti.put_data", key="k", value="kept")["value"] == "kept"
    assert ask("lti.get_data", key="k")["value"] == "kept"
    assert ask("lti.get_data")["error"]["code"] == "bad_request"
    assert ask("lti.fetchWindowSize")["height"] > 0
    supported = ask("lti.capabilities")["supported_messages"]
    assert {"subject": "lti.put_data", "frame": "post_message_forwarding"} in supported
    other = page.evaluate(ASK, [{"subject": "lti.get_data", "message_id": "o", "key": "k"}, True])
    assert other["value"] is None
    assert "error" not in other


@pytest.mark.long
@pytest.mark.parametrize("width", [1100, 320])
@pytest.mark.parametrize("lms_of", sorted(set(DIALECTS) - {"plain"}), indirect=True)
def test_dialect_pages_are_accessible_and_fit(
    page: Page, lms_of: Server, width: int, images_folder: Path
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    platform = lms_of.platform
    name = platform.dialect.name
    link_id = add_graded_link(lms_of)
    (item,) = platform.line_items_of(link_id)
    platform.add_link(COURSE, "Not yet", published=False, module="Waiting")
    platform.courses[COURSE].unpublished_modules.append("Waiting")
    tool = next(iter(platform.tools.values()))
    tool.placements = ["course_navigation", "courses"]
    address = "http://x.test/launch"
    platform.add_tool("off-tool", address, [address], name="Other", enabled=False)
    be(page, lms_of, "Dana Demo-Coordinator")
    expect(page.get_by_text(f"Behaves like {platform.dialect.title}")).to_be_visible()
    course = f"{lms_of.url}/courses/{COURSE}"
    paths = {"course": "", "grades": "/grades", "cell": f"/grades/{item.id}/terry", "people": "/people"}
    for what, path in paths.items():
        check(page, course + path, images_folder / f"lms-{name}-{what}-{width}.png")
    check(page, f"{lms_of.url}/settings", images_folder / f"lms-{name}-settings-{width}.png")


@pytest.mark.long
@pytest.mark.parametrize("lms_of", ["canvas"], indirect=True)
def test_a_teacher_saves_and_publishes_what_the_picker_answered(
    page: Page, lms_of: Server, images_folder: Path
) -> None:
    be(page, lms_of, "Dana Demo-Coordinator")
    page.get_by_label("Where").select_option("assignment_selection")
    page.get_by_role("button", name="Add content").click()
    page.frame_locator("#tool").get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Save to finish")
    check(page, page.url, images_folder / "lms-canvas-draft.png")
    page.get_by_label("Name").fill("Shape ideas")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("1 item added to the course.")
    page.get_by_role("button", name="Publish Shape ideas").click()
    expect(page.get_by_role("status")).to_have_text("“Shape ideas” is published now.")
