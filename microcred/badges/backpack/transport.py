"""HTTP to backpacks: Authlib's session with our own way out underneath, and JSON that is read with care."""

import json
from collections.abc import Mapping
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from microcred.badges.backpack.errors import BackpackError
from microcred.outgoing import Answer, Outgoing, OutgoingError

_SECONDS = 12.0
"""For one request: a person may be waiting for it."""
_MAX_BYTES = 512 * 1024


class OutgoingAdapter(BaseAdapter):
    """Lets a `requests` session go out through `Outgoing` and nowhere else."""

    def __init__(self, outgoing: Outgoing) -> None:
        super().__init__()
        self._outgoing = outgoing

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: object = None,
    ) -> requests.Response:
        """One exchange. Raises BackpackError where there is no answer."""
        headers = {name: _text(value) for name, value in request.headers.items()}
        headers.pop("Content-Length", None)
        answer = ask(
            self._outgoing,
            request.method or "GET",
            request.url or "",
            headers=headers,
            data=request.body if isinstance(request.body, str | bytes) else None,
        )
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.url, response.request = request.url or "", request
        response._content = answer.body
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """The connections are not ours to close."""


def oauth_session(outgoing: Outgoing, **options: Any) -> OAuth2Session:
    """Authlib's client; every request it makes goes through `outgoing`."""
    session = OAuth2Session(**options)
    session.trust_env = False
    session.headers.clear()
    session.mount("https://", OutgoingAdapter(outgoing))
    session.mount("http://", OutgoingAdapter(outgoing))
    return session


def ask(
    outgoing: Outgoing,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | str | None = None,
) -> Answer:
    """One request to a backpack. Raises BackpackError: `address_not_allowed` or `unreachable`."""
    try:
        return outgoing.request(
            method, url, headers=headers, data=data, deadline=_SECONDS, max_bytes=_MAX_BYTES
        )
    except OutgoingError as error:
        if error.code in ("url_not_allowed", "unexpected_redirect"):
            raise BackpackError("address_not_allowed", error.code) from error
        if error.code == "too_large":
            raise BackpackError("answer_unclear", "too large") from error
        raise BackpackError("unreachable", error.code) from error


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BackpackError(answer_unclear) for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BackpackError("answer_unclear", "no JSON") from error
    if not isinstance(value, dict):
        raise BackpackError("answer_unclear", "no JSON object")
    return value


def retry_after(headers: Mapping[str, str], body: Mapping[str, Any] | None = None) -> float | None:
    """Seconds after which the host wants to be asked again; Badgr says `expires` in the body."""
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    said = (body or {}).get("expires")
    return float(said) if isinstance(said, int | float) and 0 <= said < 1e6 else None


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
