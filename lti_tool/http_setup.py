"""The LTI addresses that are not launches: dynamic registration, the JSON for Canvas, platform notices."""

import json
from typing import Any

from flask import Response, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from lti_tool import notices
from lti_tool.answering import Answers, RenderRefusal, drain
from lti_tool.dialects.setting_up import canvas_key
from lti_tool.dynamic_registration import Asked
from lti_tool.errors import LtiRefused
from lti_tool.notices import Taken
from lti_tool.platform_configuration import refused
from lti_tool.tool import LtiTool


class SetupViews(Answers):
    """Views for LMS administrators and for platforms themselves."""

    def __init__(self, tool: LtiTool, render_refusal: RenderRefusal) -> None:
        super().__init__(tool.settings, render_refusal)
        self.tool = tool

    def register(self) -> Response:
        """Dynamic registration, done at once; the page tells what came of it and closes itself."""
        if request.method != "GET":
            # A HEAD would register too, and show nobody what came of it.
            return Response(status=405, headers={"Allow": "GET"})
        self.tool.register_limit.spend(request.remote_addr or "")
        asked = Asked(
            configuration_url=_one("openid_configuration"),
            registration_token=_one("registration_token") or None,
            invitation=_one("invitation") or None,
            address=request.remote_addr or "",
        )
        if not asked.configuration_url:
            raise refused(
                "login_missing_param",
                "This address registers an LMS, but it was not opened by one.",
                detail="openid_configuration",
            )
        registered = self.tool.dynamic_registrations.register(asked)
        return self.page(render_template("lti/registered.html", registered=registered), 200, ())

    def canvas_config(self) -> Response:
        """The JSON that Canvas imports."""
        response = Response(json.dumps(canvas_key(self.settings), indent=2), mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    def notices(self, registration_id: str | None = None) -> Response:
        """Notices of a platform: 200 once the good ones are stored, else the first one's refusal."""
        address = request.remote_addr or ""
        self.tool.failed_launch_limit.check(address)
        try:
            self.require_https()
            taken = self.tool.notices.take(_tokens(), registration_id)
        except LtiRefused as refusal:
            self.tool.failed_launch_limit.spend_quietly(address)
            return _told([Taken(refusal)])
        if any(one.refused for one in taken):
            self.tool.failed_launch_limit.spend_quietly(address)
        return _told(taken)


def _one(name: str) -> str:
    """A parameter that may be given once. Raises LtiRefused(login_conflict)."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise refused("login_conflict", "This address names two things at once.", detail=name)
    return values[0] if values else ""


def _tokens() -> list[object]:
    """The tokens of a batch. Raises LtiRefused."""
    request.max_content_length = notices.MAX_BYTES
    try:
        body = json.loads(request.get_data())
    except RequestEntityTooLarge as error:
        drain()
        raise LtiRefused("token_too_large") from error
    except (ValueError, RecursionError) as error:
        raise LtiRefused("token_malformed") from error
    given = body.get("notices") if isinstance(body, dict) else None
    if given is None or given == []:
        raise LtiRefused("token_missing")
    if not isinstance(given, list):
        raise LtiRefused("token_malformed")
    if len(given) > notices.AT_MOST:
        raise LtiRefused("token_too_large")
    return [one.get("jwt") if isinstance(one, dict) else None for one in given]


def _told(taken: list[Taken]) -> Response:
    """The answer to a batch, notice by notice in its order."""
    first = next((one.refused for one in taken if one.refused), None)
    good = any(one.refused is None for one in taken)
    status = 200 if good or first is None else first.status
    response = Response(
        json.dumps({"notices": [_word(one) for one in taken]}), status, mimetype="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    if not good and first is not None:
        response.headers["X-LTI-Error"] = first.code
        if first.retry_after:
            response.headers["Retry-After"] = str(first.retry_after)
    return response


def _word(one: Taken) -> dict[str, Any]:
    if one.refused is None:
        return {"status": "stored" if one.is_new else "known"}
    return {"status": "refused", "code": one.refused.code, "detail": one.refused.detail}
