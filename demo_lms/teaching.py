"""What a teacher does before learners see content: saving drafts, publishing; and marks beside a grade."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .browser import items_word
from .model import Draft, Person
from .pages import MAX_TEXT, pages
from .visitor import GRADERS, STAFF, platform, require, visitor


def _own_draft(draft_id: str) -> tuple[Draft, Person]:
    person, draft = visitor(), platform().drafts.get(draft_id)
    if person is None:
        abort(401)
    if draft is None or draft.person_id != person.id:
        abort(404)
    return draft, person


@pages.get("/drafts/<draft_id>")
def draft(draft_id: str) -> str:
    """The form that a picker filled in; nothing exists until it is saved."""
    found, _ = _own_draft(draft_id)
    course = platform().courses[found.course_id]
    return render_template("draft.html", draft=found, course=course, staff=True, grader=True, menu=[])


@pages.post("/drafts/<draft_id>")
def finish_draft(draft_id: str) -> AnyResponse:
    found, person = _own_draft(draft_id)
    what = request.form.get("do", "")
    if what == "cancel":
        platform().drafts.pop(draft_id, None)
        platform().tell(person.id, "good", "Nothing was added.")
    else:
        title = request.form.get("title", "").strip()[:MAX_TEXT]
        made = platform().save_draft(draft_id, title=title, publish=what == "publish")
        platform().tell(person.id, "good", f"{items_word(len(made.links))} added to the course.")
    return redirect(url_for("pages.course", course_id=found.course_id))


@pages.post("/courses/<course_id>/links/<link_id>/publish")
def publish_link(course_id: str, link_id: str) -> AnyResponse:
    person, _ = require(course_id, STAFF)
    link = platform().links.get(link_id)
    if link is None or link.course_id != course_id:
        abort(404)
    platform().set_published(link_id, not link.published)
    state = "published" if link.published else "unpublished"
    platform().tell(person.id, "good", f"“{link.title}” is {state} now.")
    return redirect(url_for("pages.course", course_id=course_id))


@pages.post("/courses/<course_id>/publish")
def publish_module(course_id: str) -> AnyResponse:
    person, course = require(course_id, STAFF)
    module = request.form.get("module", "")
    if module not in course.unpublished_modules:
        abort(404)
    platform().publish_module(course_id, module)
    platform().tell(person.id, "good", f"“{module}” and all that is in it are published now.")
    return redirect(url_for("pages.course", course_id=course_id))


@pages.post("/courses/<course_id>/grades/<item_id>/<person_id>/flag")
def set_flag(course_id: str, item_id: str, person_id: str) -> AnyResponse:
    me, _ = require(course_id, GRADERS)
    item, flag = platform().line_items.get(item_id), request.form.get("flag", "")
    known = ("", *platform().dialect.flags)
    if item is None or item.course_id != course_id or person_id not in platform().people or flag not in known:
        abort(404)
    platform().flag_grade(item_id, person_id, flag)
    platform().tell(me.id, "good", "The mark was saved.")
    return redirect(url_for("pages.cell", course_id=course_id, item_id=item_id, person_id=person_id))


__all__ = ["pages"]
