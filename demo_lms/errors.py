"""How the platform says no: each kind of refusal as an exception, whatever the dialect makes of it."""

from __future__ import annotations

from dataclasses import dataclass

USUAL = object()
"""Stands for "the body that the dialect gives every error"."""


@dataclass(eq=False)
class OAuthError(Exception):
    """An error of the token or the registration endpoint (RFC 6749 section 5.2, RFC 7591 section 3.2.2)."""

    status: int
    error: str
    description: str


@dataclass(eq=False)
class ServiceError(Exception):
    """A service refuses a request with this status and sentence.

    ``body`` replaces the dialect's usual JSON; None sends an empty body, text is sent as text/plain.
    """

    status: int
    message: str
    body: object = USUAL


@dataclass(eq=False)
class DeepLinkError(Exception):
    """The response is not taken; nothing was created. ``str()`` says why.

    ``part`` is "jwt" or "data_jwt"; ``attribute`` and ``kind`` name the place and the fault.
    """

    message: str
    attribute: str = "base"
    kind: str = "invalid"
    part: str = "jwt"

    def __str__(self) -> str:
        return self.message


class LaunchRefused(Exception):
    """The LMS shows a page of its own in place of a launch; ``str()`` says why."""
