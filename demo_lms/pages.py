"""The pages of the demo LMS: who to be, courses, gradebook, people, settings."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from .model import Course, Grade, LineItem, Person
from .registration import configuration_url, new_registration_token
from .visitor import GRADERS, STAFF, platform, require, roles_in, visitor

pages = Blueprint("pages", __name__)
MAX_TEXT = 2000
ROLE_WORDS = {
    "TeachingAssistant": "Teaching assistant",
    "ContentDeveloper": "Content developer",
    "TestUser": "Test user",
}


@pages.app_context_processor
def _everywhere() -> dict[str, object]:
    person = visitor()
    return {
        "platform": platform(),
        "me": person,
        "notices": lambda: platform().take_notices(person.id) if person else [],
    }


@pages.app_template_filter()
def role_word(role: str) -> str:
    """A role's name for people, in the words of the LMS."""
    return platform().dialect.role_words.get(role) or ROLE_WORDS.get(role, role)


@pages.after_app_request
def _headers(answer: Response) -> Response:
    answer.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; frame-src http: https:; base-uri 'none'; frame-ancestors 'self'",
    )
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    return answer


@pages.app_errorhandler(HTTPException)
def _error(error: HTTPException) -> tuple[str, int] | AnyResponse:
    if error.code == 401:
        return redirect(url_for("pages.home", next=request.full_path))
    texts = {403: "The person you are may not see this page.", 404: "There is no such page."}
    text = texts.get(error.code or 500, error.description or error.name)
    return render_template("notice.html", title=error.name, text=text, course_id=None), error.code or 500


@pages.get("/")
def home() -> str:
    courses = [
        (
            course,
            [(p, course.enrolments[p.id]) for p in platform().people.values() if p.id in course.enrolments],
        )
        for course in platform().courses.values()
    ]
    return render_template("home.html", courses=courses, next=_own_path(request.args.get("next", "")))


def _own_path(path: str) -> str:
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else ""


@pages.post("/enter")
def enter() -> AnyResponse:
    person = platform().people.get(request.form.get("person", ""))
    if person is None:
        abort(404)
    session["person"] = person.id
    return redirect(_own_path(request.form.get("next", "")) or url_for("pages.home"))


@pages.post("/leave")
def leave() -> AnyResponse:
    session.clear()
    return redirect(url_for("pages.home"))


# -- a course ----------------------------------------------------------------------------------


def _course_page(template: str, course: Course, person: Person, **values: object) -> str:
    held = roles_in(course, person)
    place = platform().dialect.menu_placement
    menu = [(tool, place) for tool in platform().tools.values() if tool.enabled and place in tool.placements]
    common = {"course": course, "menu": menu, "staff": bool(held & STAFF), "grader": bool(held & GRADERS)}
    return render_template(template, **common, **values)


@pages.get("/courses/<course_id>")
def course(course_id: str) -> str:
    person, found = require(course_id)
    staff = bool(roles_in(found, person) & STAFF)
    links = [link for link in platform().links_in(course_id) if staff or platform().is_visible(link)]
    modules = dict.fromkeys([p.module for p in found.pages] + [link.module for link in links])
    columns = {item.resource_link_id: item for item in platform().visible_line_items(course_id, staff)}
    mine = [
        (item, platform().shown_score(item.id, person.id), item.grades.get(person.id))
        for item in columns.values()
    ]
    return _course_page(
        "course.html", found, person, modules=list(modules), links=links, columns=columns, mine=mine
    )


@pages.get("/courses/<course_id>/links/<link_id>")
def link(course_id: str, link_id: str) -> str:
    person, found = require(course_id)
    shown = platform().links.get(link_id)
    if shown is None or shown.course_id != course_id:
        abort(404)
    start = url_for("browser.login", course_id=course_id, link_id=link_id)
    return _course_page(
        "launch.html", found, person, title=shown.title, start=start, height=shown.height or 640,
        window=f"{start}?target=window", link=shown, origins=tool_origins(shown.client_id),
    )  # fmt: skip


def tool_origins(client_id: str) -> str:
    """The tool's web origins, space separated: whose messages the launch page listens to."""
    tool = platform().tools[client_id]
    urls = [tool.login_url, tool.launch_url, tool.deep_link_url, *tool.redirect_uris]
    return " ".join(sorted({"/".join(url.split("/")[:3]) for url in urls if url}))


