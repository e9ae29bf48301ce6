"""Platform Notification Service 1.0: who wants to hear of what, and telling them, once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from .errors import ServiceError
from .keys import sign_token
from .model import Course, Tool
from .names import CLAIMS, COURSE_OFFERING

if TYPE_CHECKING:
    from .state import State

NOTICE_TYPES = (
    "LtiHelloWorldNotice",
    "LtiContextCopyNotice",
    "LtiAssetProcessorSubmissionNotice",
    "LtiAssetProcessorContributionNotice",
)


def _deployment(tool: Tool, number: str) -> str:
    """The deployment whose tool number an address names; ServiceError if it is another key's, or nobody's."""
    for deployment in tool.deployments:
        if deployment.partition(":")[0] == number:
            return deployment
    raise ServiceError(403, "Invalid Developer Key")


def handlers_of(state: State, tool: Tool, number: str) -> dict[str, Any]:
    deployment = _deployment(tool, number)
    handlers = tool.notice_handlers.get(deployment, {})
    rows = [{"notice_type": kind, "handler": handlers.get(kind, "")} for kind in NOTICE_TYPES]
    client = int(tool.client_id) if tool.client_id.isdecimal() else tool.client_id
    return {"client_id": client, "deployment_id": deployment, "notice_handlers": rows}


def set_handler(state: State, tool: Tool, number: str, body: Any) -> dict[str, Any]:
    """Subscribe to a type of notice; an empty handler unsubscribes."""
    deployment = _deployment(tool, number)
    kind, handler = (body.get("notice_type"), body.get("handler")) if isinstance(body, dict) else ("", None)
    if kind not in NOTICE_TYPES:
        raise ServiceError(400, f"unknown notice_type, it must be one of [{', '.join(NOTICE_TYPES)}]")
    if not isinstance(handler, str) or (handler and not handler.startswith(("http://", "https://"))):
        raise ServiceError(400, "handler must be a valid URL or an empty string")
    if handler and urlsplit(handler).netloc != urlsplit(tool.launch_url).netloc:
        raise ServiceError(400, "handler url should match tool's domain")
    with state.lock:
        tool.notice_handlers.setdefault(deployment, {})[str(kind)] = handler
        state.on_change()
    return {"notice_type": kind, "handler": handler}


def tell_of_copy(state: State, old: Course, new: Course) -> None:
    """Post a context copy notice to every tool that asked for it: once, whatever it answers."""
    for tool in list(state.tools.values()):
        for deployment, handlers in tool.notice_handlers.items():
            url = handlers.get("LtiContextCopyNotice")
            if not url:
                continue
            claims = _notice(state, tool, deployment, "LtiContextCopyNotice")
            claims[CLAIMS["origin_contexts"]] = [state.dialect.context_id(old)]
            claims[CLAIMS["context"]] = {
                "id": state.dialect.context_id(new),
                "label": new.label,
                "title": new.title,
                "type": [COURSE_OFFERING],
            }
            token = sign_token(claims, state.keys.current)
            with contextlib.suppress(requests.RequestException):
                state.send(url, {"notices": [{"jwt": token}]})


def _notice(state: State, tool: Tool, deployment: str, kind: str) -> dict[str, Any]:
    now = state.clock()
    return {
        "iss": state.issuer,
        "aud": tool.client_id,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 3600,
        "nonce": state.token(),
        CLAIMS["version"]: "1.3.0",
        CLAIMS["deployment_id"]: deployment,
        CLAIMS["notice"]: {"id": state.token(), "timestamp": now.isoformat(), "type": kind},
    }
