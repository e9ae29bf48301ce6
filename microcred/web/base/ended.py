"""What a page says when its session has ended: nothing typed is lost."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.sessions import SessionEnded
from microcred.web.base.incoming import typed_texts, wants_fragment

ENDED_STATUS = 401


def launch_ended_page(ended: SessionEnded) -> ResponseReturnValue:
    """The answer to a request of an ended launch: what was typed, and how to come back."""
    return _page(
        "Open this from your course again",
        "Go back to your course page and click the micro-credential again.",
        ended.reason,
    )


def desk_ended_page() -> ResponseReturnValue:
    """The answer to a request of an ended first-party session."""
    return _page(
        "Ask for a new link",
        "Your link opens this desk once. Ask the person who invited you for a new one.",
        "desk",
    )


def _page(title: str, what_to_do: str, reason: str) -> ResponseReturnValue:
    if wants_fragment():
        return {"ended": True, "message": what_to_do}, ENDED_STATUS
    texts = typed_texts() if request.method == "POST" else []
    page = render_template("base/ended.html", title=title, what_to_do=what_to_do, reason=reason, texts=texts)
    return page, ENDED_STATUS
