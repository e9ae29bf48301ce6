"""The LTI addresses: login, the check for cookies, launch, tool keys (DESIGN sections 3 and 5)."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from lti_tool.answering import Answers, RenderRefusal, drain, plain_refusal
from lti_tool.errors import LtiRefused
from lti_tool.http_setup import SetupViews
from lti_tool.login import MAX_BODY, LoginRequest, StartedLogin
from lti_tool.recording import Accepted
from lti_tool.state import COOKIE_PREFIX, LIFETIME, LoginState, binding_cookies, cookies_to_drop
from lti_tool.tool import LtiTool
from microcred.sealing import SealBroken

MAX_LAUNCH_BODY = 300 * 1024
_LONGEST_ADDRESS = 7900
"""Servers and proxies commonly take request lines of 8 KiB."""
_FRAMES = ("iframe", "frame", "embed", "object")
AfterLaunch = Callable[[Accepted, str], Response]


class _AskStorage(Exception):
    """The browser brought no cookie, but its platform may hold the login's secret."""

    def __init__(self, login: LoginState) -> None:
        super().__init__()
        self.login = login


def create_blueprint(
    tool: LtiTool, render_refusal: RenderRefusal | None = None, after_launch: AfterLaunch | None = None
) -> Blueprint:
    """The blueprint `lti`.

    `render_refusal` gives the HTML of a refusal page; it must carry `data-lti-error`. `after_launch` gives
    the page (status 200) for a launch that was bound by platform storage where no cookie exists; it gets the
    accepted launch and the token for the page's memory.
    """
    render_refusal = render_refusal or plain_refusal
    views = _Views(tool, render_refusal, after_launch or _in_memory)
    setup = SetupViews(tool, render_refusal)
    blueprint = Blueprint(
        "lti", __name__, template_folder="templates", static_folder="static", static_url_path="/lti/static"
    )
    rules: list[tuple[str, str, Callable[..., Response], list[str]]] = [
        ("/lti/login", "login", views.login, ["GET", "POST"]),
        ("/lti/login/<registration_id>", "own_login", views.login, ["GET", "POST"]),
        ("/lti/login/check", "check", views.check, ["GET"]),
        ("/lti/launch", "launch", views.launch, ["GET", "POST"]),
        ("/lti/deep-link", "deep_link", views.launch, ["GET", "POST"]),
        ("/lti/jwks", "jwks", views.jwks, ["GET"]),
        ("/lti/register", "register", setup.register, ["GET"]),
        ("/lti/config/canvas.json", "canvas_config", setup.canvas_config, ["GET"]),
        ("/lti/notices", "notices", setup.notices, ["POST"]),
        ("/lti/notices/<registration_id>", "own_notices", setup.notices, ["POST"]),
    ]
    for rule, endpoint, view, methods in rules:
        blueprint.add_url_rule(rule, endpoint, views.guarded(view), methods=methods)
    return blueprint


