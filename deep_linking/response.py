"""The LtiDeepLinkingResponse: one signed message, posted by the browser to the platform (Deep Linking 2.0,
4.4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lti_tool import registrations
from lti_tool.sessions import PageSession
from lti_tool.tool import LtiTool

_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@dataclass(frozen=True)
class Answer:
    """What the browser posts: field `JWT` with `jwt`, to `return_url` byte for byte."""

    return_url: str
    jwt: str


def answer(
    tool: LtiTool, launch: PageSession, items: Sequence[Mapping[str, Any]], *, message: str | None = None
) -> Answer:
    """The signed answer to a deep linking launch. Never more items than the platform takes, whatever was
    asked for.
    """
    settings = launch.deep_linking
    if settings is None:
        raise ValueError("not a deep linking launch")
    taken = list(items) if settings.get("accept_multiple") else list(items[:1])
    claims: dict[str, Any] = {
        _CLAIM + "deployment_id": launch.deployment_id,
        _CLAIM + "message_type": "LtiDeepLinkingResponse",
        _CLAIM + "version": "1.3.0",
        _DL + "content_items": taken,
    }
    if settings.get("data") is not None:
        claims[_DL + "data"] = settings["data"]
    if message:
        claims[_DL + "msg"] = message
    with tool.database.reading() as session:
        registration = registrations.facts_by_public_id(session, launch.registration_public_id)
    assert registration is not None  # a page session exists for a registration alone
    return Answer(settings["deep_link_return_url"], tool.sign_message(registration, claims))


def cancel(tool: LtiTool, launch: PageSession) -> Answer:
    """The answer that chooses nothing: back to the course, and nothing is made."""
    return answer(tool, launch, [])
