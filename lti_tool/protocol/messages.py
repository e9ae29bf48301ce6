"""The LTI claims of a verified id_token, read into one value (LTI Core 5.3, 5.4; Deep Linking 4.4; AGS 3.1;
NRPS 2.1).

What identifies something must be text of 1 to 255 characters, kept exactly. What is only shown is cleaned and
cut. Optional claims of a wrong kind that nothing depends on are ignored; unknown claims always are (Core
5.4.7).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from pylti1p3.exception import LtiException
from pylti1p3.message_validators import get_validators

from lti_tool.dialects.registering import CONTEXT_HISTORY, HISTORIES, LINK_HISTORY
from lti_tool.errors import ANONYMOUS, LtiRefused
from lti_tool.facts import RegistrationFacts, host_of
from lti_tool.protocol import names
from lti_tool.protocol.claims import Claims
from lti_tool.roles import rights_of
from microcred.database import is_storable
from microcred.outgoing import OutgoingError

_LOCALE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,3}\Z")
_LONGEST_URL = 4000
_CUSTOM_AT_MOST = 200
_CUSTOM_LENGTH = 8000
_ORIGINS_AT_MOST = 50
_VALIDATORS: list[Any] = get_validators()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Core:
    """What every message says (Core 5.3)."""

    message_type: str
    deployment_id: str
    sub: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A context or a resource link: its id, and what it is called (None where the platform does not say)."""

    id: str
    title: str | None
    label: str | None = None


@dataclass(frozen=True)
class Details:
    """What a message says beyond the core."""

    context: Place | None
    resource_link: Place | None
    custom: dict[str, str]
    profile: dict[str, str]
    """Of name, given_name, family_name, email, locale: those that were given."""
    return_url: str | None
    locale: str | None
    ags_scopes: list[str] = field(default_factory=list)
    lineitems_url: str | None = None
    lineitem_url: str | None = None
    memberships_url: str | None = None
    notices_url: str | None = None
    """The platform's notification service, where it reports copies of courses and lets us ask for it."""
    for_user_sub: str | None = None
    deep_linking: dict[str, Any] | None = None
    context_origins: list[str] = field(default_factory=list)
    """What the course was copied from, the latest first; empty where the platform does not say."""
    link_origins: list[str] = field(default_factory=list)
    foreign_host: str | None = None
    """A host named for services or for the way back that the registration does not reach."""
    foreign_host_for: str = "service_url"


def read_core(claims: Claims, target: str) -> Core:
    """Message type, version, deployment, person, roles, target link. Raises LtiRefused.

    `target` is the target link of the login; the claim must equal it (Core 5.3.4). Only a deep linking
    request may leave it out.
    """
    message_type = claims.get(names.MESSAGE_TYPE)
    if message_type is None or message_type == "":
        raise LtiRefused("claim_missing", detail="message_type")
    if not isinstance(message_type, str):
        raise LtiRefused("claim_invalid", detail="message_type")
    version = claims.get(names.VERSION)
    if version is None or version == "":
        raise LtiRefused("claim_missing", detail="version")
    if version != "1.3.0":
        raise LtiRefused("version_unsupported")
    deployment_id = identifier(claims.get(names.DEPLOYMENT_ID), "deployment_id")
    if claims.get("sub") in (None, ""):
        raise LtiRefused("claim_missing", detail="sub", words=ANONYMOUS)
    sub = identifier(claims.get("sub"), "sub")
    roles = _roles(claims.get(names.ROLES))
    if message_type not in names.MESSAGE_TYPES:
        raise LtiRefused("message_type_unsupported", detail=message_type[:80])
    claimed = claims.get(names.TARGET_LINK_URI)
    if claimed is None or claimed == "":
        if message_type != names.DEEP_LINKING_REQUEST:
            raise LtiRefused("claim_missing", detail="target_link_uri")
    elif claimed != target:
        raise LtiRefused("target_link_mismatch")
    return Core(message_type, deployment_id, sub, roles)