class _Views(Answers):
    def __init__(self, tool: LtiTool, render_refusal: RenderRefusal, after_launch: AfterLaunch) -> None:
        super().__init__(tool.settings, render_refusal)
        self.tool = tool
        self.after_launch = after_launch

    # views

    def login(self, registration_id: str | None = None) -> Response:
        """Login initiation, by GET or POST."""
        self.tool.login_limit.spend(request.remote_addr or "")
        if len(request.query_string) > MAX_BODY:
            raise LtiRefused("login_missing_param", status=413)
        request.max_content_length = MAX_BODY
        try:
            params = {**request.args.to_dict(), **request.form.to_dict()}
        except RequestEntityTooLarge as error:
            drain()
            raise LtiRefused("login_missing_param", status=413) from error
        for values in (request.args, request.form):
            # A login that says one thing twice, differently, says nothing.
            if any(len(set(values.getlist(name))) > 1 for name in values):
                raise LtiRefused("login_conflict")
        started = self.tool.logins.start(LoginRequest.of(params, registration_id))
        returned = binding_cookies(request.cookies)
        response = self._to_platform(started)
        if _is_framed() and not returned:
            ticket = self.tool.keyring.seal_text("state", self.tool.logins.set_aside(started))
            address = f"{self.settings.base}/lti/login/check?c={ticket}"
            # A hint of several kilobytes leaves no room for the detour; it then works wherever cookies do.
            if len(address) <= _LONGEST_ADDRESS:
                response = self.redirect(address, ())
        _keep_binding(response, started, cookies_to_drop(returned))
        return response

    def check(self) -> Response:
        """Second step of a framed login: did the cookie come back?"""
        try:
            started = self.tool.logins.resume(self.tool.keyring.open_text("state", request.args.get("c", "")))
        except (SealBroken, KeyError, TypeError) as error:
            raise LtiRefused("state_unknown") from error
        if started.state.is_bound_by(request.cookies.get(started.state.cookie_name)):
            return self._to_platform(started)
        if started.state.storage_target:
            page = render_template(
                "lti/storage_put.html",
                origin=_origin(started.facts.auth_url),
                target=started.state.storage_target,
                key=started.state.storage_key,
                value=started.binding,
                continue_url=started.authentication_url,
                login_url=started.request.as_url(self.settings),
            )
        elif request.headers.get("Sec-Fetch-Dest") == "document":
            raise _for(started, LtiRefused("browser_not_bound"), self.settings.allow_hosts)
        else:
            page = render_template("lti/new_tab.html", login_url=started.request.as_url(self.settings))
        return self.page(page, 200, started.facts.frame_origins(self.settings.allow_hosts))

    def launch(self) -> Response:
        """The authentication response: an id_token of any message type, or an error of the platform."""
        if request.method != "POST":
            response = self.refused(LtiRefused("token_missing", status=405))
            response.headers["Allow"] = "POST"
            return response
        address = request.remote_addr or ""
        self.tool.failed_launch_limit.check(address)
        try:
            return self._launch()
        except LtiRefused as refused:
            if refused.status < 500:
                self.tool.failed_launch_limit.spend_quietly(address)
            raise

    def _launch(self) -> Response:
        self.require_https()
        request.max_content_length = request.max_form_memory_size = MAX_LAUNCH_BODY
        try:
            form = request.form
        except RequestEntityTooLarge as error:
            drain()
            raise LtiRefused("token_too_large") from error
        token = form.get("id_token")
        if not token:
            raise LtiRefused("platform_error" if form.get("error") else "token_missing")

        def find_binding(login: LoginState) -> tuple[str | None, str]:
            cookie = request.cookies.get(login.cookie_name)
            if cookie is not None:
                return cookie, "cookie"
            if login.storage_target is None:
                return None, "cookie"
            if "lti_binding" not in form:
                raise _AskStorage(login)
            return form["lti_binding"], "storage"

        try:
            accepted = self.tool.launches.accept(token, form.get("state"), find_binding)
        except _AskStorage as ask:
            return self._ask_storage(ask.login, token, form["state"])
        return self._opened(accepted)

    def jwks(self) -> Response:
        """The tool's public keys."""
        response = Response(json.dumps(self.tool.keys.jwks()), mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    # answers

    def _opened(self, accepted: Accepted) -> Response:
        cookie = self.tool.sessions.cookie_for(accepted.launch_public_id)
        if accepted.bound_by == "storage":
            response = self.after_launch(accepted, cookie.value)
            response.headers.setdefault("Cache-Control", "no-store")
            return response
        response = self.redirect(f"{self.settings.base}/app/{accepted.launch_public_id}/", (), 303)
        response.set_cookie(cookie.name, cookie.value, **cookie.attributes)
        return response

    def _ask_storage(self, login: LoginState, token: str, state: str) -> Response:
        facts = self.tool.launches.facts_of(login)
        page = render_template(
            "lti/storage_get.html",
            origin=_origin(facts.auth_url),
            target=login.storage_target,
            key=login.storage_key,
            launch_url=self.settings.launch_url,
            id_token=token,
            state=state,
            words=LtiRefused("browser_not_bound").words,
        )
        return self.page(page, 200, facts.frame_origins(self.settings.allow_hosts))

    def _to_platform(self, started: StartedLogin) -> Response:
        return self.redirect(started.authentication_url, ())


def _in_memory(accepted: Accepted, token: str) -> Response:
    page_url = f"/app/{accepted.launch_public_id}/"
    return make_response(render_template("lti/in_memory.html", page_url=page_url, token=token))


def _keep_binding(response: Response, started: StartedLogin, drop: list[str]) -> None:
    attributes: dict[str, Any] = {
        "path": "/",
        "secure": True,
        "httponly": True,
        "samesite": "None",
        "partitioned": True,
    }
    for name in drop:
        if name.removeprefix(COOKIE_PREFIX).isalnum():
            response.set_cookie(name, "", max_age=0, **attributes)
    lifetime = int(LIFETIME.total_seconds())
    response.set_cookie(started.state.cookie_name, started.binding, max_age=lifetime, **attributes)


def _is_framed() -> bool:
    """Whether this login is shown in a frame; a browser too old to say counts as framed."""
    dest = request.headers.get("Sec-Fetch-Dest")
    if dest is None:
        return "Mozilla/" in request.headers.get("User-Agent", "")
    return dest in _FRAMES


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _for(started: StartedLogin, refused: LtiRefused, allow_hosts: tuple[str, ...]) -> LtiRefused:
    refused.registration_id = started.facts.public_id
    refused.origins = started.facts.frame_origins(allow_hosts)
    return refused
