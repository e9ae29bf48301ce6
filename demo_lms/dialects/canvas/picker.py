"""Deep linking of Canvas (``ims/deep_linking_controller.rb`` and its concerns, ``resource_placement.rb``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt

from ...errors import DeepLinkError
from ...model import DeepLinkVisit, PlannedItem, Tool
from ...names import CLAIMS
from ...tool_jwt import ToolJwtError, audience, unverified, verified_claims
from ...values import is_number, number_of, zoned_time
from ..parts import DeepLinkPlan
from .names import MODULE_NAME, PRESERVE_NAME

if TYPE_CHECKING:
    from ...state import State

_LINK = "application/vnd.ims.lti.v1.ltilink"
_BOTH = ["iframe", "window"]


def _settings(
    multiple: bool, types: list[str], auto: bool, targets: list[str], media: str = _LINK
) -> dict[str, Any]:
    return {
        "accept_multiple": multiple,
        "accept_types": types,
        "auto_create": auto,
        "accept_presentation_document_targets": targets,
        "accept_media_types": media,
    }


_EDITOR = ["link", "file", "html", "ltiResourceLink", "image"]
PLACEMENTS: Mapping[str, Mapping[str, Any]] = {
    "link_selection": _settings(True, ["ltiResourceLink"], False, _BOTH),
    "assignment_selection": _settings(False, ["ltiResourceLink"], False, _BOTH),
    "submission_type_selection": _settings(False, ["ltiResourceLink"], False, _BOTH),
    "course_assignments_menu": _settings(True, ["ltiResourceLink"], False, _BOTH),
    "module_index_menu_modal": _settings(True, ["ltiResourceLink"], True, _BOTH),
    "module_menu_modal": _settings(True, ["ltiResourceLink"], True, _BOTH),
    "editor_button": _settings(True, _EDITOR, False, ["embed", *_BOTH], f"image/*,text/html,{_LINK},*/*"),
    "homework_submission": _settings(False, ["file", "ltiResourceLink"], False, ["iframe"], "*/*"),
    "migration_selection": _settings(False, ["file"], False, ["iframe"]),
    "conference_selection": _settings(False, ["link", "html"], True, _BOTH),
    "collaboration": _settings(False, ["ltiResourceLink"], True, ["iframe"]),
    "ActivityAssetProcessor": _settings(True, ["ltiAssetProcessor"], True, []),
}
TAKES_LINE_ITEMS = (
    "assignment_selection", "link_selection", "course_assignments_menu", "module_index_menu_modal",
    "module_menu_modal",
)  # fmt: skip
_FORM = ("assignment_selection", "submission_type_selection")
_MODULES = ("module_index_menu_modal", "module_menu_modal")


# -- where the answer goes ---------------------------------------------------------------------


def return_url(state: State, visit: DeepLinkVisit) -> str:
    """State rides in the address: there is no ``data`` in the settings (``lib/lti/deep_linking_data.rb``)."""
    course = state.courses[visit.course_id]
    data = jwt.encode({"visit": visit.id}, state.session_secret, algorithm="HS256")
    path = state.endpoint_url("deep_link_return", course_id=str(number_of(course.id)))
    return f"{path}?{urlencode({'data': data})}"


def find_visit(state: State, ids: Mapping[str, str], query: Mapping[str, str]) -> str:
    if not query.get("data"):
        raise _data_error("presence_required", "the 'data' query parameter is required")
    try:
        claims = jwt.decode(query["data"], state.session_secret, algorithms=["HS256"])
        visit = state.visits[str(claims["visit"])]
    except (jwt.PyJWTError, KeyError):
        raise _data_error("invalid_or_malformed", "the 'data' query parameter is not good") from None
    if visit.used:
        raise _data_error("already_used", "the 'data' query parameter was used before")
    return visit.id


def _data_error(kind: str, message: str) -> DeepLinkError:
    return DeepLinkError(message, "?data=JWT", kind, "data_jwt")


def refusal(error: DeepLinkError) -> tuple[int, object]:
    row = {"attribute": error.attribute, "type": error.kind, "message": error.message}
    return 400, {"errors": {error.part: [row]}}


# -- the response's signature and claims -------------------------------------------------------

_SIGNATURE = {
    "format": "JWT format is invalid",
    "alg": "JWT has unexpected alg",
    "signature": "JWT verification failure",
}


def check_response(state: State, visit: DeepLinkVisit, token: str) -> dict[str, Any]:
    """Nonce, deployment, message type and version are not looked at (``jwt_validator.rb``)."""
    try:
        tool = state.tools.get(unverified(token))
        if tool is None:
            raise DeepLinkError("Client not found", "developer_key")
        if not tool.enabled:
            raise DeepLinkError("Developer key inactive in context", "developer_key")
        claims = verified_claims(state, tool, token)
    except ToolJwtError as error:
        raise DeepLinkError(_SIGNATURE.get(error.code, "JWT exception")) from error
    wrong = wrong_claims(state, claims, ("iss", "aud", "iat", "exp"))
    if "aud" in claims and state.issuer not in audience(claims):
        wrong["aud"] = "the 'aud' is invalid"
    if wrong:
        attribute, message = next(iter(wrong.items()))
        raise DeepLinkError(message, attribute)
    return claims


def wrong_claims(state: State, claims: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, str]:
    """What Canvas says of a tool's token: by claim ("base" for missing ones), in its own words."""
    wrong: dict[str, str] = {}
    missing = [name for name in required if claims.get(name) in (None, "")]
    if missing:
        wrong["base"] = f"the following assertions are missing: {','.join(missing)}"
    now, iat, exp = state.clock().timestamp(), claims.get("iat"), claims.get("exp")
    for name in ("exp", "iat"):
        if name in claims and not is_number(claims[name]):
            wrong[name] = f"the '{name}' must be a number"
    if is_number(exp) and float(exp or 0) <= now:
        wrong["exp"] = "the JWT has expired"
    if is_number(iat) and float(iat or 0) > now + 30:
        wrong["iat"] = "the 'iat' must not be in the future"
    elif is_number(iat) and float(iat or 0) < now - 300:
        wrong["iat"] = "the 'iat' must be less than 300 seconds old"
    return wrong


