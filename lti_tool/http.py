"""The LTI addresses: login, the check for cookies, launch, tool keys (DESIGN sections 3 and 5)."""

import json
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, make_response, render_template, request
from flask.sansio.blueprints import BlueprintSetupState

from lti_tool.answering import Answers, RenderRefusal, plain_refusal
from lti_tool.errors import LtiRefused
from lti_tool.front import (
    Answered,
    AskStorage,
    Decision,
    Door,
    Front,
    OpenedWithoutCookie,
    decision_of,
)
from lti_tool.http_setup import SetupViews
from lti_tool.incoming import Incoming
from lti_tool.login import StartedLogin
from lti_tool.recording import Accepted
from lti_tool.state import LoginState
from lti_tool.tool import LtiTool
from microcred.sealing import SealBroken

AfterLaunch = Callable[[Accepted, str], Response]


def create_blueprint(
    tool: LtiTool,
    render_refusal: RenderRefusal | None = None,
    after_launch: AfterLaunch | None = None,
    answered: Answered | None = None,
) -> Blueprint:
    """The blueprint `lti`.

    `render_refusal` gives the HTML of a refusal page; it must carry `data-lti-error`. `after_launch` gives
    the page (status 200) for a launch that was bound by platform storage where no cookie exists; it gets the
    accepted launch and the token for the page's memory. `answered` is told of the answers that `Door` gives
    before the app sees the request.
    """
    render_refusal = render_refusal or plain_refusal
    front = Front(tool)
    views = _Views(tool, front, render_refusal, after_launch or _in_memory)
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

    def put_door(state: BlueprintSetupState) -> None:
        app = cast(Flask, state.app)
        app.wsgi_app = Door(app.wsgi_app, front, answered or _unheard)  # type: ignore[method-assign]

    blueprint.record_once(put_door)
    return blueprint


class _Views(Answers):
    def __init__(
        self, tool: LtiTool, front: Front, render_refusal: RenderRefusal, after_launch: AfterLaunch
    ) -> None:
        super().__init__(tool.settings, render_refusal)
        self.tool = tool
        self.front = front
        self.after_launch = after_launch

    # views

    def login(self, registration_id: str | None = None) -> Response:
        """Login initiation, by GET or POST."""
        return self._tell(self.front.login_at(registration_id))

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
        return self._tell(self.front.launch)

    def jwks(self) -> Response:
        """The tool's public keys."""
        response = Response(json.dumps(self.tool.keys.jwks()), mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    # answers

    def _tell(self, asked: Callable[[Incoming], Decision]) -> Response:
        """The answer to what was decided at the door (or is now, for a request that no door saw)."""
        decision = decision_of(request.environ) or self.front.decide(asked, Incoming(request.environ))
        if isinstance(decision, LtiRefused):
            raise decision
        if isinstance(decision, AskStorage):
            return self._ask_storage(decision.login, decision.token, decision.state)
        if isinstance(decision, OpenedWithoutCookie):
            response = self.after_launch(decision.accepted, decision.credential)
            response.headers.setdefault("Cache-Control", "no-store")
            return response
        response = self.redirect(decision.url, (), int(decision.status[:3]))
        for cookie in decision.cookies:
            response.headers.add("Set-Cookie", cookie)
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


def _unheard(_endpoint: str, _status: int) -> None:
    """Nobody counts."""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _for(started: StartedLogin, refused: LtiRefused, allow_hosts: tuple[str, ...]) -> LtiRefused:
    refused.registration_id = started.facts.public_id
    refused.origins = started.facts.frame_origins(allow_hosts)
    return refused
