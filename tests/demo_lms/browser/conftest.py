"""A page-serving throw-away tool on 127.0.0.1, another site than the LMS on localhost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from flask import Flask, Response, redirect, request
from markupsafe import escape
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as AnyResponse

from demo_lms import PLAIN, Dialect, Platform, Server, SigningKey, serve
from demo_lms.sample import add_sample

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"

STORE_PAGE = """<!doctype html><title>Storing</title><p id=said>waiting</p><script>
addEventListener("message", (event) => {{
  if (event.origin !== {origin} || event.data.message_id !== "m1") return;
  document.getElementById("said").textContent = JSON.stringify(event.data);
  location.replace({onward});
}});
parent.postMessage({{subject: "lti.put_data", message_id: "m1", key: "lti_state_s", value: "kept"}},
  {origin});
</script>"""

LAUNCHED_PAGE = """<!doctype html><title>Launched</title><h1>Hello {sub}</h1><p id=said></p>
<button onclick="ask({{subject: 'lti.close'}})">Close</button><script>
const said = document.getElementById("said");
const ask = (message) => parent.postMessage({{message_id: message.subject, ...message}}, {origin});
addEventListener("message", (event) => {{
  if (event.origin === {origin}) said.textContent += JSON.stringify(event.data) + "\\n";
}});
ask({{subject: "lti.capabilities"}});
ask({{subject: "lti.get_data", key: "lti_state_s"}});
ask({{subject: "lti.get_data"}});
ask({{subject: "lti.fetchWindowSize"}});
ask({{subject: "lti.frameResize", height: 1234}});
</script>"""


def tool_app(platform: Platform, key: SigningKey) -> Flask:
    app = Flask("throw-away tool")

    @app.route("/lti/login", methods=["GET", "POST"])
    def login() -> AnyResponse | str:
        given = request.values
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": given.get("client_id", "demo-tool"),
            "redirect_uri": request.host_url + "lti/launch",
            "login_hint": given["login_hint"],
            "lti_message_hint": given["lti_message_hint"],
            "state": "s",
            "nonce": "n",
        }
        onward = f"{platform.auth_url}?{urlencode(query)}"
        if given.get("lti_storage_target") != "_parent":
            return redirect(onward)
        return STORE_PAGE.format(origin=json.dumps(platform.base_url), onward=json.dumps(onward))

    @app.post("/lti/launch")
    def launch() -> AnyResponse | str:
        if "error" in request.form:
            return f"<!doctype html><title>Refused</title><p>{escape(request.form['error'])}</p>"
        claims = jwt.decode(request.form["id_token"], options={"verify_signature": False})
        if claims[LTI + "message_type"] == "LtiDeepLinkingRequest":
            return picked(claims)
        return LAUNCHED_PAGE.format(sub=escape(claims["sub"]), origin=json.dumps(platform.base_url))

    def picked(claims: dict[str, Any]) -> str:
        settings = claims[DL + "deep_linking_settings"]
        client = claims["aud"][0] if isinstance(claims["aud"], list) else claims["aud"]
        now, back = int(time.time()), settings["deep_link_return_url"]
        answer = {
            "iss": client,
            "aud": claims["iss"],
            "iat": now,
            "exp": now + 300,
            "nonce": str(time.monotonic_ns()),
            LTI + "message_type": "LtiDeepLinkingResponse",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": claims[LTI + "deployment_id"],
            **({DL + "data": settings["data"]} if "data" in settings else {}),
            DL + "content_items": [
                {"type": "ltiResourceLink", "title": "Idea Shaper", "lineItem": {"scoreMaximum": 100}}
            ],
        }
        token = jwt.encode(answer, key.private, "RS256", headers={"kid": key.kid})
        return (
            f'<!doctype html><title>Pick</title><form method="post" action="{escape(back)}">'
            f'<input type="hidden" name="JWT" value="{token}"><button>Add it</button></form>'
        )

    @app.get("/lti/jwks")
    def jwks() -> Response:
        return Response(json.dumps({"keys": [key.public_jwk()]}), mimetype="application/json")

    return app


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """The test's own assertions say enough."""


@pytest.fixture
def lms(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[Server]:
    """The sample LMS on localhost with the throw-away tool on 127.0.0.1."""
    with running(PLAIN, platform_key, tool_key) as server:
        yield server


@contextmanager
def running(dialect: Dialect, platform_key: SigningKey, tool_key: SigningKey) -> Iterator[Server]:
    """The sample LMS of a dialect."""
    platform = Platform(dialect=dialect, keys=[platform_key])
    add_sample(platform)
    server = make_server("127.0.0.1", 0, tool_app(platform, tool_key), threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    platform.add_tool(
        "demo-tool", f"{base}/lti/login", [f"{base}/lti/launch"], f"{base}/lti/jwks", f"{base}/lti/deep-link"
    )
    with serve(platform) as answering:
        yield answering
    server.shutdown()
    server.server_close()
    thread.join(5)
