"""HTTP face of the services: token, line items, scores, results, members (AGS 2.0, NRPS 2.0)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, current_app, g, request

from . import ags, names, notices, throttle
from .dialects import Dialect
from .errors import USUAL, OAuthError, ServiceError
from .members import find_members
from .model import Course, LineItem, Tool
from .platform import Platform
from .tokens import bearer, grant

READ_ITEMS = (names.SCOPE_LINEITEM, names.SCOPE_LINEITEM_READ)


def services(dialect: Dialect) -> Blueprint:
    """The service endpoints at the addresses that a dialect has for them."""
    made = Blueprint("services", __name__)
    views: dict[str, tuple[Callable[..., Response], list[str]]] = {
        "token": (token, ["POST"]),
        "jwks": (jwks, ["GET"]),
        "lineitems": (items, ["GET", "POST"]),
        "lineitem": (one_item, ["GET", "PUT", "DELETE"]),
        "scores": (scores, ["POST"]),
        "results": (results, ["GET"]),
        "result": (one_result, ["GET"]),
        "memberships": (memberships, ["GET"]),
        "progress": (progress, ["GET"]),
        "notices": (notice_handlers, ["GET", "PUT"]),
    }
    for endpoint, (view, methods) in views.items():
        if endpoint in dialect.paths:
            made.add_url_rule(dialect.paths[endpoint], endpoint, view, methods=methods)
    made.register_error_handler(ServiceError, service_error)
    made.register_error_handler(OAuthError, oauth_error)
    if dialect.throttle is not None:
        made.before_request(_enter)
        made.after_request(_show_limit)
        made.teardown_request(_leave)
    return made


def platform() -> Platform:
    found: Platform = current_app.config["PLATFORM"]
    return found


def json_answer(body: Any, media_type: str = "application/json", status: int = 200) -> Response:
    answer = Response(json.dumps(body, ensure_ascii=False), status)
    answer.headers["Content-Type"] = media_type
    answer.headers["Cache-Control"] = "no-store"
    return answer


def service_error(error: ServiceError) -> Response:
    dialect = platform().dialect
    body = dialect.error_body(error.status, error.message) if error.body is USUAL else error.body
    if body is None:
        answer = Response(status=error.status)
    elif isinstance(body, str):
        answer = Response(body, error.status, mimetype="text/plain")
    else:
        answer = json_answer(body, dialect.error_type, error.status)
    said = dialect.error_reason(error.status, error.message, request.get_data().decode("utf-8", "replace"))
    if said is not None:
        # The wire carries bytes: what is not ASCII goes as UTF-8, as the LMSs' own servers send it.
        status, phrase = said
        answer.status = f"{status} {phrase}".encode().decode("latin-1")
        if status < 400:
            answer.set_data("[]")
    if error.status == 401 and dialect.says_www_authenticate:
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return answer


def oauth_error(error: OAuthError) -> Response:
    dialect = platform().dialect
    if dialect.oauth_error is not None:
        answer = Response(dialect.oauth_error(error), error.status)
        answer.headers["Content-Type"] = dialect.token_rules.media_type
    else:
        answer = json_answer(
            {"error": error.error, "error_description": error.description}, status=error.status
        )
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = f'Bearer error="{error.error}"'
    return answer


# -- the throttle ------------------------------------------------------------------------------


def _enter() -> None:
    if request.endpoint in ("services.token", "services.jwks"):
        return
    held = platform().access_tokens.get(request.headers.get("Authorization", "").rpartition(" ")[2])
    if held is None or not throttle.capacity(platform()):
        return
    g.client_id = held.client_id
    if not throttle.enter(platform(), held.client_id):
        raise ServiceError(403, "Rate limit", "403 Forbidden (Rate Limit Exceeded)")
    g.in_bucket = True


def _show_limit(answer: Response) -> Response:
    if "client_id" in g:
        rule = platform().dialect.throttle
        answer.headers["X-Request-Cost"] = str(rule.cost if rule and "in_bucket" in g else 0.0)
        left = throttle.remaining(platform(), g.client_id) if "in_bucket" in g else 0.0
        answer.headers["X-Rate-Limit-Remaining"] = str(left)
    return answer


def _leave(error: BaseException | None) -> None:
    if g.pop("in_bucket", False):
        throttle.leave(platform(), g.client_id)


# -- token and keys ----------------------------------------------------------------------------


def token() -> Response:
    if request.mimetype != "application/x-www-form-urlencoded":
        raise OAuthError(400, "invalid_request", "The body must be a form.")
    answer = json_answer(grant(platform(), request.form), platform().dialect.token_rules.media_type)
    answer.headers["Pragma"] = "no-cache"
    return answer


def jwks() -> Response:
    answer = json_answer(platform().keys.jwks())
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


# -- what all services ask ---------------------------------------------------------------------


def _tool(*scopes: str) -> Tool:
    return bearer(platform(), request.headers.get("Authorization", ""), *scopes)


def _accepts(endpoint: str, media_type: str) -> None:
    accepts = platform().dialect.accepts
    if accepts is not None:
        refused = accepts(endpoint, request.headers.get("Accept"), media_type)
    else:
        exact = any(value.lower() == media_type for value in request.accept_mimetypes.values())
        refused = 0 if exact else 406
    if refused:
        raise ServiceError(refused, f"Accept must name {media_type}.")


def _body(media_type: str) -> Any:
    loose = not platform().dialect.strict_content_type and request.mimetype.endswith("json")
    if request.mimetype != media_type and not loose:
        raise ServiceError(platform().dialect.wrong_type_status, f"Content-Type must be {media_type}.")
    try:
        return json.loads(request.get_data())
    except ValueError:
        raise ServiceError(400, "The body is not JSON.") from None


def _page(service: str, rows: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """One page of rows and the Link header to the next. The cursor's name and value are case-sensitive."""
    dialect = platform().dialect
    paging = dialect.paging
    limit = next((request.args[name] for name in paging.limits if name in request.args), None)
    if limit is not None and (not limit.isdigit() or int(limit) < 1):
        raise ServiceError(400, "limit must be a whole number of 1 or more.")
    size = int(limit) if limit else platform().page_size or dialect.page_sizes.get(service)
    largest = dialect.max_page_sizes.get(service)
    if largest is not None:
        size = min(size or largest, largest)
    try:
        cursor = request.args.get(paging.cursor)
        start = (paging.decode or _decode_cursor)(cursor) if cursor else 0
    except ValueError:
        raise ServiceError(400, "The page is not known.") from None
    if size is None or start + size >= len(rows):
        return rows[start:], {}
    mark = (paging.encode or _encode_cursor)(start + size)
    kept = [(k, v) for k, v in request.args.items(multi=True) if k != paging.cursor and k not in paging.drops]
    query = urlencode([*kept, (paging.cursor, mark)], quote_via=quote, safe="")
    header = paging.link(service, f"{platform().url(quote(request.path))}?{query}")
    return rows[start : start + size], {"Link": header.encode().decode("latin-1")}


