"""PyLTI1p3's service connector over our HTTP session, token source and paging.

The parent brings the interface that PyLTI1p3's own service classes work with; what it does on the network is
replaced: it knows no time-out, keeps tokens beyond their life and per object, reads paging links in lower
case and echoes raw answers in its errors.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import requests
from pylti1p3.registration import Registration as PyLtiRegistration
from pylti1p3.service_connector import ServiceConnector

from lti_tool.facts import RegistrationFacts
from lti_tool.services import ServiceAnswer, ServiceCaller

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', re.IGNORECASE)


class ServiceFailed(Exception):
    """A service call made through PyLTI1p3's interface did not succeed; `answer` says how."""

    def __init__(self, answer: ServiceAnswer) -> None:
        super().__init__(answer.code or f"http_{answer.status}")
        self.answer = answer


class ServiceClient(ServiceConnector):
    """The client of one registration's services."""

    def __init__(self, caller: ServiceCaller) -> None:
        super().__init__(_as_pylti(caller.facts), _nowhere())
        self._caller = caller

    @property
    def facts(self) -> RegistrationFacts:
        """The registration whose services these are."""
        return self._caller.facts

    def request(
        self,
        method: str,
        url: str,
        *,
        scopes: Sequence[str],
        accept: str | None = None,
        content_type: str | None = None,
        body: bytes | None = None,
        max_bytes: int = 1024 * 1024,
    ) -> ServiceAnswer:
        """One call with an access token for `scopes`; never raises for what network or platform do."""
        return self._caller.call(
            method,
            url,
            scopes=scopes,
            accept=accept,
            content_type=content_type,
            body=body,
            max_bytes=max_bytes,
        )

    def get_access_token(self, scopes: Sequence[str]) -> str:
        """An access token (PyLTI1p3's interface). Raises TokenRefused."""
        return self._caller.tokens.token(self.facts, scopes)

    def make_service_request(
        self,
        scopes: Sequence[str],
        url: str,
        is_post: bool = False,
        data: str | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        case_insensitive_headers: bool = False,
    ) -> Any:
        """A call through PyLTI1p3's interface. Raises ServiceFailed."""
        answer = self.request(
            "POST" if is_post else "GET",
            url,
            scopes=scopes,
            accept=accept,
            content_type=content_type if is_post else None,
            body=data.encode() if is_post and data else None,
        )
        if not answer.ok:
            raise ServiceFailed(answer)
        headers = answer.headers if case_insensitive_headers else dict(answer.headers)
        body = answer.json() if answer.body else None
        return {"headers": headers, "body": body, "next_page_url": next_page(answer.headers, url)}


def next_page(headers: Mapping[str, str], url: str) -> str | None:
    """The `rel=next` address of a `Link` header (RFC 8288), byte for byte; None on the last page."""
    for target, parameters in _LINK.findall(headers.get("Link", "")):
        for quoted, bare in _REL.findall(parameters):
            if "next" in (quoted or bare).lower().split():
                return str(target) if "://" in target else urljoin(url, target)
    return None


def _nowhere() -> requests.Session:
    """A session that reaches nobody: whatever the parent would do on the network is replaced here."""
    session = requests.Session()
    session.adapters.clear()
    return session


def _as_pylti(facts: RegistrationFacts) -> PyLtiRegistration:
    registration = PyLtiRegistration()
    registration.set_issuer(facts.issuer)
    registration.set_client_id(facts.client_id)
    registration.set_auth_login_url(facts.auth_url)
    registration.set_auth_token_url(facts.token_url)
    registration.set_key_set_url(facts.jwks_url)
    if facts.token_audience:
        registration.set_auth_audience(facts.token_audience)
    return registration