# -- what becomes of the items -----------------------------------------------------------------


def plan_items(state: State, visit: DeepLinkVisit, claims: dict[str, Any]) -> DeepLinkPlan:
    items = claims.get(CLAIMS["content_items"]) or []
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    plan, tool = DeepLinkPlan(), state.tools[visit.client_id]
    kinds = PLACEMENTS[visit.placement]["accept_types"]
    graded = visit.placement in TAKES_LINE_ITEMS
    all_graded = bool(items) and all("lineItem" in item for item in items)
    module = visit.module
    if visit.placement == "module_index_menu_modal" or (
        visit.placement == "course_assignments_menu" and not all_graded
    ):
        module = plan.unpublished_module = _new_module(state, visit, claims)
    for place, item in enumerate(items):
        if item.get("type") not in kinds:
            continue
        wrong = _wrong_line_item(item) if graded else ""
        if wrong:
            plan.errors[place] = wrong
            continue
        plan.items.append(_planned(tool, visit, item, module, graded))
    if visit.placement in _FORM:
        plan.items = plan.items[:1]
        plan.held = plan.publishable = True
    elif visit.placement == "link_selection":
        plan.held = len(plan.items) == 1 and plan.items[0].column is None
    return plan


def _new_module(state: State, visit: DeepLinkVisit, claims: Mapping[str, Any]) -> str:
    name = str(claims.get(MODULE_NAME) or "New Content From App")
    taken = {link.module for link in state.links_in(visit.course_id)}
    taken.update(state.courses[visit.course_id].unpublished_modules)
    number = 1
    while (tried := name if number == 1 else f"{name} ({number})") in taken:
        number += 1
    return tried


def _wrong_line_item(item: Mapping[str, Any]) -> str:
    line_item = item.get("lineItem")
    if line_item is None:
        return ""
    maximum = line_item.get("scoreMaximum") if isinstance(line_item, dict) else None
    return "" if is_number(maximum) else "lineItem.scoreMaximum is a required field"


def _planned(
    tool: Tool, visit: DeepLinkVisit, item: Mapping[str, Any], module: str, graded: bool
) -> PlannedItem:
    line_item = item.get("lineItem") if graded else None
    in_form = visit.placement in _FORM
    iframe = item.get("iframe") if isinstance(item.get("iframe"), dict) else {}
    window = item.get("window") if isinstance(item.get("window"), dict) else {}
    given = item.get("custom")
    title = str((line_item or {}).get("label") or item.get("title") or tool.name)
    if visit.name and (item.get(PRESERVE_NAME) or not (line_item or item.get("title"))):
        title = visit.name
    link: dict[str, Any] = {
        "title": title,
        "kind": str(item.get("type")),
        "url": str(item.get("url") or tool.launch_url),
        "text": str(item.get("text") or ""),
        "html": str(item.get("html") or ""),
        # lib/lti/deep_linking_util.rb: nested values are dropped, the others keep their type.
        "custom": {k: v for k, v in given.items() if v is None or isinstance(v, str | int | float | bool)}
        if isinstance(given, dict)
        else {},
        "icon": str((item.get("icon") or {}).get("url") or "") if visit.placement == "editor_button" else "",
        "module": module,
        "new_window": (window or {}).get("targetName") == "_blank",
        "height": (iframe or {}).get("height"),
        "available": {} if in_form else _dates(item, "available"),
        # submission.startDateTime is ignored everywhere, all dates in the assignment form.
        "submission": {} if in_form else {k: v for k, v in _dates(item, "submission").items() if k[0] == "e"},
        "published": not (line_item or in_form or visit.placement in _MODULES),
    }
    return PlannedItem(link, _column(line_item, link) if line_item else None)


def _dates(item: Mapping[str, Any], window: str) -> dict[str, str]:
    given = item.get(window)
    pairs = given.items() if isinstance(given, dict) else ()
    return {k: v for k, v in pairs if isinstance(v, str) and zoned_time(v)}


def _column(line_item: Mapping[str, Any], link: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "label": link["title"],
        "score_maximum": float(line_item["scoreMaximum"]),
        "resource_id": str(line_item.get("resourceId") or ""),
        "tag": str(line_item.get("tag") or ""),
        "end": link["submission"].get("endDateTime", ""),
        "submission_type": "external_tool",
    }
