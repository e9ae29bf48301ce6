"""HTTP face of the services: token, line items, scores, results, members (AGS 2.0, NRPS 2.0)."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, current_app, request
from werkzeug.datastructures import MIMEAccept

from . import ags, names
from .claims import identity
from .model import Course, Enrolment, Tool
from .names import CLAIMS
from .platform import Platform
from .tokens import OAuthError, ServiceError, bearer, grant

services = Blueprint("services", __name__)
READ_ITEMS = (names.SCOPE_LINEITEM, names.SCOPE_LINEITEM_READ)


def platform() -> Platform:
    found: Platform = current_app.config["PLATFORM"]
    return found


def json_answer(body: Any, media_type: str = "application/json", status: int = 200) -> Response:
    answer = Response(json.dumps(body, ensure_ascii=False), status)
    answer.headers["Content-Type"] = media_type
    answer.headers["Cache-Control"] = "no-store"
    return answer


@services.errorhandler(ServiceError)
def service_error(error: ServiceError) -> Response:
    body = platform().dialect.error_body(error.status, error.message)
    answer = json_answer(body, "application/problem+json", error.status)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


@services.errorhandler(OAuthError)
def oauth_error(error: OAuthError) -> Response:
    body = {"error": error.error, "error_description": error.description}
    return json_answer(body, status=error.status)


@services.post("/token", endpoint="token")
def token() -> Response:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "The body must be a form.")
    answer = json_answer(grant(platform(), request.form), platform().dialect.token_rules.media_type)
    answer.headers["Pragma"] = "no-cache"
    return answer


@services.get("/jwks", endpoint="jwks")
def jwks() -> Response:
    answer = json_answer(platform().keys.jwks())
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _tool(*scopes: str) -> Tool:
    return bearer(platform(), request.headers.get("Authorization", ""), *scopes)


def _accepts(media_type: str) -> None:
    accept: MIMEAccept = request.accept_mimetypes
    exact = any(value.lower() == media_type for value in accept.values())
    loose = not platform().dialect.strict_accept and (not accept or accept.quality(media_type) > 0)
    if not (exact or loose):
        raise ServiceError(406, f"Accept must name {media_type}.")


def _body(media_type: str) -> Any:
    if request.mimetype != media_type:
        raise ServiceError(415, f"Content-Type must be {media_type}.")
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ServiceError(400, "The body is not JSON.") from None


def _page(service: str, rows: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """One page of rows and the Link header to the next. The cursor's name and value are case-sensitive."""
    limit = request.args.get("limit")
    if limit is not None and (not limit.isdigit() or int(limit) < 1):
        raise ServiceError(400, "limit must be a whole number of 1 or more.")
    dialect = platform().dialect
    size = int(limit) if limit else platform().page_size or dialect.page_sizes.get(service)
    largest = dialect.max_page_sizes.get(service)
    if largest is not None:
        size = min(size or largest, largest)
    try:
        cursor = request.args.get("pAge")
        start = int(base64.b64decode(cursor, validate=True)[2:]) if cursor else 0
    except ValueError:
        raise ServiceError(400, "The page is not known.") from None
    if size is None or start + size >= len(rows):
        return rows[start:], {}
    mark = base64.b64encode(b"\xfb\xff" + str(start + size).encode()).decode()
    kept = [(k, v) for k, v in request.args.items(multi=True) if k != "pAge"]
    query = urlencode([*kept, ("pAge", mark)], quote_via=quote, safe="")
    url = platform().url(quote(request.path))
    return rows[start : start + size], {"Link": f'<{url}?{query}>; rel="next"'}


ITEMS_PATH = "/api/lti/courses/<course_id>/lineitems"
ITEM_PATH = ITEMS_PATH + "/<item_id>"


@services.route(ITEMS_PATH, methods=["GET", "POST"], endpoint="lineitems")
def items(course_id: str) -> Response:
    if request.method == "POST":
        tool = _tool(names.SCOPE_LINEITEM)
        item = ags.create_item(platform(), tool, course_id, _body(names.LINEITEM_TYPE))
        return json_answer(ags.line_item_json(platform(), item), names.LINEITEM_TYPE, 201)
    tool = _tool(*READ_ITEMS)
    _accepts(names.LINEITEMS_TYPE)
    rows, headers = _page("lineitems", ags.find_items(platform(), tool, course_id, request.args))
    answer = json_answer([ags.line_item_json(platform(), item) for item in rows], names.LINEITEMS_TYPE)
    answer.headers.update(headers)
    return answer