def _encode_cursor(start: int) -> str:
    return base64.b64encode(b"\xfb\xff" + str(start).encode()).decode()


def _decode_cursor(cursor: str) -> int:
    return int(base64.b64decode(cursor, validate=True)[2:])


def _course(course_id: str) -> Course:
    return ags.require_course(platform(), course_id)


def _item(tool: Tool, course_id: str, item_id: str, endpoint: str) -> LineItem:
    return ags.require_item(platform(), tool, _course(course_id), item_id, endpoint)


# -- line items, scores, results ---------------------------------------------------------------


def items(course_id: str, **_: str) -> Response:
    state = platform()
    if request.method == "POST":
        tool = _tool(names.SCOPE_LINEITEM)
        create = state.dialect.create_item or ags.create_item
        body = _body(names.LINEITEM_TYPE)
        made = ags.line_item_json(state, create(state, tool, _course(course_id), body))
        if state.dialect.echoes_new_items:
            made = body | {"id": made["id"]}
        return json_answer(made, names.LINEITEM_TYPE, 201)
    tool = _tool(*READ_ITEMS)
    _accepts("lineitems", names.LINEITEMS_TYPE)
    rows, headers = _page("lineitems", ags.find_items(state, tool, _course(course_id), request.args))
    answer = json_answer([ags.line_item_json(state, item) for item in rows], names.LINEITEMS_TYPE)
    answer.headers.update(headers)
    return answer


