"""The steps a browser takes between LMS and tool: login, authorization, coming back from a picker."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from .deep_linking import take_response
from .dialects import Dialect
from .errors import DeepLinkError, LaunchRefused
from .login import FormPost, LoginInitiation, Refusal, authorize, failed_check
from .services import json_answer
from .visitor import GRADERS, STAFF, platform, require, visitor

FORWARDED = {
    "client_id", "login_hint", "lti_message_hint", "lti_storage_target", "nonce", "prompt", "redirect_uri",
    "response_mode", "response_type", "scope", "state",
}  # fmt: skip


def browser(dialect: Dialect) -> Blueprint:
    """The steps of a browser, at the addresses that a dialect has for them."""
    made = Blueprint("browser", __name__)
    made.add_url_rule("/start/<course_id>/link/<link_id>", "login", start_link)
    made.add_url_rule("/start/<course_id>/tool/<placement>", "login_tool", start_tool)
    made.add_url_rule("/start/<course_id>/add", "login_deep_link", start_deep_link)
    made.add_url_rule("/start/<course_id>/review/<item_id>/<person_id>", "login_review", start_review)
    methods = ["GET", "POST"]
    if "authorize" in dialect.paths:
        made.add_url_rule(dialect.paths["auth"], "auth_entry", auth_entry, methods=methods)
        made.add_url_rule(dialect.paths["authorize"], "auth", auth, methods=methods)
    else:
        made.add_url_rule(dialect.paths["auth"], "auth", auth, methods=methods)
    path = dialect.paths["deep_link_return"]
    made.add_url_rule(path, "deep_link_return", deep_link_return, methods=["POST"])
    made.register_error_handler(LaunchRefused, no_launch)
    return made


def no_launch(error: LaunchRefused) -> Response:
    return _notice_page("This cannot be opened", str(error), 400)


def _auto_form(url: str, method: str, fields: dict[str, str]) -> Response:
    answer = make_response(render_template("autopost.html", url=url, method=method, fields=fields))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _notice_page(title: str, text: str, status: int, course_id: str | None = None) -> Response:
    page = render_template("notice.html", title=title, text=text, course_id=course_id)
    return make_response(page, status)


def _start(login: LoginInitiation) -> Response:
    return _auto_form(login.url, login.method, login.fields)


def start_link(course_id: str, link_id: str) -> Response:
    person, course = require(course_id)
    link = platform().links.get(link_id)
    if link is None or link.course_id != course.id:
        return _notice_page("Not found", "There is no such link in this course.", 404, course_id)
    target = "window" if request.args.get("target") == "window" else "iframe"
    return _start(platform().begin_launch(person.id, link_id, document_target=target))


def start_tool(course_id: str, placement: str) -> Response:
    """Open a tool from a place of the course's own, such as its menu."""
    person, course = require(course_id)
    client = request.args.get("tool") or None
    return _start(
        platform().begin_placement_launch(person.id, course.id, placement=placement, client_id=client)
    )


def start_deep_link(course_id: str) -> Response:
    person, course = require(course_id, STAFF)
    module = request.args.get("module") or "Micro-credentials"
    client, placement = request.args.get("tool") or None, request.args.get("placement") or None
    return _start(
        platform().begin_deep_link(person.id, course.id, client_id=client, module=module, placement=placement)
    )


def start_review(course_id: str, item_id: str, person_id: str) -> Response:
    person, course = require(course_id, GRADERS)
    item = platform().line_items.get(item_id)
    if item is None or item.course_id != course.id or person_id not in course.enrolments:
        return _notice_page("Not found", "There is no such grade in this course.", 404, course_id)
    return _start(platform().begin_review(person.id, item_id, person_id))


def auth_entry() -> Response:
    """The first authorization address of an LMS that has one for all its sites: on to the site's own."""
    state = platform()
    refused = failed_check(state, request.values.to_dict(), None, state.dialect.entry_checks)
    if isinstance(refused, Refusal):
        return _notice_page("Invalid request", refused.description, refused.status)
    query = urlencode({k: v for k, v in request.values.items() if k in FORWARDED})
    return make_response(redirect(f"{state.endpoint_url('authorize')}?{query}"))


def auth() -> Response:
    """The authorization endpoint. Without a session it comes back once by a form of its own, because
    a Lax cookie is not sent with a form that the tool's page posted."""
    repeated = [name for name, values in request.values.lists() if len(values) > 1]
    again = platform().dialect.repost_parameter
    params = {name: value for name, value in request.values.items() if name != again}
    if repeated:
        return _notice_page("Invalid request", f"{repeated[0]} was sent more than once.", 400)
    person = visitor()
    if person is None and again not in request.values:
        return _auto_form(platform().url(request.path), "POST", params | {again: "true"})
    answer = authorize(platform(), params, person.id if person else None)
    if isinstance(answer, Refusal):
        return _notice_page("Invalid request", answer.description, answer.status)
    return _form_post(answer)


def _form_post(answer: FormPost) -> Response:
    return _auto_form(answer.url, "POST", answer.fields)


def deep_link_return(**ids: str) -> Response:
    """Where a picker's answer comes back; only the person who opened the picker may bring it."""
    person, state = visitor(), platform()
    if person is None and "repost" not in request.form:
        fields = {"JWT": request.form.get("JWT", ""), "repost": "true"}
        return _auto_form(state.url(request.full_path.rstrip("?")), "POST", fields)
    course_id = None
    try:
        visit = state.visits.get(state.dialect.find_visit(state, ids, request.args.to_dict()))
        if visit is None or person is None or visit.person_id != person.id:
            return _notice_page("Nothing was added", "This return address is not yours or not known.", 403)
        course_id = visit.course_id
        outcome = take_response(state, visit, request.form.get("JWT", ""))
    except DeepLinkError as error:
        return _deep_link_refused(error, course_id)
    if outcome.error:
        state.tell(person.id, "bad", outcome.error)
    if outcome.message:
        state.tell(person.id, "good", outcome.message)
    for place, wrong in outcome.item_errors.items():
        state.tell(person.id, "bad", f"Item {place + 1} was not added: {wrong}")
    course_url = url_for("pages.course", course_id=visit.course_id)
    if outcome.draft is not None:
        count, course_url = len(outcome.draft.items), url_for("pages.draft", draft_id=outcome.draft.id)
        title = f"{items_word(count)} to save"
    else:
        title = f"{items_word(len(outcome.links))} added"
        state.tell(person.id, "good", f"{title} to the course.")
    return make_response(render_template("returned.html", back=course_url, title=title))


def items_word(count: int) -> str:
    """ "1 item", "2 items"."""
    return f"{count} {'item' if count == 1 else 'items'}"


def _deep_link_refused(error: DeepLinkError, course_id: str | None) -> Response:
    shape = platform().dialect.deep_link_refusal
    if shape is not None:
        status, body = shape(error)
        return json_answer(body, status=status)
    text = f"The tool's answer was not accepted: {error}. Nothing was added."
    return _notice_page("Nothing was added", text, 400, course_id)