def read_details(
    claims: Claims, core: Core, facts: RegistrationFacts, allow_hosts: tuple[str, ...]
) -> Details:
    """Everything else, by message type. Raises LtiRefused."""
    context = read_place(claims.get(names.CONTEXT), "context")
    link = read_place(claims.get(names.RESOURCE_LINK), "resource_link")
    ags = _mapping(claims.get(names.AGS), "endpoint")
    nrps = _mapping(claims.get(names.NRPS), "namesroleservice")
    for_user = _mapping(claims.get(names.FOR_USER), "for_user")
    for_user_sub: str | None = None
    settings: dict[str, Any] | None = None
    if core.message_type == names.RESOURCE_LINK_REQUEST and link is None:
        raise LtiRefused("claim_missing", detail="resource_link.id")
    if core.message_type == names.SUBMISSION_REVIEW_REQUEST:
        for_user_sub = identifier((for_user or {}).get("user_id"), "for_user.user_id")
        if not (ags or {}).get("lineitem"):
            raise LtiRefused("claim_missing", detail="endpoint.lineitem")
    if core.message_type == names.DATA_PRIVACY_REQUEST:
        for_user_sub = _privacy(for_user, context, link)
    if core.message_type == names.DEEP_LINKING_REQUEST:
        settings = _deep_linking(claims.get(names.DL_SETTINGS), core, facts, allow_hosts)
    _check_shape(claims)
    custom = claims.get(names.CUSTOM)
    foreign = _foreign_host(claims, ags or {}, nrps or {}, facts, allow_hosts)
    return Details(
        context=context,
        resource_link=link,
        custom=_custom(custom),
        profile=_profile(claims),
        return_url=_return_url(claims.get(names.LAUNCH_PRESENTATION), facts, allow_hosts),
        locale=_locale(claims),
        ags_scopes=_texts((ags or {}).get("scope")),
        lineitems_url=_url((ags or {}).get("lineitems")),
        lineitem_url=_url((ags or {}).get("lineitem")),
        memberships_url=_url((nrps or {}).get("context_memberships_url")),
        notices_url=_notices_url(claims.get(names.PNS), facts, allow_hosts),
        for_user_sub=for_user_sub,
        deep_linking=settings,
        context_origins=_history(custom, CONTEXT_HISTORY),
        link_origins=_history(custom, LINK_HISTORY),
        foreign_host=foreign[0] if foreign else None,
        foreign_host_for=foreign[1] if foreign else "service_url",
    )


def _check_shape(claims: Claims) -> None:
    """PyLTI1p3's validators, after our own checks gave the clearer codes."""
    body = dict(claims)
    settings = body.get(names.DL_SETTINGS)
    if isinstance(settings, dict):
        # A place that takes no LTI links is told so by the picker; the validator would not let the person in.
        body[names.DL_SETTINGS] = {**settings, "accept_types": ["ltiResourceLink"]}
    try:
        for validator in _VALIDATORS:
            if validator.can_validate(body):
                validator.validate(body)
    except LtiException as error:
        raise LtiRefused("claim_invalid") from error


def identifier(value: object, name: str) -> str:
    """A value that identifies something: text of 1 to 255 characters, kept exactly. Raises LtiRefused."""
    if value is None or value == "":
        raise LtiRefused("claim_missing", detail=name)
    if not isinstance(value, str) or len(value) > 255 or not is_storable(value):
        raise LtiRefused("claim_invalid", detail=name)
    return value


def _roles(value: object) -> tuple[str, ...]:
    if value is None:
        raise LtiRefused("claim_missing", detail="roles")
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise LtiRefused("claim_invalid", detail="roles")
    return tuple(value)