def one_item(course_id: str, item_id: str, **_: str) -> Response:
    state = platform()
    tool = _tool(*(READ_ITEMS if request.method == "GET" else (names.SCOPE_LINEITEM,)))
    item = _item(tool, course_id, item_id, "lineitem")
    if request.method == "DELETE":
        status = state.dialect.delete_status(state, item)
        if status < 400:
            ags.delete_item(state, item)
        return Response(status=status)
    if request.method == "PUT":
        (state.dialect.change_item or ags.replace_item)(state, item, _body(names.LINEITEM_TYPE))
    else:
        _accepts("lineitem", names.LINEITEM_TYPE)
    return json_answer(ags.line_item_json(state, item), names.LINEITEM_TYPE)


def scores(course_id: str, item_id: str, **_: str) -> Response:
    state = platform()
    tool = _tool(names.SCOPE_SCORE)
    item = _item(tool, course_id, item_id, "scores")
    person_id = ags.post_score(state, item, _body(names.SCORE_TYPE))
    dialect = state.dialect
    url = ags.result_url(state, item, state.people[person_id])
    body = dialect.score_body(state, item, item.grades[person_id], url)
    if body is not None:
        return json_answer(body, names.SCORE_TYPE, dialect.score_status)
    return Response(status=dialect.score_status, headers={"Cache-Control": "no-store"})


def results(course_id: str, item_id: str, **_: str) -> Response:
    state = platform()
    tool = _tool(names.SCOPE_RESULT_READ)
    _accepts("results", names.RESULTS_TYPE)
    item = _item(tool, course_id, item_id, "results")
    if "limit" in request.args and not state.dialect.allows_result_limit:
        return Response("<!doctype html><title>Error</title><h1>Error</h1>", 404, mimetype="text/html")
    rows, headers = _page("results", ags.find_results(state, item, request.args.get("user_id")))
    answer = json_answer(rows, names.RESULTS_TYPE)
    answer.headers.update(headers)
    return answer


def one_result(course_id: str, item_id: str, person_id: str, **_: str) -> Response:
    state = platform()
    tool = _tool(names.SCOPE_RESULT_READ)
    _accepts("result", "application/vnd.ims.lis.v2.result+json")
    item = _item(tool, course_id, item_id, "result")
    path_id = state.dialect.result_path_id
    found = next((pid for pid in item.grades if path_id(state.people[pid]) == person_id), None)
    row = ags.result_json(state, item, found) if found else None
    if row is None:
        raise ServiceError(404, "There is no such result.")
    return json_answer(row, "application/vnd.ims.lis.v2.result+json")


def progress(progress_id: str, **_: str) -> Response:
    _tool(*platform().dialect.more_scopes)
    found = platform().progress.get(progress_id)
    if found is None:
        raise ServiceError(404, "There is no such progress.")
    return json_answer(found)


# -- members and notices -----------------------------------------------------------------------


def memberships(course_id: str, **_: str) -> Response:
    state = platform()
    tool = _tool(names.SCOPE_MEMBERS)
    _accepts("memberships", names.MEMBERS_TYPE)
    course = state.course_at(course_id)
    if course is None:
        raise ServiceError(404, "There is no such context.")
    found = find_members(state, tool, course, request.args.get("role", ""), request.args.get("rlid"))
    rows, headers = _page("memberships", found)
    context = {
        "id": state.dialect.context_id(course),
        "label": course.label or course.id,
        "title": course.title,
    }
    url = state.url(request.full_path.rstrip("?"))
    answer = json_answer({"id": url, "context": context, "members": rows}, names.MEMBERS_TYPE)
    answer.headers.update(headers)
    return answer


def notice_handlers(deployment: str, **_: str) -> Response:
    tool = _tool(names.SCOPE_NOTICES)
    if request.method == "GET":
        return json_answer(notices.handlers_of(platform(), tool, deployment))
    return json_answer(notices.set_handler(platform(), tool, deployment, request.get_json(silent=True)))
