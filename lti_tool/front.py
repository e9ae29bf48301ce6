"""What a login or a launch leads to: the decision, without the page that may have to tell it.

Nearly every one leads to a redirect, and `Door` answers those by itself, before the pages' own machinery,
which costs more than everything decided here. Whatever needs a page (a refusal, the browser's storage) goes
on to the views, which find the decision with the request.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri

from lti_tool.errors import LtiRefused
from lti_tool.headers import secured
from lti_tool.incoming import Incoming, TooLarge, says_one_thing
from lti_tool.login import MAX_BODY, LoginRequest, StartedLogin
from lti_tool.recording import Accepted
from lti_tool.state import COOKIE_PREFIX, LIFETIME, LoginState, binding_cookies, cookies_to_drop
from lti_tool.tool import LtiTool
from microcred.database import random_id

MAX_LAUNCH_BODY = 300 * 1024
_LONGEST_ADDRESS = 7900
"""Servers and proxies commonly take request lines of 8 KiB."""
_FRAMES = ("iframe", "frame", "embed", "object")
_DECISION = "microcred.lti.decision"
_log = structlog.get_logger("lti")


@dataclass(frozen=True)
class Redirect:
    """On to another address, with cookies as `Set-Cookie` has them."""

    status: str
    url: str
    cookies: tuple[str, ...]


@dataclass(frozen=True)
class AskStorage:
    """The browser brought no cookie, but its platform may hold the login's secret."""

    login: LoginState
    token: str
    state: str


@dataclass(frozen=True)
class OpenedWithoutCookie:
    """Bound by platform storage: the page itself must keep the session's credential."""

    accepted: Accepted
    credential: str


Decision = Redirect | AskStorage | OpenedWithoutCookie | LtiRefused


class Front:
    """Decides about logins and launches."""

    def __init__(self, tool: LtiTool) -> None:
        self._tool = tool
        self.settings = tool.settings

    def decide(self, asked: Callable[[Incoming], Decision], incoming: Incoming) -> Decision:
        """What `asked` (`login_at`, `launch`) leads to, every refusal among it."""
        try:
            return asked(incoming)
        except LtiRefused as refused:
            return refused
        except (DBAPIError, PoolTimeout) as error:
            # The error's text may hold what was to be stored, so only its kind is logged.
            _log.error("database_unavailable", error=type(error).__name__)
            return LtiRefused("temporarily_unavailable")

    def login_at(self, registration_id: str | None) -> Callable[[Incoming], Decision]:
        """Login initiation, by GET or POST, at the common address or at a registration's own."""
        return lambda incoming: self._login(incoming, registration_id)

    def _login(self, incoming: Incoming, registration_id: str | None) -> Decision:
        self._tool.login_limit.spend(incoming.address)
        try:
            query, form = incoming.query(MAX_BODY), incoming.form(MAX_BODY)
        except (TooLarge, HTTPException) as error:
            incoming.drain()
            raise LtiRefused("login_missing_param", status=413) from error
        if not says_one_thing(query) or not says_one_thing(form):
            # A login that says one thing twice, differently, says nothing.
            raise LtiRefused("login_conflict")
        started = self._tool.logins.start(LoginRequest.of(dict(query) | dict(form), registration_id))
        returned = binding_cookies(incoming.cookies)
        url = started.authentication_url
        if _is_framed(incoming) and not returned:
            ticket = self._tool.keyring.seal_text("state", self._tool.logins.set_aside(started))
            address = f"{self.settings.base}/lti/login/check?c={ticket}"
            # A hint of several kilobytes leaves no room for the detour; it then works wherever cookies do.
            url = address if len(address) <= _LONGEST_ADDRESS else url
        return Redirect("302 FOUND", url, _binding(started, cookies_to_drop(returned)))

    def launch(self, incoming: Incoming) -> Decision:
        """The authentication response: an id_token of any message type, or an error of the platform."""
        limit = self._tool.failed_launch_limit
        limit.check(incoming.address)
        try:
            return self._launch(incoming)
        except LtiRefused as refused:
            if refused.status < 500:
                limit.spend_quietly(incoming.address)
            raise

    def _launch(self, incoming: Incoming) -> Decision:
        if self.settings.is_https and came_by_http(incoming.header("X-Forwarded-Proto")):
            raise LtiRefused("url_not_allowed", detail="https is required")
        try:
            # Where a field comes twice, the first counts.
            form = dict(reversed(incoming.form(MAX_LAUNCH_BODY)))
        except (TooLarge, HTTPException) as error:
            incoming.drain()
            raise LtiRefused("token_too_large") from error
        token = form.get("id_token")
        if not token:
            raise LtiRefused("platform_error" if form.get("error") else "token_missing")
        state = form.get("state")

        def find_binding(login: LoginState) -> tuple[str | None, str]:
            cookie = incoming.cookies.get(login.cookie_name)
            if cookie is not None or login.storage_target is None:
                return cookie, "cookie"
            if "lti_binding" not in form:
                raise _NoCookie(login)
            return form["lti_binding"], "storage"

        try:
            return self._opened(self._tool.launches.accept(token, state, find_binding))
        except _NoCookie as without:
            return AskStorage(without.login, token, state or "")

    def _opened(self, accepted: Accepted) -> Decision:
        cookie = self._tool.sessions.cookie_for(accepted.launch_public_id)
        if accepted.bound_by == "storage":
            return OpenedWithoutCookie(accepted, cookie.value)
        url = f"{self.settings.base}/app/{accepted.launch_public_id}/"
        return Redirect("303 SEE OTHER", url, (cookie.header,))


