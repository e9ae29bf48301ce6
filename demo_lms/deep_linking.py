"""Taking a deep linking response: check it, then make links, columns and dates (Deep Linking 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .ags import zoned_time
from .model import DeepLinkVisit, LineItem, Link, Tool
from .names import CLAIMS
from .state import State
from .tool_jwt import ToolJwtError, audience, check_times, unverified_issuer, verified_claims

_REQUIRED_BY_TYPE = {"link": "url", "file": "url", "image": "url", "html": "html"}


class DeepLinkError(Exception):
    """The response is not taken; nothing was created. ``str()`` says why."""


@dataclass
class DeepLinkOutcome:
    """What a response did. ``message`` and ``error`` are the tool's own words for the person."""

    links: list[Link] = field(default_factory=list)
    line_items: list[LineItem] = field(default_factory=list)
    message: str = ""
    error: str = ""


def take_response(state: State, visit: DeepLinkVisit, token: str) -> DeepLinkOutcome:
    """Check a response and create what it lists; DeepLinkError if it is wrong or comes twice."""
    tool = state.tools[visit.client_id]
    try:
        claims = _checked_claims(state, tool, visit, token)
    except ToolJwtError as error:
        raise DeepLinkError(str(error)) from error
    items = claims.get(CLAIMS["content_items"], [])
    wrong = _wrong_items(state, tool, visit, items)
    if wrong:
        raise DeepLinkError(wrong)
    outcome = DeepLinkOutcome(
        message=str(claims.get(CLAIMS["msg"]) or ""), error=str(claims.get(CLAIMS["errormsg"]) or "")
    )
    with state.lock:
        if visit.used:
            raise DeepLinkError("this visit to the tool has already been answered")
        visit.used, visit.claims = True, claims
        for item in items:
            _create(state, tool, visit, item, outcome)
        state.on_change()
    return outcome


def _checked_claims(state: State, tool: Tool, visit: DeepLinkVisit, token: str) -> dict[str, Any]:
    rules = state.dialect.deep_link_rules
    if unverified_issuer(token) != tool.client_id:
        raise ToolJwtError("iss must be the client_id")
    claims = verified_claims(state, tool, token)
    for name in rules.required:
        if claims.get(name) in (None, ""):
            raise ToolJwtError(f"{name} is missing")
    if "aud" in rules.required and state.issuer not in audience(claims):
        raise ToolJwtError("aud must be the platform's issuer")
    expires = check_times(state, claims, max_age=rules.max_age)
    if rules.check_envelope:
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
    if rules.check_nonce and not state.first_use(tool.client_id, f"nonce:{claims['nonce']}", expires):
        raise ToolJwtError("nonce was used before")
    return claims


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


def _create(
    state: State, tool: Tool, visit: DeepLinkVisit, item: Mapping[str, Any], outcome: DeepLinkOutcome
) -> None:
    rules = state.dialect.deep_link_rules
    line_item = item.get("lineItem") or {}
    title = str(item.get("title") or line_item.get("label") or tool.name)
    if rules.label_names_link and line_item.get("label"):
        title = str(line_item["label"])
    iframe = item.get("iframe") or {}
    link = state.add_link(
        visit.course_id,
        title,
        client_id=tool.client_id,
        deployment_id=visit.deployment_id,
        kind=str(item.get("type")),
        url=str(item.get("url") or tool.launch_url),
        text=str(item.get("text") or ""),
        html=str(item.get("html") or ""),
        custom=dict(item.get("custom") or {}),
        module=visit.module,
        new_window=bool(item.get("window")) and not iframe,
        height=iframe.get("height") if isinstance(iframe.get("height"), int) else None,
        available=dict(item.get("available") or {}) if rules.keep_dates else {},
        submission=dict(item.get("submission") or {}) if rules.keep_dates else {},
    )
    outcome.links.append(link)
    if link.kind == "ltiResourceLink" and line_item and visit.settings.get("accept_lineitem") is not False:
        outcome.line_items.append(_create_column(state, tool, link, line_item))


def _create_column(state: State, tool: Tool, link: Link, line_item: Mapping[str, Any]) -> LineItem:
    review = line_item.get("submissionReview")
    return state.add_line_item(
        link.course_id,
        str(line_item.get("label") or link.title),
        float(line_item["scoreMaximum"]),
        client_id=tool.client_id,
        resource_link_id=link.id,
        resource_id=str(line_item.get("resourceId") or ""),
        tag=str(line_item.get("tag") or ""),
        end=link.submission.get("endDateTime", ""),
        grades_released=line_item.get("gradesReleased"),
        submission_review=review if isinstance(review, dict) else None,
    )
