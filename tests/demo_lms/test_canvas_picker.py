"""Canvas: lines 14 to 20 of the checklist, the picker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from demo_lms import SigningKey
from demo_lms.dialects import CANVAS

from .dialect_tool import DialectTool, Picker, item, lms
from .tool import LTI

X = "https://canvas.instructure.com/lti/"
DATES = {
    "available": {"startDateTime": "2026-11-01T00:00:00Z", "endDateTime": "2027-02-01T00:00:00Z"},
    "submission": {"startDateTime": "2026-11-02T00:00:00Z", "endDateTime": "2027-01-15T23:59:00Z"},
}
LINK, BOTH = "application/vnd.ims.lti.v1.ltilink", ["iframe", "window"]


@pytest.fixture
def canvas(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(CANVAS, platform_key, tool_key, "10000000000002", "3:" + "a" * 40) as tool:
        yield tool


def error(answer: Any) -> dict[str, str]:
    """The one error of a refused response."""
    assert answer.status_code == 400
    ((_, rows),) = answer.json()["errors"].items()
    found: dict[str, str] = rows[0]
    return found


@pytest.mark.parametrize(
    ("placement", "multiple", "types", "auto", "targets", "media"),
    [
        ("assignment_selection", False, ["ltiResourceLink"], False, BOTH, LINK),
        ("submission_type_selection", False, ["ltiResourceLink"], False, BOTH, LINK),
        ("course_assignments_menu", True, ["ltiResourceLink"], False, BOTH, LINK),
        ("link_selection", True, ["ltiResourceLink"], False, BOTH, LINK),
        ("module_index_menu_modal", True, ["ltiResourceLink"], True, BOTH, LINK),
        ("module_menu_modal", True, ["ltiResourceLink"], True, BOTH, LINK),
        (
            "editor_button",
            True,
            ["link", "file", "html", "ltiResourceLink", "image"],
            False,
            ["embed", "iframe", "window"],
            f"image/*,text/html,{LINK},*/*",
        ),
        ("homework_submission", False, ["file", "ltiResourceLink"], False, ["iframe"], "*/*"),
        ("migration_selection", False, ["file"], False, ["iframe"], LINK),
        ("conference_selection", False, ["link", "html"], True, BOTH, LINK),
        ("collaboration", False, ["ltiResourceLink"], True, ["iframe"], LINK),
    ],
)
def test_canvas_14_settings_by_placement(
    canvas: DialectTool, placement: str, multiple: bool, types: Any, auto: bool, targets: Any, media: str
) -> None:
    picker = Picker(canvas, placement=placement)
    assert picker.settings == {
        "accept_multiple": multiple,
        "accept_types": types,
        "auto_create": auto,
        "accept_presentation_document_targets": targets,
        "accept_media_types": media,
        "deep_link_return_url": picker.url,
    }
    assert "/deep_linking_response" in urlsplit(picker.url).path
    assert list(parse_qs(urlsplit(picker.url).query)) == ["data"]
    assert picker.claims["https://www.instructure.com/placement"] == placement


def test_canvas_15_issuer_is_the_client_and_audience_is_canvas(canvas: DialectTool) -> None:
    picker = Picker(canvas)
    assert error(picker.post(item(), iss="http://127.0.0.1:5000"))["message"] == "Client not found"
    assert error(picker.post(item(), aud="https://other.test"))["message"] == "the 'aud' is invalid"
    assert picker.post(item(), aud=["https://other.test", canvas.platform.issuer]).status_code == 200


def test_canvas_15_other_claims_are_not_looked_at(canvas: DialectTool) -> None:
    odd = {LTI + "deployment_id": "other", LTI + "message_type": "x", LTI + "version": "9", "nonce": None}
    assert len(Picker(canvas).take(item(), item(), **odd).links) == 2


def test_canvas_16_times_and_signature(canvas: DialectTool, platform_key: SigningKey) -> None:
    picker = Picker(canvas)
    now = int(canvas.clock().timestamp())
    wrong: dict[str, dict[str, Any]] = {
        "the 'iat' must be less than 300 seconds old": {"iat": now - 302},
        "the 'iat' must not be in the future": {"iat": now + 33, "exp": now + 90},
        "the JWT has expired": {"exp": now - 5},
        "the following assertions are missing: exp": {"exp": None},
    }
    for message, changes in wrong.items():
        assert error(picker.post(item(), **changes))["message"] == message
    forged = SigningKey(canvas.key.kid, platform_key.private)
    canvas.key, own = forged, canvas.key
    assert error(picker.post(item()))["message"] == "JWT verification failure"
    canvas.key = own
    assert error(picker.post(token="junk"))["message"] == "JWT format is invalid"
    assert picker.post(item(), iat=now - 290).status_code == 200


def test_canvas_17_data_counts_once_and_must_be_there(canvas: DialectTool) -> None:
    picker = Picker(canvas)
    bare = picker.url.partition("?")[0]
    assert error(picker.post(item(), url=bare))["type"] == "presence_required"
    assert error(picker.post(item(), url=bare + "?data=junk"))["type"] == "invalid_or_malformed"
    canvas.clock.let_pass(hours=2)
    assert picker.post(item()).status_code == 200, "its own expiry is ignored"
    again = picker.post(item())
    assert error(again) == {
        "attribute": "?data=JWT",
        "type": "already_used",
        "message": "the 'data' query parameter was used before",
    }
    assert list(again.json()["errors"]) == ["data_jwt"]


def test_canvas_18_items_fail_one_by_one_and_the_rest_is_unpublished(canvas: DialectTool) -> None:
    picker = Picker(canvas, placement="module_index_menu_modal")
    bad = item(lineItem={"label": "No points"})
    made = picker.take(item(**DATES), bad, item(title="Second", lineItem=...))
    assert list(made.item_errors) == [1]
    assert "lineItem.scoreMaximum" in made.item_errors[1]
    assert [link.title for link in made.links] == ["Feedback", "Second"], "the label beats the title"
    assert not any(link.published for link in made.links)
    assert {link.module for link in made.links} == {"New Content From App"}
    (column,) = made.line_items
    assert (column.published, column.score_maximum, column.resource_id) == (False, 20, "p-7")
    assert column.end == DATES["submission"]["endDateTime"]
    assert made.links[0].submission == {"endDateTime": DATES["submission"]["endDateTime"]}
    assert made.links[0].available == DATES["available"]
    canvas.be("u-1")
    assert "Feedback" not in canvas.page("/courses/c-1")
    canvas.be("dana")
    assert "Unpublished" in canvas.page("/courses/c-1")


def test_canvas_18_a_module_is_named_by_the_tool_or_is_the_chosen_one(canvas: DialectTool) -> None:
    named = Picker(canvas, placement="module_index_menu_modal")
    assert named.take(item(), **{X + "module_name": "Stack"}).links[0].module == "Stack"
    assert canvas.platform.courses["c-1"].unpublished_modules == ["Stack"]
    into = Picker(canvas, placement="module_menu_modal", module="Week 3").take(item())
    assert into.links[0].module == "Week 3"
    menu = Picker(canvas, placement="course_assignments_menu").take(item(), item())
    assert {link.module for link in menu.links} == {"Micro-credentials"}, "assignments only"
    mixed = Picker(canvas, placement="course_assignments_menu").take(item(), item(lineItem=...))
    assert {link.module for link in mixed.links} == {"New Content From App"}
    canvas.platform.publish_module("c-1", "Stack")
    assert canvas.platform.is_visible(named.tool.platform.links_in("c-1")[1])


def test_canvas_19_the_assignment_form_waits_for_the_teacher(canvas: DialectTool) -> None:
    before = dict(canvas.platform.links)
    picker = Picker(canvas, placement="assignment_selection", name="My own name")
    kept = item(**DATES, **{X + "preserveExistingAssignmentName": True})
    answer = picker.post(kept)
    assert "1 item to save" in answer.text
    assert canvas.platform.links == before
    (draft,) = canvas.platform.drafts
    page = canvas.page(f"/drafts/{draft}")
    assert "My own name" in page
    assert "Save and publish" in page
    canvas.http.post(f"{canvas.server.url}/drafts/{draft}", data={"do": "save", "title": ""}, timeout=5)
    (made,) = [link for link in canvas.platform.links.values() if link.id not in before]
    assert (made.title, made.available, made.submission, made.published) == ("My own name", {}, {}, False)
    other = Picker(canvas, placement="assignment_selection", name="My own name").take(item(**DATES))
    assert other.draft is not None
    saved = canvas.platform.save_draft(other.draft.id, publish=True)
    assert (saved.links[0].title, saved.links[0].published) == ("Feedback", True)
    assert saved.line_items[0].published


def test_canvas_19_a_form_can_be_left(canvas: DialectTool) -> None:
    made = Picker(canvas, placement="assignment_selection").take(item())
    assert made.draft is not None
    canvas.be("u-1")
    gone = canvas.http.get(f"{canvas.server.url}/drafts/{made.draft.id}", timeout=5)
    assert gone.status_code == 404, "a draft is its teacher's alone"
    canvas.be("dana")
    canvas.http.post(f"{canvas.server.url}/drafts/{made.draft.id}", data={"do": "cancel"}, timeout=5)
    assert (canvas.platform.drafts, len(canvas.platform.links)) == ({}, 1)


def test_canvas_19_one_ungraded_item_goes_back_to_the_module_dialog(canvas: DialectTool) -> None:
    assert Picker(canvas).take(item(lineItem=...)).draft is not None
    assert Picker(canvas).take(item()).draft is None
    assert len(Picker(canvas).take(item(lineItem=...), item(lineItem=...)).links) == 2
    assert Picker(canvas).take().links == [], "nothing chosen is good"


def test_canvas_20_nested_custom_values_are_dropped(canvas: DialectTool) -> None:
    made = Picker(canvas).take(item(custom={"a": {"b": 1}, "c": "x"}))
    canvas.platform.set_published(made.links[0].id)
    assert canvas.launch(link=made.links[0].id)[LTI + "custom"] == {"c": "x"}


def test_canvas_20_only_five_placements_take_line_items(canvas: DialectTool) -> None:
    for placement in ("editor_button", "collaboration"):
        made = Picker(canvas, placement=placement).take(item())
        assert (len(made.links), made.line_items) == (1, [])
    made = Picker(canvas, placement="submission_type_selection").take(item())
    assert made.draft is not None
    assert made.draft.items[0].column is None
