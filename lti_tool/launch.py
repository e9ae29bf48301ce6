"""Accepting a launch: every check in the order of the public contract, then one transaction (DESIGN sections
3 and 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from lti_tool.jwks import PlatformKeys
from lti_tool.protocol import claims as oidc
from lti_tool.protocol.messages import Core, Details, read_core, read_details
from lti_tool.protocol.tokens import Jws, claims_of, is_signed_by, take_apart, unverified_claim
from lti_tool.recording import Accepted, Recorder, RegistrationChanged
from lti_tool.remembered import Remembered
from lti_tool.state import LoginState, States
from lti_tool.subscribing import Subscriptions
from microcred.database import Clock

ALGORITHMS = ("RS256", "RS384", "RS512")
"""What a registration may allow; RS256 alone unless it says so."""

FindBinding = Callable[[LoginState], tuple[str | None, str]]
"""Gives the secret that the browser brought for a login, and how (`cookie`, `storage`)."""


@dataclass(frozen=True)
class Verified:
    """A launch that passed every check that needs no database."""

    login: LoginState
    facts: RegistrationFacts
    bound_by: str
    core: Core
    details: Details | LtiRefused
    """A refusal of the message itself, which comes after that of the deployment."""


class Launches:
    """Verifies and records launches."""

    def __init__(
        self,
        remembered: Remembered,
        states: States,
        keys: PlatformKeys,
        recorder: Recorder,
        clock: Clock,
        allow_hosts: tuple[str, ...],
        subscriptions: Subscriptions,
    ) -> None:
        self._remembered = remembered
        self._states = states
        self._keys = keys
        self._recorder = recorder
        self._clock = clock
        self._allow_hosts = allow_hosts
        self._subscriptions = subscriptions

    def accept(self, token: str, state: str | None, find_binding: FindBinding) -> Accepted:
        """Verify an id_token and record the launch. Raises LtiRefused; nothing is stored then but a noted
        deployment.
        """
        jws = take_apart(token, ALGORITHMS)
        login = self._states.open(state)
        try:
            secret, bound_by = find_binding(login)
            if not login.is_bound_by(secret):
                raise LtiRefused("browser_not_bound")
            return self._accept(jws, login, bound_by)
        except LtiRefused as refused:
            refused.registration_id = login.registration_id
            if refused.code not in ("registration_unknown", "temporarily_unavailable"):
                facts = self._registration(login.registration_id)
                refused.origins = facts.frame_origins(self._allow_hosts)
            raise

    def facts_of(self, login: LoginState) -> RegistrationFacts:
        """The registration that a login belongs to. Raises LtiRefused."""
        return self._registration(login.registration_id)

    def _accept(self, jws: Jws, login: LoginState, bound_by: str) -> Accepted:
        for _attempt in range(3):
            verified = self._verify(jws, login, bound_by)
            try:
                return self._record(verified)
            except RegistrationChanged:
                # What this process remembered of the registration is old: check again by what is true now.
                self._remembered.forget()
        raise LtiRefused("temporarily_unavailable")

    def _verify(self, jws: Jws, login: LoginState, bound_by: str) -> Verified:
        facts = self._registration(login.registration_id)
        if not facts.is_approved:
            raise LtiRefused("registration_inactive")
        if jws.alg not in facts.algorithms:
            raise LtiRefused("alg_not_allowed")
        check_signature(self._keys, jws, facts)
        claims = claims_of(jws)
        oidc.check_oidc(claims, facts, login.nonce, self._clock.now().timestamp())
        core = read_core(claims, login.target)
        details: Details | LtiRefused
        try:
            details = read_details(claims, core, facts, self._allow_hosts)
        except LtiRefused as refused:
            details = refused
        return Verified(login, facts, bound_by, core, details)

    def _record(self, verified: Verified) -> Accepted:
        details = verified.details
        try:
            accepted = self._recorder.record(
                verified.login, verified.facts, verified.bound_by, verified.core, details
            )
        except LtiRefused as refused:
            if refused.foreign_host:
                self._recorder.note_host(verified.facts, refused.foreign_host, "return_url")
            raise
        if isinstance(details, Details) and details.foreign_host:
            self._recorder.note_host(verified.facts, details.foreign_host, details.foreign_host_for)
        if isinstance(details, Details) and details.notices_url:
            self._subscriptions.offered(verified.facts, verified.core.deployment_id, details.notices_url)
        return accepted

    def _registration(self, public_id: str) -> RegistrationFacts:
        """The facts as they were a moment ago; the launch's own transaction looks again."""
        return self._remembered.by_public_id(public_id)


def check_signature(platform_keys: PlatformKeys, jws: Jws, facts: RegistrationFacts) -> None:
    """A key of this registration's platform made the signature. Raises LtiRefused."""
    try:
        keys = platform_keys.find(facts, jws.kid, jws.alg)
    except LtiRefused as refused:
        if refused.code == "kid_unknown":
            _explain(jws, facts)
        raise
    if not any(is_signed_by(jws, key.key) for key in keys):
        raise LtiRefused("signature_invalid")


def _explain(jws: Jws, facts: RegistrationFacts) -> None:
    """A clearer code for a token of another platform or client, whose key is of course not in this set."""
    issuer, audience = unverified_claim(jws, "iss"), unverified_claim(jws, "aud")
    if isinstance(issuer, str) and issuer != facts.issuer:
        raise LtiRefused("iss_mismatch")
    named = audience if isinstance(audience, list) else [audience]
    if audience and facts.client_id not in named:
        raise LtiRefused("aud_mismatch")
