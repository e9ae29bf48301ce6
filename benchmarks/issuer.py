"""A platform's key pair and the launch tokens it signs."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "https://platform.bench.test"
CLIENT = "client-1"
_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_AGS = "https://purl.imsglobal.org/spec/lti-ags/"
SCOPES = [f"{_AGS}scope/{name}" for name in ("lineitem", "score", "result.readonly")]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class KeyPair:
    """RSA, 2048 bits."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key as a key set."""
        numbers = self.key.public_key().public_numbers()
        n, e = (_text(v.to_bytes((v.bit_length() + 7) // 8, "big")) for v in (numbers.n, numbers.e))
        return {"keys": [{"kty": "RSA", "kid": "key-1", "alg": "RS256", "use": "sig", "n": n, "e": e}]}

    @property
    def private_pem(self) -> str:
        """As PyLTI1p3 is given it."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()

    @property
    def public_pem(self) -> str:
        """As PyLTI1p3 is given it."""
        return (
            self.key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWS in RS256."""
        header = {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
        text = ".".join(_text(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{text}.{_text(self.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def launch_claims(person: str, course: str, link: str, *, nonce: str, target: str, services: str) -> Any:
    """A resource link launch as a large LMS fills it."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": person,
        "iat": now,
        "exp": now + 3600,
        "nonce": nonce,
        "name": f"Demo {person}",
        "given_name": "Demo",
        "family_name": person,
        "email": f"{person}@demo.example",
        "locale": "en-US",
        f"{_LTI}message_type": "LtiResourceLinkRequest",
        f"{_LTI}version": "1.3.0",
        f"{_LTI}deployment_id": "1",
        f"{_LTI}target_link_uri": target,
        f"{_LTI}roles": [
            "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student",
        ],
        f"{_LTI}resource_link": {"id": link, "title": "Micro-credential"},
        f"{_LTI}context": {
            "id": course,
            "label": "C-1",
            "title": "Active Classrooms",
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
        },
        f"{_LTI}tool_platform": {"guid": "bench", "name": "Platform", "product_family_code": "bench"},
        f"{_LTI}launch_presentation": {"document_target": "iframe", "return_url": f"{ISSUER}/courses/1"},
        f"{_LTI}custom": {"credential": "mc-shape-ideas"},
        f"{_AGS}claim/endpoint": {
            "scope": SCOPES,
            "lineitems": f"{services}/lineitems",
            "lineitem": f"{services}/lineitems/1",
        },
        "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": {
            "context_memberships_url": f"{services}/memberships",
            "service_versions": ["2.0"],
        },
    }
