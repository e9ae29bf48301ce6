"""Taking a deep linking response: check it, then make links, columns and dates (Deep Linking 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .dialects import DeepLinkPlan
from .errors import DeepLinkError
from .model import DeepLinkVisit, Draft, LineItem, Link, PlannedItem, Tool
from .names import CLAIMS
from .state import State
from .tool_jwt import ToolJwtError, audience, check_times, unverified, verified_claims
from .values import zoned_time

_REQUIRED_BY_TYPE = {"link": "url", "file": "url", "image": "url", "html": "html"}


@dataclass
class DeepLinkOutcome:
    """What a response did. ``message`` and ``error`` are the tool's own words for the person."""

    links: list[Link] = field(default_factory=list)
    line_items: list[LineItem] = field(default_factory=list)
    item_errors: dict[int, str] = field(default_factory=dict)
    """By the item's place in the response: why nothing was made of it."""
    draft: Draft | None = None
    """Nothing was made yet: a teacher must save this first (``Platform.save_draft``)."""
    message: str = ""
    error: str = ""


def take_response(state: State, visit: DeepLinkVisit, token: str) -> DeepLinkOutcome:
    """Check a response and create what it lists; DeepLinkError if it is wrong or comes twice."""
    dialect = state.dialect
    claims = (dialect.check_response or _checked_claims)(state, visit, token)
    plan = (dialect.plan_items or plan_items)(state, visit, claims)
    outcome = DeepLinkOutcome(
        item_errors=plan.errors,
        message=str(claims.get(CLAIMS["msg"]) or ""),
        error=str(claims.get(CLAIMS["errormsg"]) or ""),
    )
    with state.lock:
        if visit.used and dialect.deep_link_rules.answered_once:
            raise DeepLinkError("this visit to the tool has already been answered", kind="already_used")
        visit.used, visit.claims = True, claims
        draft = Draft(
            state.token(), visit.person_id, visit.course_id, visit.client_id, visit.deployment_id, plan.items,
            plan.publishable,
        )  # fmt: skip
        if plan.unpublished_module and plan.items:
            state.courses[visit.course_id].unpublished_modules.append(plan.unpublished_module)
        if plan.held and plan.items:
            state.drafts[draft.id] = outcome.draft = draft
        else:
            make_items(state, draft, outcome)
        state.on_change()
    return outcome


def make_items(state: State, draft: Draft, outcome: DeepLinkOutcome) -> None:
    """Make the links and columns of a draft, in every section that is linked with its course."""
    sections = _sections(state, draft.course_id)
    for planned in draft.items:
        shared: LineItem | None = None
        for course_id in sections:
            link = state.add_link(
                course_id, client_id=draft.client_id, deployment_id=draft.deployment_id, deep_linked=True,
                **planned.link,
            )  # fmt: skip
            outcome.links.append(link)
            if planned.column is None:
                continue
            if shared is not None and not state.switch("unique_line_items"):
                link.line_item_elsewhere = shared.id
                continue
            shared = state.add_line_item(
                course_id, client_id=draft.client_id, resource_link_id=link.id, published=link.published,
                **planned.column,
            )  # fmt: skip
            outcome.line_items.append(shared)


def _sections(state: State, course_id: str) -> list[str]:
    """The course and the sections linked with it, itself first, where the LMS links sections."""
    word = state.courses[course_id].linked if "unique_line_items" in state.dialect.switches else ""
    others = [c.id for c in state.courses.values() if word and c.linked == word and c.id != course_id]
    return [course_id, *others]


# -- the specification's own checks ------------------------------------------------------------


def _checked_claims(state: State, visit: DeepLinkVisit, token: str) -> dict[str, Any]:
    rules, tool = state.dialect.deep_link_rules, state.tools[visit.client_id]
    try:
        if unverified(token) != tool.client_id:
            raise ToolJwtError("iss must be the client_id")
        claims = verified_claims(state, tool, token)
        for name in rules.required:
            if claims.get(name) in (None, ""):
                raise ToolJwtError(f"Invalid parameter: {name} is required")
        if "aud" in rules.required and state.issuer not in audience(claims):
            raise ToolJwtError("aud must be the platform's issuer")
        expires = check_times(state, claims, max_age=rules.max_age)
        if rules.check_envelope:
            _check_envelope(visit, claims)
        if rules.check_nonce and not state.first_use(tool.client_id, f"nonce:{claims['nonce']}", expires):
            raise ToolJwtError("nonce was used before")
    except ToolJwtError as error:
        raise DeepLinkError(str(error)) from error
    return claims


