"""Login initiation and the authorization endpoint (Security Framework 5.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from .claims import message_claims, message_facts
from .keys import sign_token
from .model import Message, Tool
from .names import with_overrides
from .state import State

MAX_MESSAGES = 10_000
"""Launches under way that are kept; the oldest go first."""


@dataclass
class LoginInitiation:
    """What the platform sends the browser to the tool's login URL with. ``fields`` may be changed."""

    url: str
    method: str
    fields: dict[str, str]
    hint: str

    def as_url(self) -> str:
        """The same as one GET address."""
        join = "&" if "?" in self.url else "?"
        return f"{self.url}{join}{urlencode(self.fields)}"


@dataclass(frozen=True)
class FormPost:
    """The authorization response: a form that the browser posts to the tool."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Refusal:
    """The platform's own error page: the tool hears nothing."""

    status: int
    error: str
    description: str


def start_message(state: State, message: Message) -> LoginInitiation:
    """Keep the message under a new single-use hint and give the login that leads to it."""
    with state.lock:
        hint = state.token()
        state.messages[hint] = message
        if len(state.messages) > MAX_MESSAGES:
            del state.messages[next(iter(state.messages))]
        facts = message_facts(state, hint)
    fields = {
        "iss": state.issuer,
        "login_hint": state.dialect.login_hint(facts.person),
        "target_link_uri": message.target_link_uri,
        "lti_message_hint": hint,
        **state.dialect.login_fields(facts),
    }
    if state.platform_storage and state.dialect.storage_target:
        fields["lti_storage_target"] = state.dialect.storage_target
    return LoginInitiation(facts.tool.login_url, state.login_method, fields, hint)


def authorize(state: State, params: Mapping[str, str], person_id: str | None) -> FormPost | Refusal:
    """Answer an authentication request of the person who is signed in (None: nobody)."""
    tool = state.tools.get(params.get("client_id", ""))
    if tool is None:
        return _problem(state, None, params, "client")
    if not state.dialect.redirect_matches(params.get("redirect_uri", ""), tool.redirect_uris):
        return _problem(state, None, params, "redirect_uri")
    cause, name = _wrong_parameter(state, tool, params, person_id)
    if cause:
        return _problem(state, tool, params, cause, name)
    with state.lock:
        message = state.messages.get(params["lti_message_hint"])
        cause = _wrong_hint(state, tool, message)
        if cause or message is None:
            return _problem(state, tool, params, cause)
        message.used = True
        facts = message_facts(state, params["lti_message_hint"])
        claims = message_claims(state, facts, params["nonce"])
    key = state.keys.find(tool.signing_kid) if tool.signing_kid else state.keys.current
    fields: dict[str, object] = {"id_token": sign_token(claims, key, message.token)}
    if "state" in params:
        fields["state"] = params["state"]
    if state.platform_storage and state.dialect.storage_target:
        fields["lti_storage_target"] = state.dialect.storage_target
    fields = with_overrides(fields, message.form)
    return FormPost(params["redirect_uri"], {k: str(v) for k, v in fields.items()})


def _wrong_parameter(
    state: State, tool: Tool, params: Mapping[str, str], person_id: str | None
) -> tuple[str, str]:
    if not tool.enabled:
        return "inactive", ""
    fixed = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post"}
    for name, value in fixed.items():
        if params.get(name) != value:
            return name, name
    if params.get("prompt", "none") != "none":
        return "prompt", "prompt"
    for name in state.dialect.required_parameters:
        if not params.get(name):
            return "missing", name
    if person_id is None:
        return "no_session", ""
    person = state.people.get(person_id)
    if person is None or params["login_hint"] != state.dialect.login_hint(person):
        return "login_hint", "login_hint"
    return "", ""


def _wrong_hint(state: State, tool: Tool, message: Message | None) -> str:
    if message is None:
        return "hint_unknown"
    if message.client_id != tool.client_id:
        return "hint_client"
    if message.used:
        return "hint_used"
    if message.expires_at <= state.clock():
        return "hint_expired"
    return ""


def _problem(
    state: State, tool: Tool | None, params: Mapping[str, str], cause: str, name: str = ""
) -> FormPost | Refusal:
    problem = state.dialect.problems[cause]
    description = problem.description.format(name=name)
    if problem.how == "page" or tool is None:
        return Refusal(problem.status, problem.error, description)
    fields = {"error": problem.error, "error_description": description}
    if "state" in params:
        fields["state"] = params["state"]
    return FormPost(params["redirect_uri"], fields)
