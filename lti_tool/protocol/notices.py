"""The LTI claims of a verified notice (Platform Notification Service 1.0)."""

from dataclasses import dataclass

from lti_tool.errors import LtiRefused
from lti_tool.protocol import names
from lti_tool.protocol.claims import Claims
from lti_tool.protocol.messages import Place, identifier, read_place

ORIGINS_AT_MOST = 50


@dataclass(frozen=True)
class NoticeFacts:
    """What a notice says."""

    deployment_id: str
    notice_id: str
    notice_type: str
    context: Place | None
    """The new course, on a copy."""
    origins: tuple[str, ...]
    """The platform's ids of the courses it was copied from."""


def read_notice(claims: Claims) -> NoticeFacts:
    """Version, deployment, notice, and by its type the rest. Raises LtiRefused."""
    version = claims.get(names.VERSION)
    if version is None or version == "":
        raise LtiRefused("claim_missing", detail="version")
    if version != "1.3.0":
        raise LtiRefused("version_unsupported")
    deployment_id = identifier(claims.get(names.DEPLOYMENT_ID), "deployment_id")
    notice = claims.get(names.NOTICE)
    if notice is None:
        raise LtiRefused("claim_missing", detail="notice")
    if not isinstance(notice, dict):
        raise LtiRefused("claim_invalid", detail="notice")
    notice_id = identifier(notice.get("id"), "notice.id")
    notice_type = identifier(notice.get("type"), "notice.type")
    if notice_type not in names.NOTICE_TYPES:
        raise LtiRefused("message_type_unsupported", detail=notice_type[:80])
    if notice_type != names.CONTEXT_COPY_NOTICE:
        return NoticeFacts(deployment_id, notice_id, notice_type, None, ())
    context = read_place(claims.get(names.CONTEXT), "context")
    origins = claims.get(names.ORIGIN_CONTEXTS)
    if context is None or origins is None or origins == []:
        raise LtiRefused("claim_missing", detail="context" if context is None else "origin_contexts")
    if not isinstance(origins, list):
        raise LtiRefused("claim_invalid", detail="origin_contexts")
    ids = [identifier(one, "origin_contexts") for one in origins[:ORIGINS_AT_MOST]]
    return NoticeFacts(deployment_id, notice_id, notice_type, context, tuple(dict.fromkeys(ids)))