@pages.post("/courses/<course_id>/links/<link_id>/remove")
def remove_link(course_id: str, link_id: str) -> AnyResponse:
    person, _ = require(course_id, STAFF)
    shown = platform().links.get(link_id)
    if shown is None or shown.course_id != course_id:
        abort(404)
    platform().remove_link(link_id)
    platform().tell(person.id, "good", f"“{shown.title}” and its grades were removed.")
    return redirect(url_for("pages.course", course_id=course_id))


@pages.get("/courses/<course_id>/add")
def add(course_id: str) -> str:
    person, found = require(course_id, STAFF)
    tools = [tool for tool in platform().tools.values() if tool.enabled and tool.in_chooser]
    client_id = request.args.get("tool") or (tools[0].client_id if tools else "")
    if client_id not in platform().tools:
        abort(404)
    module, placement = request.args.get("module", "Micro-credentials"), request.args.get("placement", "")
    query = urlencode({"module": module, "tool": client_id, "placement": placement})
    start = f"{url_for('browser.login_deep_link', course_id=course_id)}?{query}"
    return _course_page(
        "launch.html", found, person, title="Add content", start=start, height=720, window=None,
        link=None, origins=tool_origins(client_id),
    )  # fmt: skip


@pages.get("/message-forwarding")
def forwarding() -> str:
    """A frame without content that hands the tool's window messages to the launch page."""
    return render_template("forwarding.html")


@pages.get("/courses/<course_id>/tools/<placement>")
def menu_tool(course_id: str, placement: str) -> str:
    """A tool opened from the course's menu."""
    person, found = require(course_id)
    tool = platform().tools.get(request.args.get("tool", ""))
    if tool is None or placement not in tool.placements:
        abort(404)
    path = url_for("browser.login_tool", course_id=course_id, placement=placement)
    return _course_page(
        "launch.html", found, person, title=tool.name, start=f"{path}?{urlencode({'tool': tool.client_id})}",
        height=720, window=None, link=None, origins=tool_origins(tool.client_id),
    )  # fmt: skip


@pages.get("/courses/<course_id>/people")
def people(course_id: str) -> str:
    person, found = require(course_id)
    rows = [(platform().people[pid], enrolment) for pid, enrolment in found.enrolments.items()]
    return _course_page("people.html", found, person, rows=rows)


@pages.get("/courses/<course_id>/return")
def returned(course_id: str) -> str:
    """``return_url``: shows what the tool wants said (lti_msg, lti_errormsg).

    It asks for no session: in the tool's frame the Lax cookie may not come along.
    """
    if course_id not in platform().courses:
        abort(404)
    said = {k: request.args.get(k, "")[:MAX_TEXT] for k in ("lti_msg", "lti_errormsg")}
    return render_template("return.html", back=platform().courses[course_id], said=said)


# -- gradebook ---------------------------------------------------------------------------------


@pages.get("/courses/<course_id>/grades")
def grades(course_id: str) -> str:
    person, found = require(course_id)
    everybody = bool(roles_in(found, person) & GRADERS)
    items = platform().visible_line_items(course_id, everybody)
    learners = [
        platform().people[pid]
        for pid, enrolment in found.enrolments.items()
        if {"Learner", "TestUser"} & set(enrolment.roles) and (everybody or pid == person.id)
    ]
    return _course_page("grades.html", found, person, items=items, learners=learners)


def _cell(course_id: str, item_id: str, person_id: str) -> tuple[LineItem, Person]:
    item, person = platform().line_items.get(item_id), platform().people.get(person_id)
    if item is None or item.course_id != course_id or person is None:
        abort(404)
    return item, person


@pages.get("/courses/<course_id>/grades/<item_id>/<person_id>")
def cell(course_id: str, item_id: str, person_id: str) -> str:
    me, found = require(course_id)
    item, person = _cell(course_id, item_id, person_id)
    if person.id != me.id and not roles_in(found, me) & GRADERS:
        abort(403)
    history = [event for event in item.history if event.person_id == person_id]
    grade = item.grades.get(person_id) or Grade()
    return _course_page("cell.html", found, me, item=item, whose=person, grade=grade, history=history)


