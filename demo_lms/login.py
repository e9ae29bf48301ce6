"""Login initiation and the authorization endpoint (Security Framework 5.1.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from .claims import message_claims, message_facts
from .errors import LaunchRefused
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
    """Keep the message under a new single-use hint and give the login that leads to it.

    LaunchRefused where the LMS would show a page of its own and the tool would hear nothing.
    """
    facts = message_facts(state, message)
    refused = state.dialect.refuses_launch(facts)
    if refused:
        raise LaunchRefused(refused)
    with state.lock:
        hint = state.dialect.hint(facts, state.token())
        state.messages[hint] = message
        if len(state.messages) > MAX_MESSAGES:
            del state.messages[next(iter(state.messages))]
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


@dataclass(frozen=True)
class AuthRequest:
    """An authentication request and what it names."""

    state: State
    params: Mapping[str, str]
    person_id: str | None
    tool: Tool | None
    message: Message | None


def authorize(state: State, params: Mapping[str, str], person_id: str | None) -> FormPost | Refusal:
    """Answer an authentication request of the person who is signed in (None: nobody)."""
    with state.lock:
        refused = failed_check(state, params, person_id, state.dialect.authorization_checks)
        if refused is not None:
            return refused
        message = state.messages[params["lti_message_hint"]]
        message.used = True
    facts = message_facts(state, message)
    clean, tool = state.dialect.clean, facts.tool
    claims = message_claims(state, facts, clean(params["nonce"]))
    key = state.keys.find(tool.signing_kid) if tool.signing_kid else state.keys.current
    fields: dict[str, object] = {"id_token": sign_token(claims, key, message.token)}
    fields |= _state_field(state, params)
    if state.platform_storage and state.dialect.storage_target:
        fields["lti_storage_target"] = state.dialect.storage_target
    fields = with_overrides(fields, message.form)
    return FormPost(params["redirect_uri"], {k: str(v) for k, v in fields.items()})


def _state_field(state: State, params: Mapping[str, str]) -> dict[str, str]:
    if "state" in params or state.dialect.always_state:
        return {"state": state.dialect.clean(params.get("state", ""))}
    return {}


def failed_check(
    state: State, params: Mapping[str, str], person_id: str | None, checks: tuple[str, ...]
) -> FormPost | Refusal | None:
    """The answer to the first check (keys of ``CHECKS``) that fails; None where all are passed."""
    tool = state.tools.get(params.get("client_id", ""))
    message = state.messages.get(params.get("lti_message_hint", ""))
    asked = AuthRequest(state, params, person_id, tool, message)
    for cause in checks:
        wrong = CHECKS[cause](asked)
        if wrong:
            return _problem(asked, cause, ", ".join(wrong))
    return None


def _unless(good: bool, name: str) -> list[str]:
    return [] if good else [name]


def _missing(asked: AuthRequest) -> list[str]:
    return [name for name in asked.state.dialect.required_parameters if not asked.params.get(name)]


def _login_hint(asked: AuthRequest) -> list[str]:
    person = asked.state.people.get(asked.person_id or "")
    good = person is not None and asked.params.get("login_hint") == asked.state.dialect.login_hint(person)
    return _unless(good, "login_hint")


def _redirect_uri(asked: AuthRequest, tool: Tool | None) -> list[str]:
    registered = tool.redirect_uris if tool else []
    given = asked.params.get("redirect_uri", "")
    return _unless(asked.state.dialect.redirect_matches(given, registered), "redirect_uri")


def _equals(name: str, value: str, absent: str = "") -> Callable[[AuthRequest], list[str]]:
    return lambda asked: _unless(asked.params.get(name, absent) == value, name)


def _hint(good: Callable[[AuthRequest, Message], bool]) -> Callable[[AuthRequest], list[str]]:
    return lambda asked: _unless(asked.message is not None and good(asked, asked.message), "lti_message_hint")


CHECKS: Mapping[str, Callable[[AuthRequest], list[str]]] = {
    "client": lambda asked: _unless(asked.tool is not None, "client_id"),
    "redirect_uri": lambda asked: _redirect_uri(asked, asked.tool),
    "redirect_uri_of_hint": lambda asked: _redirect_uri(
        asked, asked.state.tools.get(asked.message.client_id) if asked.message else None
    ),
    "inactive": lambda asked: _unless(asked.tool is not None and asked.tool.enabled, "client_id"),
    "scope": _equals("scope", "openid"),
    "response_type": _equals("response_type", "id_token"),
    "response_mode": _equals("response_mode", "form_post"),
    "prompt": _equals("prompt", "none", absent="none"),
    "missing": _missing,
    "no_session": lambda asked: _unless(asked.person_id is not None, "session"),
    "login_hint": _login_hint,
    "hint_unknown": lambda asked: _unless(asked.message is not None, "lti_message_hint"),
    "hint_client": _hint(lambda asked, message: message.client_id == asked.params.get("client_id")),
    "hint_used": _hint(lambda asked, message: not message.used),
    "hint_expired": _hint(lambda asked, message: message.expires_at > asked.state.clock()),
}
"""What can be wrong with an authentication request: each gives the names of the wrong parameters."""


def _problem(asked: AuthRequest, cause: str, name: str) -> FormPost | Refusal:
    problem = asked.state.dialect.problems[cause]
    description = problem.description.format(name=name)
    if problem.how == "page":
        return Refusal(problem.status, problem.error, description)
    fields = {"error": problem.error, "error_description": description}
    return FormPost(asked.params["redirect_uri"], fields | _state_field(asked.state, asked.params))