@services.route(ITEM_PATH, methods=["GET", "PUT", "DELETE"], endpoint="lineitem")
def one_item(course_id: str, item_id: str) -> Response:
    tool = _tool(*(READ_ITEMS if request.method == "GET" else (names.SCOPE_LINEITEM,)))
    item = ags.require_item(platform(), tool, course_id, item_id)
    if request.method == "DELETE":
        status = platform().dialect.delete_status(item)
        if status < 400:
            ags.delete_item(platform(), item)
        return Response(status=status)
    if request.method == "PUT":
        ags.replace_item(platform(), item, _body(names.LINEITEM_TYPE))
    else:
        _accepts(names.LINEITEM_TYPE)
    return json_answer(ags.line_item_json(platform(), item), names.LINEITEM_TYPE)


@services.post(ITEM_PATH + "/scores", endpoint="scores")
def scores(course_id: str, item_id: str) -> Response:
    tool = _tool(names.SCOPE_SCORE)
    item = ags.require_item(platform(), tool, course_id, item_id)
    person_id = ags.post_score(platform(), item, _body(names.SCORE_TYPE))
    dialect = platform().dialect
    body = dialect.score_body(ags.result_json(platform(), item, person_id)["id"])
    if body is not None:
        return json_answer(body, names.SCORE_TYPE, dialect.score_status)
    return Response(status=dialect.score_status, headers={"Cache-Control": "no-store"})


@services.get(ITEM_PATH + "/results", endpoint="results")
def results(course_id: str, item_id: str) -> Response:
    tool = _tool(names.SCOPE_RESULT_READ)
    _accepts(names.RESULTS_TYPE)
    item = ags.require_item(platform(), tool, course_id, item_id)
    rows, headers = _page("results", ags.find_results(platform(), item, request.args.get("user_id")))
    answer = json_answer(rows, names.RESULTS_TYPE)
    answer.headers.update(headers)
    return answer


@services.get("/api/lti/courses/<course_id>/memberships", endpoint="memberships")
def memberships(course_id: str) -> Response:
    tool = _tool(names.SCOPE_MEMBERS)
    _accepts(names.MEMBERS_TYPE)
    ags.require_course(platform(), course_id)
    course = platform().courses[course_id]
    link_id = request.args.get("rlid")
    if link_id is not None:
        link = platform().links.get(link_id)
        if link is None or link.course_id != course_id or link.client_id != tool.client_id:
            raise ServiceError(400, "rlid names no link of this tool in this context.")
    members = [_member(course, tool, pid, e, link_id) for pid, e in course.enrolments.items()]
    role = request.args.get("role")
    if role:
        wanted = role if "#" in role else f"{names.MEMBERSHIP}#{role}"
        members = [m for m in members if wanted in m["roles"]]
    rows, headers = _page("memberships", members)
    context = {"id": course.id, "label": course.label or course.id, "title": course.title}
    url = platform().url(request.full_path.rstrip("?"))
    answer = json_answer({"id": url, "context": context, "members": rows}, names.MEMBERS_TYPE)
    answer.headers.update(headers)
    return answer


def _member(
    course: Course, tool: Tool, person_id: str, enrolment: Enrolment, link_id: str | None
) -> dict[str, Any]:
    person = platform().people[person_id]
    member: dict[str, Any] = {
        "status": "Active" if enrolment.active else "Inactive",
        "user_id": platform().dialect.subject(person, course),
        "roles": platform().dialect.member_roles(enrolment.roles),
        **identity(person, tool),
    }
    if person.sourced_id and tool.privacy in ("public", "name_only"):
        member["lis_person_sourcedid"] = person.sourced_id
    if link_id is not None:
        custom = {k: v for k, v in platform().links[link_id].custom.items() if isinstance(v, str)}
        kind = {CLAIMS["message_type"]: "LtiResourceLinkRequest", CLAIMS["custom"]: custom}
        member["message"] = [kind]
    return member