@pages.post("/courses/<course_id>/grades/<item_id>/<person_id>")
def set_grade(course_id: str, item_id: str, person_id: str) -> AnyResponse:
    me, _ = require(course_id, GRADERS)
    item, person = _cell(course_id, item_id, person_id)
    text = request.form.get("score", "").strip()
    try:
        score = float(text) if text else None
    except ValueError:
        score = float("nan")
    if score is not None and not 0 <= score < 1e9:
        platform().tell(me.id, "bad", "The grade was not changed: it must be a number of 0 or more.")
    else:
        platform().override_grade(item.id, person.id, score, request.form.get("comment", "")[:MAX_TEXT])
        platform().tell(me.id, "good", "The grade was saved.")
    return redirect(url_for("pages.cell", course_id=course_id, item_id=item_id, person_id=person_id))


@pages.get("/courses/<course_id>/grades/<item_id>/<person_id>/review")
def review(course_id: str, item_id: str, person_id: str) -> str:
    me, found = require(course_id, GRADERS)
    item, person = _cell(course_id, item_id, person_id)
    start = url_for("browser.login_review", course_id=course_id, item_id=item_id, person_id=person_id)
    return _course_page(
        "launch.html", found, me, title=f"{item.label}: {person.name}", start=start, height=640,
        window=None, link=None, origins=tool_origins(item.client_id),
    )  # fmt: skip


@pages.route("/courses/<course_id>/grades/<item_id>", methods=["GET", "POST"])
def column(course_id: str, item_id: str) -> str | AnyResponse:
    """A column's own page, where a teacher changes its label and maximum."""
    me, found = require(course_id, STAFF)
    item = platform().line_items.get(item_id)
    if item is None or item.course_id != course_id:
        abort(404)
    if request.method == "GET":
        return _course_page("column.html", found, me, item=item)
    label = request.form.get("label", "").strip()[:200]
    try:
        maximum = float(request.form.get("maximum", ""))
    except ValueError:
        maximum = 0
    if not label or not 0 < maximum < 1e9:
        platform().tell(me.id, "bad", "Nothing was changed: a column needs a name and a maximum above 0.")
    else:
        platform().edit_line_item(item_id, label=label, score_maximum=maximum)
        platform().tell(me.id, "good", "The column was saved.")
    return redirect(url_for("pages.grades", course_id=course_id))


# -- the LMS's own settings --------------------------------------------------------------------


@pages.get("/settings")
def settings() -> str:
    if visitor() is None:
        abort(401)
    return render_template("settings.html")


@pages.post("/settings")
def change_settings() -> AnyResponse:
    person = visitor()
    if person is None:
        abort(401)
    what = request.form.get("do", "")
    if what == "rotate":
        key = platform().rotate_keys()
        platform().tell(person.id, "good", f"Key {key.kid} signs from now on. The older keys stay published.")
    elif what == "retire":
        for key in list(platform().keys.published):
            if key is not platform().keys.current:
                platform().retire_key(key.kid)
        platform().tell(person.id, "good", "Only the signing key is published now.")
    elif what in ("activate", "activate_hidden", "switch_off"):
        client_id = request.form.get("tool", "")
        if client_id not in platform().tools:
            abort(404)
        if what == "switch_off":
            platform().tools[client_id].enabled = False
        else:
            platform().activate(client_id, in_chooser=what == "activate")
        platform().tell(person.id, "good", "The tool was switched.")
    elif what == "login":
        platform().login_method = "GET" if request.form.get("method") == "GET" else "POST"
        platform().platform_storage = "storage" in request.form
        platform().tell(person.id, "good", "The settings were saved.")
    return redirect(url_for("pages.settings"))


@pages.post("/settings/register")
def register_tool() -> str:
    """Open a tool's registration address in a frame, with our configuration and a fresh token."""
    if visitor() is None:
        abort(401)
    url = request.form.get("url", "").strip()
    if not url.startswith(("http://", "https://")):
        abort(400, "The registration address must be a web address.")
    token = new_registration_token(platform())
    query = urlencode(
        {"openid_configuration": configuration_url(platform(), token), "registration_token": token}
    )
    start = f"{url}{'&' if '?' in url else '?'}{query}"
    return render_template("register.html", start=start, origin="/".join(url.split("/")[:3]))
