"""A host of the Open Badges 3.0 API (sections 6 and 7 of the specification), strict."""

from dataclasses import dataclass, field
from typing import Any

from tests.hosts.oauth import OAuth
from tests.hosts.serving import Reply, Request

_PREFIX = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
UPSERT = f"{_PREFIX}credential.upsert"
SCOPES = (f"{_PREFIX}credential.readonly", UPSERT, f"{_PREFIX}profile.readonly", "offline_access")
API = "/ims/ob/v3p0"


@dataclass
class Ob3Host:
    """`credentials` holds what was sent, by issuer and id. `scripted` answers come before its own."""

    base: str = ""
    title: str = "Demo Backpack"
    without_scheme: bool = False
    """Addresses in the discovery document as the specification's examples have them (only over https)."""
    oauth: OAuth = field(default_factory=lambda: OAuth(SCOPES, tells_scope=True, sends_issuer=True))
    credentials: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    scripted: list[Reply] = field(default_factory=list)
    """Answers of the API, used up one by one."""
    discovery: dict[str, Any] | None = None
    """In place of its own discovery document."""
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        match request.method, request.path:
            case "GET", "/ims/ob/v3p0/discovery":
                return Reply.of(200, self.discovery or self.document(), Cache_Control="max-age=3600")
            case "POST", "/register":
                return self.oauth.register(request)
            case _, "/authorize":
                return self.oauth.authorize(request, self.base)
            case "POST", "/token":
                return self.oauth.token(request)
            case "POST", "/revoke" if self.oauth.revokes:
                return self.oauth.revoke(request)
            case "POST", "/ims/ob/v3p0/credentials":
                return self._upsert(request)
            case "GET", "/ims/ob/v3p0/credentials":
                return Reply.of(200, {"credential": list(self.credentials.values()), "compactJwsString": []})
        return Reply.of(404, _status("failure", "not_found"))

    def document(self) -> dict[str, Any]:
        """What `discovery` answers."""
        scheme = {
            "type": "oauth2",
            "x-imssf-registrationUrl": f"{self.base}/register",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{self.base}/authorize",
                    "tokenUrl": f"{self.base}/token",
                    "refreshUrl": f"{self.base}/token",
                    "scopes": dict.fromkeys(self.oauth.scopes, ""),
                }
            },
        }
        if self.oauth.revokes:
            scheme["x-imssf-revocationUrl"] = f"{self.base}/revoke"
        return {
            "openapi": "3.0.1",
            "info": {"title": self.title, "version": "3.0", "termsOfService": f"{self.base}/terms"},
            "servers": [{"url": f"{self.base}{API}"}],
            "paths": {},
            "components": {"securitySchemes": {"OAuth2ACG": scheme}},
        }

    def _upsert(self, request: Request) -> Reply:
        if self.oauth.holder_of(request, UPSERT) is None:
            return Reply.of(401, _status("failure", "unauthorizedrequest"))
        if self.scripted:
            return self.scripted.pop(0)
        credential = request.json
        problem = problem_of(credential)
        if problem:
            return Reply.of(400, _status("failure", "invalid_data", problem))
        key = (credential["issuer"]["id"], credential["id"])
        before = self.credentials.get(key)
        if before == credential:
            return Reply(304)
        self.credentials[key] = credential
        return Reply.of(200 if before else 201, credential)


def problem_of(credential: Any) -> str | None:
    """What a strict host finds wrong with a credential's form."""
    if not isinstance(credential, dict):
        return "no credential"
    contexts = credential.get("@context")
    if not isinstance(contexts, list) or contexts[0] != "https://www.w3.org/ns/credentials/v2":
        return "@context"
    if not {"VerifiableCredential", "OpenBadgeCredential"} <= set(credential.get("type", [])):
        return "type"
    for name in ("id", "issuer", "validFrom", "credentialSubject", "proof"):
        if name not in credential:
            return name
    subject = credential["credentialSubject"]
    if "achievement" not in subject or not (subject.get("id") or subject.get("identifier")):
        return "credentialSubject"
    return None


def _status(code: str, minor: str, words: str = "") -> dict[str, Any]:
    return {
        "imsx_codeMajor": code,
        "imsx_severity": "error",
        "imsx_description": words,
        "imsx_codeMinor": {
            "imsx_codeMinorField": [
                {"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}
            ]
        },
    }
