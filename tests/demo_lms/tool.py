"""A throw-away tool for the demo LMS's own tests: it knows the specification, not the LMS's code."""

from __future__ import annotations

import html
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from demo_lms import Platform, Server, SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LINEITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINEITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
REDIRECT = "http://127.0.0.1:5000/lti/launch"


@dataclass
class Form:
    """The form a page of the LMS would send on."""

    action: str
    method: str
    fields: dict[str, str]


def form_in(page: str) -> Form:
    """The page's auto-submitted form."""
    head = re.search(r'<form id="onward" method="(\w+)" action="([^"]*)"', page)
    assert head, page
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return Form(html.unescape(head[2]), head[1], {html.unescape(k): html.unescape(v) for k, v in fields})


@dataclass
class FakeTool:
    """The tool's side of every exchange, over real HTTP."""

    platform: Platform
    server: Server
    key: SigningKey
    client_id: str = "demo-tool"
    http: requests.Session = field(default_factory=requests.Session)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(
            claims, self.key.private, algorithm="RS256", headers={"kid": self.key.kid, **header}
        )

    def assertion(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.platform.token_url,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(8),
        }
        return self.sign({k: v for k, v in (claims | changes).items() if v is not None})

    def ask_token(
        self, scope: str, assertion: str | None = None, changes: dict[str, str] | None = None
    ) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            "scope": scope,
        }
        return self.http.post(self.platform.token_url, data=form | (changes or {}), timeout=5)

    def call(
        self, method: str, url: str, scope: str, media: str, body: Any = None, token: str = ""
    ) -> requests.Response:
        """A service call with a fresh token; ``media`` is sent as Accept for GET, else as Content-Type."""
        value = token or self.ask_token(scope).json()["access_token"]
        headers = {"Authorization": f"Bearer {value}"}
        headers["Accept" if method == "GET" else "Content-Type"] = media
        return self.http.request(method, url, headers=headers, json=body, timeout=5)

    def authentication(self, login: dict[str, str], **changes: str | None) -> str:
        """The authorization request that a tool makes of a login initiation."""
        params: dict[str, str | None] = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "state": "state-1",
            "nonce": "nonce-1",
        }
        chosen = {k: v for k, v in (params | changes).items() if v is not None}
        return f"{self.platform.auth_url}?{urlencode(chosen)}"

    def verified(self, id_token: str) -> dict[str, Any]:
        """The claims of an id_token, checked against the platform's published keys."""
        keys = jwt.PyJWKSet.from_dict(self.http.get(self.platform.jwks_url, timeout=5).json())
        kid = jwt.get_unverified_header(id_token)["kid"]
        claims: dict[str, Any] = jwt.decode(
            id_token,
            keys[kid],
            algorithms=["RS256"],
            audience=self.client_id,
            issuer=self.platform.issuer,
            options={"require": ["iss", "aud", "exp", "iat", "nonce", "sub"]},
        )
        return claims
