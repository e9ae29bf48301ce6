"""The steps a browser takes between LMS and tool: login, authorization, coming back from a picker."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from .deep_linking import DeepLinkError, take_response
from .login import FormPost, LoginInitiation, Refusal, authorize
from .visitor import GRADERS, STAFF, platform, require, visitor

browser = Blueprint("browser", __name__)


def _auto_form(url: str, method: str, fields: dict[str, str]) -> Response:
    answer = make_response(render_template("autopost.html", url=url, method=method, fields=fields))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _notice_page(title: str, text: str, status: int, course_id: str | None = None) -> Response:
    page = render_template("notice.html", title=title, text=text, course_id=course_id)
    return make_response(page, status)


def _start(login: LoginInitiation) -> Response:
    return _auto_form(login.url, login.method, login.fields)


@browser.get("/start/<course_id>/link/<link_id>", endpoint="login")
def start_link(course_id: str, link_id: str) -> Response:
    person, course = require(course_id)
    link = platform().links.get(link_id)
    if link is None or link.course_id != course.id:
        return _notice_page("Not found", "There is no such link in this course.", 404, course_id)
    target = "window" if request.args.get("target") == "window" else "iframe"
    return _start(platform().begin_launch(person.id, link_id, document_target=target))


@browser.get("/start/<course_id>/add", endpoint="login_deep_link")
def start_deep_link(course_id: str) -> Response:
    person, course = require(course_id, STAFF)
    module = request.args.get("module") or "Micro-credentials"
    client = request.args.get("tool") or None
    return _start(platform().begin_deep_link(person.id, course.id, client_id=client, module=module))


@browser.get("/start/<course_id>/review/<item_id>/<person_id>", endpoint="login_review")
def start_review(course_id: str, item_id: str, person_id: str) -> Response:
    person, course = require(course_id, GRADERS)
    item = platform().line_items.get(item_id)
    if item is None or item.course_id != course.id or person_id not in course.enrolments:
        return _notice_page("Not found", "There is no such grade in this course.", 404, course_id)
    return _start(platform().begin_review(person.id, item_id, person_id))


@browser.route("/auth", methods=["GET", "POST"], endpoint="auth")
def auth() -> Response:
    """The authorization endpoint. Without a session it comes back once by a form of its own, because
    a Lax cookie is not sent with a form that the tool's page posted."""
    repeated = [name for name, values in request.values.lists() if len(values) > 1]
    params = {name: value for name, value in request.values.items() if name != "repost"}
    if repeated:
        return _notice_page("Invalid request", f"{repeated[0]} was sent more than once.", 400)
    person = visitor()
    if person is None and "repost" not in request.values:
        return _auto_form(platform().auth_url, "POST", params | {"repost": "true"})
    answer = authorize(platform(), params, person.id if person else None)
    if isinstance(answer, Refusal):
        return _notice_page("Invalid request", answer.description, answer.status)
    return _form_post(answer)


def _form_post(answer: FormPost) -> Response:
    return _auto_form(answer.url, "POST", answer.fields)


@browser.post("/deep-link/<visit_id>", endpoint="deep_link_return")
def deep_link_return(visit_id: str) -> Response:
    """Where a picker's answer comes back; only the person who opened the picker may bring it."""
    person = visitor()
    if person is None and "repost" not in request.form:
        fields = {"JWT": request.form.get("JWT", ""), "repost": "true"}
        return _auto_form(platform().url(f"/deep-link/{visit_id}"), "POST", fields)
    visit = platform().visits.get(visit_id)
    if visit is None or person is None or visit.person_id != person.id:
        return _notice_page("Nothing was added", "This return address is not yours or not known.", 403)
    try:
        outcome = take_response(platform(), visit, request.form.get("JWT", ""))
    except DeepLinkError as error:
        text = f"The tool's answer was not accepted: {error}. Nothing was added."
        return _notice_page("Nothing was added", text, 400, visit.course_id)
    if outcome.error:
        platform().tell(person.id, "bad", outcome.error)
    if outcome.message:
        platform().tell(person.id, "good", outcome.message)
    count = len(outcome.links)
    platform().tell(person.id, "good", f"{count} {'item' if count == 1 else 'items'} added to the course.")
    page = render_template("returned.html", course_id=visit.course_id, count=count)
    return make_response(page)
