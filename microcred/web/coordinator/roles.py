"""Who in this course can have a grade, and who of them has not started: a part of the coordinator's pages
that arrives a moment later, since the LMS is asked.
"""

import json

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lti_tool.roster import read_roster
from microcred.operations import course_people, gradable
from microcred.operations.coordinating import key_after
from microcred.operations.gradable import Gradable
from microcred.web.base import surface, wants_fragment
from microcred.web.services import Services, services

blueprint = Blueprint("roles", __name__)

_KEPT_SECONDS = 600.0
_PAGE = 100


@blueprint.get("/course/roles")
def roles() -> ResponseReturnValue:
    """The part alone for the script, else a page with it. `quiet` shows it only where something is wrong;
    `fresh` asks the LMS again; `after` is how many of those who have not started were shown.
    """
    here, used = surface(), services()
    with used.database.reading() as session:
        place = gradable.place_of_course(session, here.actor)
    found = _look(used, place, fresh="fresh" in request.args) if place is not None else None
    waiting = None
    if place is not None and found is not None:
        with used.database.reading() as session:
            found = found.knowing(course_people.launched_as_staff(session, place.context_row_id))
            waiting = course_people.not_started(session, here.actor, found.learners)
    after = key_after(request.args.get("after"))
    template = "coordinator/_roles.html" if wants_fragment() else "coordinator/roles.html"
    return render_template(
        template,
        found=found,
        dialect=place.facts.dialect if place is not None else None,
        quiet="quiet" in request.args,
        waiting=waiting,
        names=(waiting or ())[after : after + _PAGE],
        next_key=after + _PAGE if waiting and len(waiting) > after + _PAGE else None,
    )


def _look(used: Services, place: gradable.Place, *, fresh: bool) -> Gradable | None:
    """None where the LMS does not say who is in the course. Kept for ten minutes."""
    if place.memberships_url is None:
        return None
    key = f"gradable:{place.context_row_id}"
    kept = None if fresh else used.lti.cache.get(key)
    if kept is not None:
        return Gradable.of_data(json.loads(kept))
    roster = read_roster(used.lti.client_for(place.facts), place.memberships_url)
    if not roster.members:
        return None
    with used.database.writing() as session:
        course_people.learn(session, place.context_row_id, roster, used.clock.now())
    found = gradable.judge(roster)
    if found.is_whole:
        used.lti.cache.put(key, json.dumps(found.as_data()).encode(), _KEPT_SECONDS)
    return found
