"""The `state` of a login and the browser it belongs to. A login stores nothing: the state is a sealed text.

Bound to the browser by a cookie of its own, `__Host-lti-<6>`, or by the platform's storage (lti-cs-oidc). The
state holds a digest of that secret; whoever brings the state without the secret is another browser (login
CSRF).
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from lti_tool.errors import LtiRefused
from microcred.database import Clock
from microcred.sealing import Keyring, SealBroken

LIFETIME = timedelta(minutes=10)
COOKIE_PREFIX = "__Host-lti-"
COOKIES_KEPT = 12
"""Binding cookies one browser keeps at most: a page with forty links must not outgrow the Cookie header."""


@dataclass(frozen=True)
class LoginState:
    """What a login wrote into its state."""

    state_id: str
    registration_id: str
    nonce: str
    target: str
    binding_digest: str
    expires_at: int
    deployment_id: str | None
    """The deployment named at login, if one was."""
    storage_target: str | None
    """`lti_storage_target`: the platform offered its storage, and this login used it."""

    @property
    def cookie_name(self) -> str:
        """The binding cookie of this login."""
        return COOKIE_PREFIX + self.state_id[:6]

    @property
    def storage_key(self) -> str:
        """The key under which the binding lies in platform storage."""
        return f"lti_state_{self.state_id}"

    def is_bound_by(self, secret: str | None) -> bool:
        """Whether `secret` is the one this login left with the browser."""
        return bool(secret) and hmac.compare_digest(digest(secret or ""), self.binding_digest)


@dataclass(frozen=True)
class NewState:
    """A fresh login: what goes to the platform, and what stays with the browser."""

    login: LoginState
    sealed: str
    binding: str


class States:
    """Makes and opens states."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock

    def new(
        self,
        *,
        registration_id: str,
        target: str,
        deployment_id: str | None = None,
        storage_target: str | None = None,
    ) -> NewState:
        """A state for one login of one registration, good for ten minutes."""
        now = self._clock.now()
        # The time comes first so that the oldest cookies of a browser can be told and dropped.
        binding = f"{int(now.timestamp()):x}.{secrets.token_urlsafe(24)}"
        login = LoginState(
            state_id=secrets.token_hex(16),
            registration_id=registration_id,
            nonce=secrets.token_urlsafe(24),
            target=target,
            binding_digest=digest(binding),
            expires_at=int((now + LIFETIME).timestamp()),
            deployment_id=deployment_id[:256] if deployment_id else None,
            storage_target=storage_target,
        )
        return NewState(login, self.seal(login), binding)

    def seal(self, login: LoginState) -> str:
        """The state as the platform carries it."""
        fields = [
            login.state_id,
            login.registration_id,
            login.nonce,
            login.target,
            login.binding_digest,
            login.expires_at,
            login.deployment_id,
            login.storage_target,
        ]
        return self._keyring.seal_text("state", {"s": fields})

    def open(self, sealed: str | None) -> LoginState:
        """What a state says. Raises LtiRefused(state_missing | state_unknown | state_expired)."""
        if not sealed:
            raise LtiRefused("state_missing")
        try:
            login = LoginState(*self._keyring.open_text("state", sealed)["s"])
        except (SealBroken, KeyError, TypeError) as error:
            raise LtiRefused("state_unknown") from error
        if self._clock.now().timestamp() > login.expires_at:
            raise LtiRefused("state_expired")
        return login


def digest(text: str) -> str:
    """SHA-256, base64url, cut to 128 bits."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def binding_cookies(cookies: Mapping[str, str]) -> list[str]:
    """Names of this browser's binding cookies, oldest first."""
    names = [name for name in cookies if name.startswith(COOKIE_PREFIX)]
    return sorted(names, key=lambda name: _made_at(cookies[name]))


def cookies_to_drop(names: Iterable[str]) -> list[str]:
    """Which of them (oldest first) must go so that one more stays within the limit."""
    kept = list(names)
    return kept[: max(0, len(kept) - COOKIES_KEPT + 1)]


def _made_at(value: str) -> int:
    try:
        return int(value.partition(".")[0][:12], 16)
    except ValueError:
        return 0
