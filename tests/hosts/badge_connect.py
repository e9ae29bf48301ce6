"""Hosts of Badge Connect (Open Badges 2.1): one strict to the specification, one in Badgr's manner.

What Badgr does otherwise was seen when badgr-server was run: manifest behind a redirect, no `offline_access`,
201 with a body that says 200, 400 for a badge it has, it reads `assertion.id` alone and fetches that.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.request import urlopen

from tests.hosts.oauth import OAuth
from tests.hosts.serving import Reply, Request

_PREFIX = "https://purl.imsglobal.org/spec/ob/v2p1/scope/"
CREATE = f"{_PREFIX}assertion.create"
SCOPES = (f"{_PREFIX}assertion.readonly", CREATE, f"{_PREFIX}profile.readonly")


def fetched(url: str) -> dict[str, Any] | None:
    """The hosted document, as the host sees it."""
    try:
        with urlopen(url, timeout=5) as answer:
            document = json.load(answer)
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


@dataclass
class BadgeConnectHost:
    """Strict. `assertions` holds what was sent, by id. `emails`: who the backpack belongs to, if it minds."""

    base: str = ""
    name: str = "Demo Badge Connect"
    api: str = "/ims/ob/v2p1"
    oauth: OAuth = field(default_factory=lambda: OAuth((*SCOPES, "offline_access")))
    fetch: Callable[[str], dict[str, Any] | None] = fetched
    emails: tuple[str, ...] = ()
    assertions: dict[str, dict[str, Any]] = field(default_factory=dict)
    scripted: list[Reply] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        match request.method, request.path:
            case "GET", "/.well-known/badgeconnect.json":
                return self.manifest()
            case "POST", "/register":
                return self.oauth.register(request)
            case _, "/authorize":
                return self.oauth.authorize(request, self.base)
            case "POST", "/token":
                return self.oauth.token(request)
            case "POST", "/revoke" if self.oauth.revokes:
                return self.oauth.revoke(request)
            case "POST", path if path == f"{self.api}/assertions":
                return self._create(request)
        return _said(404, "NOT_FOUND")

    def manifest(self) -> Reply:
        """What the host says of itself."""
        entry = {
            "name": self.name,
            "apiBase": f"{self.base}{self.api}",
            "version": "v2p1",
            "termsOfServiceUrl": f"{self.base}/terms",
            "privacyPolicyUrl": f"{self.base}/privacy",
            "scopesOffered": list(self.oauth.scopes),
            "registrationUrl": f"{self.base}/register",
            "authorizationUrl": f"{self.base}/authorize",
            "tokenUrl": f"{self.base}/token",
        }
        if self.oauth.revokes:
            entry["tokenRevocationUrl"] = f"{self.base}/revoke"
        context = "https://purl.imsglobal.org/spec/ob/v2p1/ob_v2p1.jsonld"
        url = f"{self.base}/.well-known/badgeconnect.json"
        return Reply.of(
            200, {"@context": context, "id": url, "badgeConnectAPI": [entry]}, Cache_Control="max-age=3600"
        )

    def _create(self, request: Request) -> Reply:
        if self.oauth.holder_of(request, CREATE) is None:
            return _said(401, "UNAUTHENTICATED")
        if self.scripted:
            return self.scripted.pop(0)
        body = request.json
        sent = body.get("assertion") if isinstance(body, dict) else None
        if not isinstance(sent, dict) or not isinstance(sent.get("id"), str):
            return _said(400, "REQUEST_VALIDATION_ERROR")
        hosted = self.fetch(sent["id"])  # what is served counts, not what was posted
        if hosted is None or hosted.get("id") != sent["id"] or hosted.get("type") != "Assertion":
            return _said(400, "INVALID_BADGE")
        if self.emails and not self._is_mine(hosted.get("recipient", {})):
            return _said(400, "RECIPIENT_PROFILE_MISMATCH")
        return self._store(hosted)

    def _is_mine(self, recipient: dict[str, Any]) -> bool:
        if recipient.get("type") != "email":
            return False
        salt = recipient.get("salt", "")
        hashes = {"sha256$" + hashlib.sha256((mail + salt).encode()).hexdigest() for mail in self.emails}
        return recipient.get("identity") in hashes

    def _store(self, hosted: dict[str, Any]) -> Reply:
        self.assertions[hosted["id"]] = hosted
        return _said(200, "OK")


@dataclass
class BadgrHost(BadgeConnectHost):
    """In Badgr's manner."""

    name: str = "Demo Badgr"
    api: str = "/bcv1"
    oauth: OAuth = field(
        default_factory=lambda: OAuth(SCOPES, token_seconds=86400, rotates=False, revokes=False)
    )

    def answer(self, request: Request) -> Reply:
        if request.path == "/.well-known/badgeconnect.json":
            self.asked.append(request)
            return Reply.redirect(f"{self.base}/bcv1/manifest/127.0.0.1")
        if request.path.startswith("/bcv1/manifest/"):
            self.asked.append(request)
            return self.manifest()
        return super().answer(request)

    def manifest(self) -> Reply:
        said = json.loads(super().manifest().body)
        said["@context"] = "https://w3id.org/openbadges/badgeconnect/v1"
        said["badgeConnectAPI"][0]["version"] = "v1p0"
        return Reply.of(200, said)

    def _store(self, hosted: dict[str, Any]) -> Reply:
        if hosted["id"] in self.assertions:
            error = [{"name": "DUPLICATE_BADGE", "description": "badge already in the backpack"}]
            return _said(400, "REQUEST_VALIDATION_ERROR", error)
        self.assertions[hosted["id"]] = hosted
        said = json.loads(_said(200, "OK").body)
        return Reply.of(201, said)


def _said(status: int, text: str, error: Any = None) -> Reply:
    return Reply.of(status, {"status": {"error": error, "statusCode": status, "statusText": text}})