def _check_envelope(visit: DeepLinkVisit, claims: dict[str, Any]) -> None:
    wanted: dict[str, object] = {
        "message_type": "LtiDeepLinkingResponse",
        "version": "1.3.0",
        "deployment_id": visit.deployment_id,
    }
    for name, value in wanted.items():
        if claims.get(CLAIMS[name]) != value:
            raise ToolJwtError(f"{name} must be {value}")
    same = (CLAIMS["data"] in claims) == ("data" in visit.settings)
    if not same or claims.get(CLAIMS["data"]) != visit.settings.get("data"):
        raise ToolJwtError("data must be what the request carried")


def plan_items(state: State, visit: DeepLinkVisit, claims: dict[str, Any]) -> DeepLinkPlan:
    """Every item becomes a link at once; one wrong item refuses them all where the rules are strict."""
    tool, items = state.tools[visit.client_id], claims.get(CLAIMS["content_items"], [])
    wrong = _wrong_items(state, tool, visit, items)
    if wrong:
        raise DeepLinkError(wrong)
    return DeepLinkPlan([_planned(state, tool, visit, item) for item in items])


def _wrong_items(state: State, tool: Tool, visit: DeepLinkVisit, items: Any) -> str:
    """The first thing wrong with the list of content items, or ""."""
    if not isinstance(items, list):
        return "content_items must be a list"
    if not state.dialect.deep_link_rules.strict_items:
        return ""
    if len(items) > 1 and visit.settings.get("accept_multiple") in (False, "false", None):
        return "more than one item, though only one was asked for"
    for number, item in enumerate(items, 1):
        wrong = _wrong_item(tool, visit, item)
        if wrong:
            return f"item {number}: {wrong}"
    return ""


def _wrong_item(tool: Tool, visit: DeepLinkVisit, item: Any) -> str:
    if not isinstance(item, dict):
        return "must be an object"
    kind = item.get("type")
    if kind not in visit.settings.get("accept_types", ()):
        return f"type {kind} was not asked for"
    required = _REQUIRED_BY_TYPE.get(str(kind))
    if required and not item.get(required):
        return f"{required} is required"
    if kind == "ltiResourceLink" and not _on_tool(tool, str(item.get("url") or tool.launch_url)):
        return "url is not on the tool's host"
    custom = item.get("custom", {})
    if not isinstance(custom, dict) or not all(isinstance(v, str) for v in custom.values()):
        return "custom must map names to strings"
    for window in ("available", "submission"):
        for name, value in (item.get(window) or {}).items():
            if not isinstance(value, str) or zoned_time(value) is None:
                return f"{window}.{name} must be an ISO 8601 time with a zone"
    if "lineItem" in item:
        line_item = item["lineItem"]
        maximum = line_item.get("scoreMaximum") if isinstance(line_item, dict) else None
        if not isinstance(maximum, int | float) or isinstance(maximum, bool) or maximum <= 0:
            return "lineItem.scoreMaximum must be greater than 0"
    return ""


def _on_tool(tool: Tool, url: str) -> bool:
    """Whether a URL has the origin of one the tool registered."""
    given = urlsplit(url)
    known = [urlsplit(u) for u in (tool.launch_url, tool.deep_link_url, *tool.redirect_uris)]
    return any((given.scheme, given.netloc) == (k.scheme, k.netloc) for k in known)


def _planned(state: State, tool: Tool, visit: DeepLinkVisit, item: Mapping[str, Any]) -> PlannedItem:
    keep_dates = state.dialect.deep_link_rules.keep_dates
    line_item = item.get("lineItem") or {}
    iframe = item.get("iframe") or {}
    link: dict[str, Any] = {
        "title": str(item.get("title") or line_item.get("label") or tool.name),
        "kind": str(item.get("type")),
        "url": str(item.get("url") or tool.launch_url),
        "text": str(item.get("text") or ""),
        "html": str(item.get("html") or ""),
        "custom": dict(item.get("custom") or {}),
        "icon": str((item.get("icon") or {}).get("url") or ""),
        "module": visit.module,
        "new_window": bool(item.get("window")) and not iframe,
        "height": iframe.get("height") if isinstance(iframe.get("height"), int) else None,
        "available": dict(item.get("available") or {}) if keep_dates else {},
        "submission": dict(item.get("submission") or {}) if keep_dates else {},
    }
    wanted = link["kind"] == "ltiResourceLink" and visit.settings.get("accept_lineitem") is not False
    return PlannedItem(link, _column(line_item, link) if line_item and wanted else None)


def _column(line_item: Mapping[str, Any], link: Mapping[str, Any]) -> dict[str, Any]:
    review = line_item.get("submissionReview")
    return {
        "label": str(line_item.get("label") or link["title"]),
        "score_maximum": float(line_item["scoreMaximum"]),
        "resource_id": str(line_item.get("resourceId") or ""),
        "tag": str(line_item.get("tag") or ""),
        "end": link["submission"].get("endDateTime", ""),
        "grades_released": line_item.get("gradesReleased"),
        "submission_review": review if isinstance(review, dict) else None,
    }
