"""Canvas LMS. Facts and their places in its source: docs of the platform, `ims/scores_controller.rb`."""

from collections.abc import Mapping
from typing import Any

from lti_tool.dialects import choosing, mending, plain
from lti_tool.dialects.base import CANVAS_SUBMISSION, FINAL_MOMENTS, Dialect, Reading, mentions, retry_after
from lti_tool.dialects.registering import CONTEXT_HISTORY, HISTORIES, Registering
from lti_tool.protocol.names import DEEP_LINKING_REQUEST, TOOL_CONFIGURATION

PLACEMENTS = {
    "assignment_selection": "Add a micro-credential",
    "course_assignments_menu": "Add micro-credentials",
    "link_selection": "Add a micro-credential",
    "module_index_menu_modal": "Add micro-credentials",
    "module_menu_modal": "Add micro-credentials",
}
"""Places in Canvas where content is chosen and a line item is honoured, with their labels."""
PRIVACY_LEVEL = "public"
"""Names and mail addresses; the tool works with less."""
_EXTENSION = "https://canvas.instructure.com/lti/"
_HOSTS = ("*.instructure.com", "*.canvaslms.com")


def classify(status: int, headers: Mapping[str, str], body: bytes) -> Reading:
    """Canvas throttles with a 403, says "missing scope" with a 401 and "older timestamp" with a 400."""
    if status in (403, 429) and (status == 429 or mentions(body, "rate limit exceeded")):
        return Reading("throttled", after=retry_after(headers))
    if status == 401 and mentions(body, "insufficient permissions"):
        return Reading("blocked", "scope_missing")
    if status == 400 and mentions(body, "before last updated timestamp"):
        return Reading("too_old")
    if status == 400 and mentions(body, "in the future"):
        # Our clock is ahead of theirs; the same bytes are right a little later.
        return Reading("retry", after=60)
    if status == 422:
        return Reading("blocked", _unprocessable(body))
    if status == 404 and mentions(body, "concluded"):
        return Reading("blocked", "course_closed")
    if status == 412:
        return Reading("blocked", "line_item_missing")
    return plain.classify(status, headers, body)


def _unprocessable(body: bytes) -> str:
    if mentions(body, "concluded"):
        return "course_closed"
    if mentions(body, "user not found in course", "not a student"):
        return "user_not_in_course"
    if mentions(body, "unpublished"):
        return "not_gradable"
    return "config_error"


def shape_score(score: dict[str, Any], moment: str, correction: bool) -> dict[str, Any]:
    """Say what Canvas shall do with its submission: a hand-in keeps the grade, a correction makes no new
    attempt.
    """
    if moment == "submitted":
        return {**score, CANVAS_SUBMISSION: {"new_submission": True, "preserve_score": True}}
    if correction or moment in FINAL_MOMENTS:
        return {**score, CANVAS_SUBMISSION: {"new_submission": False}}
    return score


def shape_registration(request: dict[str, Any]) -> dict[str, Any]:
    """Placements as Canvas names them. A message without placements would be put at `link_selection`, so only
    the one for choosing content is asked for; links launch all the same.
    """
    tool = request[TOOL_CONFIGURATION]
    messages = []
    for message in tool["messages"]:
        if message["type"] == DEEP_LINKING_REQUEST:
            for placement, label in PLACEMENTS.items():
                messages.append({**message, "label": label, "placements": [_EXTENSION + placement]})
    extended = {
        **tool,
        "messages": messages,
        f"{_EXTENSION}privacy_level": PRIVACY_LEVEL,
        f"{_EXTENSION}tool_id": "microcred",
    }
    return {**request, TOOL_CONFIGURATION: extended}


CANVAS = Dialect(
    name="canvas",
    classify=classify,
    service_hosts=("*.instructure.com",),
    moments=FINAL_MOMENTS | {"submitted"},
    comment="when_changed",
    reads_before_correcting=True,
    link_names_column=True,
    says_of_links=choosing.canvas,
    learner_word="Student",
    mending=mending.CANVAS,
    shape_score=shape_score,
    registering=Registering(
        families=("canvas",),
        # `$ResourceLink.id.history` is not known there.
        variables={CONTEXT_HISTORY: HISTORIES[CONTEXT_HISTORY]},
        shape=shape_registration,
        issuers={
            "https://canvas.instructure.com": _HOSTS,
            "https://canvas.beta.instructure.com": _HOSTS,
            "https://canvas.test.instructure.com": _HOSTS,
        },
        test_issuers=("https://canvas.beta.instructure.com", "https://canvas.test.instructure.com"),
        # Its token endpoint wants its own address as audience, whichever host is called.
        names_audience=False,
        site_name="https://canvas.instructure.com/lti/account_name",
        where_to_paste=(
            "In Canvas: Admin, Developer Keys, + Developer Key, + LTI Registration. Paste the address, go on."
            " A Canvas with a host name of its own is opened at its instructure.com name for this step."
        ),
        next_steps=(
            "Finish the dialog that Canvas shows next, then set the tool to On under Admin, Developer Keys.",
            "Open the tool once from a course. That first launch is refused and noted with its deployment;"
            " whoever runs this tool then lets it in.",
        ),
    ),
)
