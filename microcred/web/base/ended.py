"""What a page says when its session has ended: nothing typed is lost, and how the page finds its way back.

A page that stays open while its session ends keeps its text in the field. When its person opens the
micro-credential from the course again, in the same browser, the new launch has a cookie of its own there; the
waiting page asks `/app/<old L>/again` for the new address, fetches that launch's form token and saves.
"""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Launch, Registration
from lti_tool.protocol.names import DEEP_LINKING_REQUEST
from lti_tool.sessions import COOKIE, HEADER, SessionEnded
from microcred.web.base.headers import allow_frames
from microcred.web.base.incoming import typed_texts, wants_fragment
from microcred.web.services import services

ENDED_STATUS = 401
_CREDENTIAL_WAS_GOOD = frozenset({"expired", "idle", "ended"})

relaunch = Blueprint("relaunch", __name__)


def launch_ended_page(launch_id: str, reason: str) -> ResponseReturnValue:
    """The answer to a request of an ended launch: what was typed, and how to come back."""
    with services().database.reading() as session:
        allow_frames(_frame_origins(session, launch_id))
        was_choosing = session.scalar(select(Launch.message_type).where(Launch.public_id == launch_id))
    title = "This account is closed" if reason == "user_blocked" else "Open this from your course again"
    what_to_do = "Go back to your course page and click the micro-credential again."
    if was_choosing == DEEP_LINKING_REQUEST:
        what_to_do = "Nothing was added. Go back to your course page and begin adding content again."
    return _page(title, what_to_do, reason)


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


def _frame_origins(session: Session, launch_id: str) -> tuple[str, ...]:
    """Who may frame the pages of a launch, whatever became of it: this page too must be seen in its frame."""
    row = session.execute(
        select(*COLUMNS)
        .join(Launch, Launch.registration_id == Registration.id)
        .where(Launch.public_id == launch_id)
    ).one_or_none()
    return RegistrationFacts.of(row).frame_origins(services().lti.settings.allow_hosts) if row else ()


@relaunch.get("/app/<launch_id>/again")
def again(launch_id: str) -> ResponseReturnValue:
    """The person's next launch of the same link, for a page that waits; 204 while there is none.

    The address opens nothing by itself: it works only in a browser that holds the new launch's own cookie.
    """
    credential = request.cookies.get(COOKIE) or request.headers.get(HEADER)
    with services().database.reading() as session:
        try:
            services().lti.sessions.resolve(session, launch_id, credential)
        except SessionEnded as ended:
            if ended.reason in _CREDENTIAL_WAS_GOOD:
                following = _following(session, launch_id)
                if following is not None:
                    return {"launch": following}
    return "", 204


def _following(session: Session, launch_id: str) -> str | None:
    old = session.scalar(select(Launch).where(Launch.public_id == launch_id))
    if old is None:
        return None
    return session.scalar(
        select(Launch.public_id)
        .where(
            Launch.person_id == old.person_id,
            Launch.context_id == old.context_id,
            Launch.resource_link_id == old.resource_link_id,
            Launch.id > old.id,
        )
        .order_by(Launch.id.desc())
        .limit(1)
    )
