"""The OAuth half of a backpack host, strict: RFC 6749, 7009, 7591, 7636 as Open Badges use them."""

import base64
import hashlib
import html
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from tests.hosts.serving import Reply, Request

REGISTERED = (
    *("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"),
    *("software_id", "software_version", "redirect_uris"),
    *("token_endpoint_auth_method", "grant_types", "response_types", "scope"),
)


@dataclass
class Grant:
    """What a person agreed to: one authorization, its newest tokens and all that went before."""

    client_id: str
    scope: str
    access: str = ""
    refresh: str = ""
    expires_at: float = 0.0
    revoked: bool = False


@dataclass
class OAuth:
    """Clients, codes and tokens of one host."""

    scopes: tuple[str, ...]
    token_seconds: int = 3600
    rotates: bool = True
    revokes: bool = True
    sends_issuer: bool = False
    tells_scope: bool = False
    """The redirect carries `scope` (Open Badges 3.0, section 7)."""
    https_only: bool = False
    now: Any = time.time
    clients: dict[str, dict[str, Any]] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    spent: set[str] = field(default_factory=set)
    """Refresh tokens that were used: using one again ends the grant."""
    refreshed: int = 0

    def register(self, request: Request) -> Reply:
        """RFC 7591, with what Open Badges require of it."""
        asked = request.json
        if not isinstance(asked, dict):
            return _error(400, "invalid_client_metadata", "no JSON object")
        missing = [name for name in REGISTERED if name not in asked]
        urls = [asked.get(n) for n in ("client_uri", "logo_uri", "tos_uri", "policy_uri")]
        urls += asked.get("redirect_uris") or []
        problem = None
        if missing:
            problem = f"missing: {missing}"
        elif asked["token_endpoint_auth_method"] != "client_secret_basic":
            problem = "only client_secret_basic"
        elif not set(asked["grant_types"]) <= {"authorization_code", "refresh_token"}:
            problem = "grant types"
        elif asked["response_types"] != ["code"]:
            problem = "response types"
        elif not set(asked["scope"].split()) <= set(self.scopes):
            problem = "scope"
        elif len({urlsplit(str(url)).hostname for url in urls}) != 1:
            problem = "all addresses on one host"
        elif self.https_only and any(urlsplit(str(url)).scheme != "https" for url in urls):
            problem = "https"
        if problem:
            return _error(400, "invalid_client_metadata", problem)
        client = {
            **asked,
            "client_id": secrets.token_urlsafe(12),
            "client_secret": secrets.token_urlsafe(24),
            "client_id_issued_at": int(self.now()),
            "client_secret_expires_at": 0,
        }
        self.clients[client["client_id"]] = client
        return Reply.of(201, client, Cache_Control="no-store")

    def authorize(self, request: Request, base: str) -> Reply:
        """The consent page; every parameter is required."""
        given = request.query
        client = self.clients.get(given.get("client_id", ""))
        if client is None or given.get("redirect_uri") not in client["redirect_uris"]:
            return Reply.page(400, "<h1>Unknown client or redirect address</h1>")
        problem = None
        if given.get("response_type") != "code":
            problem = "unsupported_response_type"
        elif not given.get("state") or not _is_s256(given):
            problem = "invalid_request"
        elif not given.get("scope") or not set(given["scope"].split()) <= set(client["scope"].split()):
            problem = "invalid_scope"
        if problem:
            return self._back(given, base, error=problem)
        if request.method == "GET":
            name = html.escape(client["client_name"])
            return Reply.page(
                200,
                f"<!doctype html><title>Allow</title><h1>Let {name} add badges to your backpack?</h1>"
                '<form method="post"><button name="choice" value="allow">Allow</button>'
                '<button name="choice" value="deny">Do not allow</button></form>',
            )
        if request.form.get("choice") != "allow":
            return self._back(given, base, error="access_denied")
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**given, "ends": self.now() + 600, "used": None}
        more = {"scope": given["scope"]} if self.tells_scope else {}
        return self._back(given, base, code=code, **more)

    def _back(self, given: dict[str, str], base: str, **answer: str) -> Reply:
        if self.sends_issuer:
            answer["iss"] = base
        answer["state"] = given.get("state", "")
        joiner = "&" if "?" in given["redirect_uri"] else "?"
        return Reply.redirect(given["redirect_uri"] + joiner + urlencode(answer))

    def token(self, request: Request) -> Reply:
        """Code or refresh token for tokens; HTTP Basic alone."""
        client = self._client(request)
        if client is None:
            return _error(401, "invalid_client", "Basic", www_authenticate="Basic")
        form = request.form
        if form.get("grant_type") == "authorization_code":
            return self._code(client, form)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(client, form)
        return _error(400, "unsupported_grant_type", "")

    def _code(self, client: dict[str, Any], form: dict[str, str]) -> Reply:
        needed = ("code", "redirect_uri", "scope", "code_verifier")
        if any(not form.get(name) for name in needed):
            return _error(400, "invalid_request", f"all of {needed}")
        code = self.codes.get(form["code"])
        if code is not None and code["used"] is not None:
            code["used"].revoked = True  # RFC 6749, section 4.1.2: a code used twice ends what it gave
            return _error(400, "invalid_grant", "used")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        fits = (
            code is not None
            and code["client_id"] == client["client_id"]
            and code["redirect_uri"] == form["redirect_uri"]
            and code["ends"] > self.now()
            and set(form["scope"].split()) <= set(code["scope"].split())
            and 43 <= len(form["code_verifier"]) <= 128
            and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == code["code_challenge"]
        )
        if not fits or code is None:
            return _error(400, "invalid_grant", "")
        grant = Grant(client["client_id"], code["scope"])
        code["used"] = grant
        self.grants.append(grant)
        return self._tokens(grant)

    def _refresh(self, client: dict[str, Any], form: dict[str, str]) -> Reply:
        token = form.get("refresh_token", "")
        if token in self.spent:
            for grant in self.grants:
                grant.revoked = grant.revoked or grant.client_id == client["client_id"]
            return _error(400, "invalid_grant", "used before")
        for grant in self.grants:
            if token and grant.refresh == token and not grant.revoked:
                self.refreshed += 1
                if self.rotates:
                    self.spent.add(token)
                return self._tokens(grant)
        return _error(400, "invalid_grant", "")

    def _tokens(self, grant: Grant) -> Reply:
        grant.access = secrets.token_urlsafe(20)
        grant.expires_at = self.now() + self.token_seconds
        if self.rotates or not grant.refresh:
            grant.refresh = secrets.token_urlsafe(20)
        answer = {
            "access_token": grant.access,
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
            "scope": grant.scope,
            "refresh_token": grant.refresh,
        }
        return Reply.of(200, answer, Cache_Control="no-store", Pragma="no-cache")

    def revoke(self, request: Request) -> Reply:
        """RFC 7009: unknown tokens are fine."""
        if self._client(request) is None:
            return _error(401, "invalid_client", "")
        token = request.form.get("token", "")
        for grant in self.grants:
            if token in (grant.access, grant.refresh):
                grant.revoked = True
        return Reply(200)

    def holder_of(self, request: Request, scope: str) -> Grant | None:
        """The grant behind a bearer token that is good for `scope`."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        for grant in self.grants:
            good = kind == "Bearer" and grant.access == token and not grant.revoked
            if good and grant.expires_at > self.now() and scope in grant.scope.split():
                return grant
        return None

    def _client(self, request: Request) -> dict[str, Any] | None:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind != "Basic" or "client_secret" in request.form:
            return None
        name, _, secret = base64.b64decode(text).decode().partition(":")
        client = self.clients.get(unquote(name))
        return client if client and client["client_secret"] == unquote(secret) else None


def _is_s256(given: dict[str, str]) -> bool:
    return given.get("code_challenge_method") == "S256" and len(given.get("code_challenge", "")) == 43


def _error(status: int, code: str, words: str, **headers: str) -> Reply:
    return Reply.of(status, {"error": code, "error_description": words}, Cache_Control="no-store", **headers)
