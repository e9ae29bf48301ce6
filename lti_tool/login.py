"""Third-party login initiation (Security Framework 5.1.1): who asks, for what, and the authentication request
that answers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from lti_tool.remembered import Remembered
from lti_tool.settings import LtiSettings
from lti_tool.state import LoginState, NewState, States
from microcred.outgoing import effective_port

MAX_BODY = 16 * 1024


@dataclass(frozen=True)
class LoginRequest:
    """A login as it was asked for; `registration_id` where it came to a registration's own URL."""

    iss: str
    login_hint: str
    target_link_uri: str
    client_id: str | None = None
    lti_message_hint: str | None = None
    lti_deployment_id: str | None = None
    lti_storage_target: str | None = None
    registration_id: str | None = None

    @classmethod
    def of(cls, params: Mapping[str, str], registration_id: str | None) -> "LoginRequest":
        """Read the parameters. Raises LtiRefused(login_missing_param)."""
        for name in ("iss", "login_hint", "target_link_uri"):
            if not params.get(name):
                raise LtiRefused("login_missing_param", detail=name)
        return cls(
            params["iss"],
            params["login_hint"],
            params["target_link_uri"],
            params.get("client_id") or None,
            params.get("lti_message_hint"),
            # Canvas's documents and code name it without the prefix.
            params.get("lti_deployment_id") or params.get("deployment_id") or None,
            params.get("lti_storage_target") or None,
            registration_id,
        )

    def as_fields(self) -> dict[str, str]:
        """Everything that was given, by its parameter name (and `registration_id`)."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def as_url(self, settings: LtiSettings) -> str:
        """The login address that asks for the same by GET."""
        fields = self.as_fields()
        address = settings.login_url(fields.pop("registration_id", None))
        return f"{address}?{urlencode(fields, quote_via=quote)}"


@dataclass(frozen=True)
class StartedLogin:
    """A login under way: whose it is, its state, and the platform's address to go on to."""

    facts: RegistrationFacts
    request: LoginRequest
    state: LoginState
    binding: str
    authentication_url: str


class Logins:
    """Answers logins. Stores nothing."""

    def __init__(self, remembered: Remembered, states: States, settings: LtiSettings) -> None:
        self._remembered = remembered
        self._states = states
        self._settings = settings

    def start(self, request: LoginRequest) -> StartedLogin:
        """Find the registration, check the target, make a state. Raises LtiRefused."""
        facts = self._remembered.for_login(request.iss, request.client_id, request.registration_id)
        if not is_own_target(request.target_link_uri, self._settings):
            refused = LtiRefused("target_link_not_allowed")
            refused.registration_id = facts.public_id
            raise refused
        new = self._states.new(
            registration_id=facts.public_id,
            target=request.target_link_uri,
            deployment_id=request.lti_deployment_id,
            storage_target=request.lti_storage_target,
        )
        return self._started(facts, request, new)

    def resume(self, fields: Mapping[str, Any]) -> StartedLogin:
        """A login that was set aside to see whether a cookie comes back. Raises LtiRefused."""
        request = LoginRequest(**fields["r"])
        login = self._states.open(fields["s"])
        facts = self._remembered.by_public_id(login.registration_id)
        if not facts.is_approved:
            raise LtiRefused("registration_inactive")
        return self._started(facts, request, NewState(login, fields["s"], fields["b"]))

    def set_aside(self, started: StartedLogin) -> dict[str, Any]:
        """What `resume` needs."""
        return {
            "r": started.request.as_fields(),
            "s": self._states.seal(started.state),
            "b": started.binding,
        }

    def _started(self, facts: RegistrationFacts, request: LoginRequest, new: NewState) -> StartedLogin:
        url = _authentication_url(facts, request, new, self._settings.launch_url)
        return StartedLogin(facts, request, new.login, new.binding, url)


def is_own_target(url: str, settings: LtiSettings) -> bool:
    """Whether `url` is `/lti/launch` or `/lti/deep-link` on our own origin, with any query."""
    if not url.isascii() or any(c <= " " or c in '\\"<>\x7f' for c in url):
        return False
    try:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.hostname or "", effective_port(parts))
    except ValueError:
        return False
    prefix = urlsplit(settings.base).path
    paths = (f"{prefix}/lti/launch", f"{prefix}/lti/deep-link")
    return "@" not in parts.netloc and origin == settings.origin and parts.path in paths and "#" not in url


def _authentication_url(
    facts: RegistrationFacts, request: LoginRequest, new: NewState, redirect_uri: str
) -> str:
    """The platform's authorization URL with the authentication request; its own query is kept."""
    params = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": facts.client_id,
        "redirect_uri": redirect_uri,
        "login_hint": request.login_hint,
        "state": new.sealed,
        "nonce": new.login.nonce,
    }
    if request.lti_message_hint is not None:
        params["lti_message_hint"] = request.lti_message_hint
    address = facts.auth_url.partition("#")[0]
    join = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{join}{urlencode(params, quote_via=quote, safe='')}"