class _NoCookie(Exception):
    def __init__(self, login: LoginState) -> None:
        super().__init__()
        self.login = login


Answered = Callable[[str, int], None]
"""Told of every answer given at the door: endpoint and status."""


class Door:
    """WSGI middleware: answers the logins and launches that lead to a redirect; all else goes on to `app`."""

    def __init__(self, app: Any, front: Front, answered: Answered) -> None:
        self._app = app
        self._front = front
        self._answered = answered
        self._headers = [*secured(front.settings, ()).items(), ("Content-Length", "0")]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        endpoint, asked = self._asked(environ)
        if asked is not None:
            decision: Decision | Exception
            try:
                decision = self._front.decide(asked, Incoming(environ))
            except Exception as error:  # noqa: BLE001 - the app tells of it as of any other
                decision = error
            if isinstance(decision, Redirect):
                return self._redirect(endpoint, decision, start_response)
            environ[_DECISION] = decision
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _asked(self, environ: dict[str, Any]) -> tuple[str, Callable[[Incoming], Decision] | None]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method == "POST" and path in ("/lti/launch", "/lti/deep-link"):
            return "lti.launch" if path == "/lti/launch" else "lti.deep_link", self._front.launch
        if method in ("GET", "POST") and path == "/lti/login":
            return "lti.login", self._front.login_at(None)
        if method in ("GET", "POST") and path.startswith("/lti/login/"):
            own = path.removeprefix("/lti/login/")
            if own.isascii() and own.isalnum() and own != "check":
                return "lti.own_login", self._front.login_at(own)
        return "", None

    def _redirect(self, endpoint: str, to: Redirect, start_response: Any) -> Iterable[bytes]:
        headers = [
            ("Location", to.url if to.url.isascii() else iri_to_uri(to.url)),
            *self._headers,
            *(("Set-Cookie", cookie) for cookie in to.cookies),
            ("X-Request-Id", random_id(16)),
        ]
        start_response(to.status, headers)
        self._answered(endpoint, int(to.status[:3]))
        return ()


def decision_of(environ: dict[str, Any]) -> Decision | None:
    """What was decided at the door. Raises what went wrong there."""
    decision: Decision | Exception | None = environ.get(_DECISION)
    if isinstance(decision, Exception) and not isinstance(decision, LtiRefused):
        raise decision
    return decision


def came_by_http(forwarded: str | None) -> bool:
    """Whether a proxy says that the browser did not come by https."""
    return (forwarded or "").split(",")[0].strip() == "http"


_BINDING = "; Secure; HttpOnly; Path=/; SameSite=None; Partitioned"


def _binding(started: StartedLogin, drop: list[str]) -> tuple[str, ...]:
    """The login's own cookie, and the ends of old ones."""
    ended = (
        f"{name}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0{_BINDING}"
        for name in drop
        if name.removeprefix(COOKIE_PREFIX).isalnum() and name.isascii()
    )
    lifetime = int(LIFETIME.total_seconds())
    return (*ended, f"{started.state.cookie_name}={started.binding}; Max-Age={lifetime}{_BINDING}")


def _is_framed(incoming: Incoming) -> bool:
    """Whether this login is shown in a frame; a browser too old to say counts as framed."""
    dest = incoming.header("Sec-Fetch-Dest")
    if dest is None:
        return "Mozilla/" in (incoming.header("User-Agent") or "")
    return dest in _FRAMES