def _mapping(value: object, name: str) -> Mapping[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise LtiRefused("claim_invalid", detail=name)
    return value


def read_place(value: object, name: str) -> Place | None:
    """A context or a resource link. Raises LtiRefused."""
    place = _mapping(value, name)
    if place is None:
        return None
    place_id = identifier(place.get("id"), f"{name}.id")
    return Place(place_id, _text(place.get("title")), _text(place.get("label")))


def _privacy(for_user: Mapping[str, Any] | None, context: Place | None, link: Place | None) -> str | None:
    if for_user is None:
        raise LtiRefused("claim_missing", detail="for_user")
    if context is not None or link is not None:
        raise LtiRefused("claim_invalid", detail="context")
    user_id = for_user.get("user_id")
    return None if user_id is None else identifier(user_id, "for_user.user_id")


def _deep_linking(
    value: object, core: Core, facts: RegistrationFacts, allow_hosts: tuple[str, ...]
) -> dict[str, Any]:
    """The settings as Deep Linking 4.4.1 names them, booleans as booleans; `data` only if it was given."""
    settings = _mapping(value, "deep_linking_settings")
    if settings is None:
        raise LtiRefused("claim_missing", detail="deep_linking_settings")
    return_url = settings.get("deep_link_return_url")
    if return_url is None or return_url == "":
        raise LtiRefused("claim_missing", detail="deep_link_return_url")
    result: dict[str, Any] = {}
    for name in ("accept_types", "accept_presentation_document_targets"):
        given = settings.get(name)
        if given is None or given == []:
            raise LtiRefused("claim_missing", detail=name)
        if not isinstance(given, list) or not all(
            isinstance(item, str) and is_storable(item) for item in given
        ):
            raise LtiRefused("claim_invalid", detail=name)
        result[name] = given
    try:
        if not isinstance(return_url, str) or len(return_url) > _LONGEST_URL:
            raise LtiRefused("claim_invalid", detail="deep_link_return_url")
        result["deep_link_return_url"] = facts.service_url(return_url, allow_hosts)
    except OutgoingError as error:
        refused = LtiRefused("return_url_not_allowed")
        refused.foreign_host = host_of(return_url) if isinstance(return_url, str) else None
        raise refused from error
    if "place" not in rights_of(core.roles):
        raise LtiRefused("role_not_permitted")
    for name in ("accept_multiple", "auto_create", "accept_lineitem"):
        result[name] = _boolean(settings.get(name), name)
    result["title"], result["text"] = _text(settings.get("title")), _text(settings.get("text"))
    data = settings.get("data")
    if data is not None:
        if not isinstance(data, str) or not is_storable(data):
            raise LtiRefused("claim_invalid", detail="deep_linking_settings.data")
        result["data"] = data
    return result


def _boolean(value: object, name: str) -> bool | None:
    """True, False, or None where it was not said; the official schema has them as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise LtiRefused("claim_invalid", detail=name)


def _custom(value: object) -> dict[str, str]:
    """Text values that were resolved; a value still beginning with `$` was not given (Core 5.4.6)."""
    found: dict[str, str] = {}
    for key, given in value.items() if isinstance(value, dict) else ():
        # Canvas keeps JSON numbers, where the specification has text only.
        if isinstance(given, int | float) and not isinstance(given, bool):
            given = str(given)
        if not isinstance(given, str) or given.startswith("$") or len(given) > _CUSTOM_LENGTH:
            continue
        if key in HISTORIES:
            continue
        if is_storable(key) and len(key) <= 255 and len(found) < _CUSTOM_AT_MOST:
            found[key] = _cleaned(given)
    return found


def _history(custom: object, key: str) -> list[str]:
    """Ids of copied ancestors (`$Context.id.history`): comma separated, URL-encoded, the latest first.

    Canvas gives up to a thousand and then the word `truncated`; the first ones are enough.
    """
    value = custom.get(key) if isinstance(custom, dict) else None
    if not isinstance(value, str) or value.startswith("$"):
        return []
    ids = (unquote(one.strip()) for one in value.split(",", _ORIGINS_AT_MOST)[:_ORIGINS_AT_MOST])
    return list(dict.fromkeys(one for one in ids if 0 < len(one) <= 255 and is_storable(one)))


def _foreign_host(
    claims: Claims,
    ags: Mapping[str, Any],
    nrps: Mapping[str, Any],
    facts: RegistrationFacts,
    allow_hosts: tuple[str, ...],
) -> tuple[str, str] | None:
    """The first host[:port] that is named and not reached, and what for."""
    presentation = claims.get(names.LAUNCH_PRESENTATION)
    named = [
        (ags.get("lineitems"), "service_url"),
        (ags.get("lineitem"), "service_url"),
        (nrps.get("context_memberships_url"), "service_url"),
        (presentation.get("return_url") if isinstance(presentation, dict) else None, "return_url"),
    ]
    for given, what in named:
        url = _url(given)
        if url is not None and not facts.reaches(url, allow_hosts) and (host := host_of(url)):
            return host, what
    return None


def _profile(claims: Claims) -> dict[str, str]:
    found = {}
    for name in ("name", "given_name", "family_name", "email"):
        text = _text(claims.get(name), 300)
        if text:
            found[name] = text
    return found


def _return_url(value: object, facts: RegistrationFacts, allow_hosts: tuple[str, ...]) -> str | None:
    url = _url(value.get("return_url")) if isinstance(value, dict) else None
    if url is None:
        return None
    try:
        return facts.service_url(url, allow_hosts)
    except OutgoingError:
        return None


def _notices_url(value: object, facts: RegistrationFacts, allow_hosts: tuple[str, ...]) -> str | None:
    """Where to ask for notices of course copies (Platform Notification Service 1.0, 4.1)."""
    service = value if isinstance(value, dict) else {}
    types, url = service.get("notice_types_supported"), _url(service.get("platform_notification_service_url"))
    if url is None or not isinstance(types, list) or names.CONTEXT_COPY_NOTICE not in types:
        return None
    if names.SCOPE_NOTICES not in _texts(service.get("scope")):
        return None
    try:
        return facts.service_url(url, allow_hosts)
    except OutgoingError:
        return None


def _locale(claims: Claims) -> str | None:
    presentation = claims.get(names.LAUNCH_PRESENTATION)
    inner = presentation.get("locale") if isinstance(presentation, dict) else None
    for value in (inner, claims.get("locale")):
        if isinstance(value, str) and len(value) <= 35 and _LOCALE.match(value):
            return value
    return None


def _url(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_URL or not is_storable(value):
        return None
    return value


def _texts(value: object) -> list[str]:
    return [item for item in (value if isinstance(value, list) else []) if _url(item)][:100]


def _text(value: object, limit: int = 2000) -> str | None:
    """Text for showing: cleaned, trimmed, cut; None where there is nothing to show."""
    if not isinstance(value, str):
        return None
    return _cleaned(value).strip()[:limit] or None


def _cleaned(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
