"""The few places a person may go from the top bar, by what they may do."""

from dataclasses import dataclass

from flask import current_app, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lti_tool.protocol.names import DATA_PRIVACY_REQUEST
from microcred.operations import reading_notices
from microcred.web.base.surface import page_url, surface
from microcred.web.services import services


@dataclass(frozen=True)
class Place:
    """One link of the top bar."""

    label: str
    url: str
    is_here: bool


def navigation() -> list[Place]:
    """The links for this person on this surface; empty where there is only one place to be."""
    here = surface()
    if here.launch is not None and here.launch.deep_linking is not None:
        return []  # the LMS waits for a choice
    if here.launch is not None and here.launch.message_type == DATA_PRIVACY_REQUEST:
        return []  # there is no course behind it
    rights, offices = here.actor.rights, {office.role for office in here.actor.offices}
    wanted = [
        ("Desk", "home.index", here.name == "desk" and bool(offices)),
        ("My credential", "teacher.home", "submit" in rights),
        ("Credential", "teacher.preview", "submit" not in rights and "read" in rights),
        ("Course", "course.course", "see_progress" in rights),
        ("Reviews", "review.queue", "reviewer" in offices),
        ("Decisions", "approve.queue", "approver" in offices),
        ("Writing", "author.index", bool(offices & {"author", "approver"})),
        ("Platforms", "platforms.index", "operator" in offices),
        ("Deliveries", "outbox.index", "operator" in offices),
        ("People", "people.index", "operator" in offices),
    ]
    places = [
        Place(label, page_url(endpoint), request.endpoint == f"{here.name}.{endpoint}")
        for label, endpoint, may in wanted
        if may and f"{here.name}.{endpoint}" in current_app.view_functions
    ]
    return places if len(places) > 1 else []


def unread_notices() -> int:
    """How many notices this person has not seen; 0 where the database cannot be asked: a page that says so
    has a bar too.
    """
    try:
        with services().database.reading() as session:
            return reading_notices.unread(session, surface().actor)
    except (DBAPIError, PoolTimeout):
        return 0
