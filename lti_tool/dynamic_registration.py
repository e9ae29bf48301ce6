"""Dynamic Registration 1.0: an LMS administrator starts it in the LMS, the platform is stored as pending, an
operator decides.

The address comes with an invitation, or the operator has opened registration to everybody. Whoever comes,
nothing launches and no service is called until the platform is approved, and one that is known already is
left as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool import features, invitations, registrations
from lti_tool.dialects import Dialect, dialect_named
from lti_tool.errors import LtiRefused
from lti_tool.invitations import Invited
from lti_tool.models import Registration
from lti_tool.platform_configuration import (
    Granted,
    PlatformConfiguration,
    read_answer,
    read_configuration,
    refused,
)
from lti_tool.protocol import names
from lti_tool.registrations import NewRegistration, RegistrationProblem
from lti_tool.settings import LtiSettings
from microcred import outbox
from microcred.database import Clock, Database
from microcred.outgoing import Answer, Outgoing, OutgoingError, check_url
from microcred.people import home_organization
from microcred.sealing import Keyring

PENDING_LIFE = timedelta(days=14)
PENDING_AT_MOST = 10
"""Registrations from one source address that may wait for approval at a time."""
EXPIRY = "registration_expiry"
"""Outbox kind: forget a registration that nobody approved."""
NAME = "Micro-credentials"
DESCRIPTION = "Educators earn micro-credentials inside their courses."
CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email", "locale")
_SECONDS = 10.0
_MAX_BYTES = 512 * 1024
_LONGEST_TOKEN = 16 * 1024


@dataclass(frozen=True)
class Asked:
    """What the LMS opened the registration address with, and from where."""

    configuration_url: str
    registration_token: str | None
    invitation: str | None
    address: str


@dataclass(frozen=True)
class Registered:
    """A stored registration, as its page tells it."""

    registration_id: str
    name: str
    issuer: str
    deployment_id: str | None
    unavailable: tuple[str, ...]
    """What cannot work with the scopes that were granted."""
    next_steps: tuple[str, ...]
    expires_at: datetime


class DynamicRegistrations:
    """Registers platforms that ask for it."""

    def __init__(
        self, database: Database, outgoing: Outgoing, keyring: Keyring, clock: Clock, settings: LtiSettings
    ) -> None:
        self._database = database
        self._outgoing = outgoing
        self._keyring = keyring
        self._clock = clock
        self._settings = settings

    def register(self, asked: Asked) -> Registered:
        """Register the platform that `asked` describes, as pending. Raises LtiRefused: nothing is stored."""
        try:
            check_url(asked.configuration_url, self._settings.allow_hosts)
        except OutgoingError as error:
            raise _unreachable(error) from error
        source = self._keyring.mac("form", f"registration from {asked.address}")
        with self._database.reading() as session:
            invited = self._invited(session, asked.invitation)
            _check_share(session, source)
        answer = self._exchange("GET", asked.configuration_url, headers={"Accept": "application/json"})
        platform = read_configuration(answer.body, asked.configuration_url, self._settings.allow_hosts)
        lms = platform.lms or (invited.lms if invited else "other")
        dialect = dialect_named(lms)
        granted = self._ask(platform, dialect, asked.registration_token)
        with self._database.writing() as session:
            if invited is not None:
                invitations.use(session, invited, self._clock.now())
            _check_share(session, source)
            row = self._store(session, platform, granted, lms, invited, source)
            return _registered(row, granted, dialect)

    def _invited(self, session: Session, secret: str | None) -> Invited | None:
        """What the invitation is for; None where anybody may register. Raises LtiRefused."""
        if not secret and self._settings.open_registration:
            return None
        return invitations.look(session, secret or "", self._clock.now())

    def _exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], data: bytes | None = None
    ) -> Answer:
        try:
            answer = self._outgoing.request(
                method, url, headers=headers, data=data, deadline=_SECONDS, max_bytes=_MAX_BYTES
            )
        except OutgoingError as error:
            raise _unreachable(error) from error
        if answer.status not in (200, 201):
            raise refused(
                "platform_error",
                "Your LMS did not carry out the registration. Nothing was stored here.",
                detail=f"HTTP {answer.status}",
            )
        return answer

    def _ask(self, platform: PlatformConfiguration, dialect: Dialect, token: str | None) -> Granted:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            if (
                len(token) > _LONGEST_TOKEN
                or not token.isascii()
                or any(c <= " " or c == "\x7f" for c in token)
            ):
                raise refused("claim_invalid", "The registration token cannot be used.", detail="token")
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps(registration_request(self._settings, platform, dialect)).encode()
        return read_answer(self._exchange("POST", platform.registration_url, headers=headers, data=body).body)

    def _store(
        self,
        session: Session,
        platform: PlatformConfiguration,
        granted: Granted,
        lms: str,
        invited: Invited | None,
        source: str,
    ) -> Registration:
        now = self._clock.now()
        rules = dialect_named(lms).registering
        new = NewRegistration(
            name=platform.site_name or urlsplit(platform.issuer).hostname or lms,
            lms=lms,
            issuer=platform.issuer,
            client_id=granted.client_id,
            auth_url=platform.auth_url,
            token_url=platform.token_url,
            jwks_url=platform.jwks_url,
            token_audience=platform.token_audience if rules.names_audience else None,
            deployment_ids=(granted.deployment_id,) if granted.deployment_id else (),
            is_test_site=platform.issuer in rules.test_issuers,
            scopes=granted.scopes,
        )
        organization_id = invited.organization_id if invited else home_organization(session, now).id
        try:
            row = registrations.add(
                session,
                new,
                organization_id=organization_id,
                clock=self._clock,
                allow_hosts=self._settings.allow_hosts,
                state="pending",
            )
        except RegistrationProblem as problem:
            raise _problem(problem) from problem
        row.source, row.expires_at = source, now + PENDING_LIFE
        outbox.add(
            session,
            kind=EXPIRY,
            destination="local",
            order_key=None,
            subject=("registration", str(row.id)),
            payload={"registration_id": row.public_id},
            now=now,
            due_at=row.expires_at,
        )
        return row


def registration_request(
    settings: LtiSettings, platform: PlatformConfiguration, dialect: Dialect
) -> dict[str, Any]:
    """What is posted to the registration endpoint (Dynamic Registration 3.6), shaped by the dialect.

    Only scopes and messages that the platform says it supports are asked for.
    """
    origin = urlsplit(settings.base)
    messages: list[dict[str, Any]] = [
        {"type": names.RESOURCE_LINK_REQUEST, "target_link_uri": settings.launch_url, "label": NAME},
        {
            "type": names.DEEP_LINKING_REQUEST,
            "target_link_uri": settings.deep_link_url,
            "label": "Add a micro-credential",
            "icon_uri": settings.icon_url,
            "placements": ["ContentArea"],
        },
        {"type": names.SUBMISSION_REVIEW_REQUEST, "target_link_uri": settings.launch_url},
        {"type": names.DATA_PRIVACY_REQUEST, "target_link_uri": settings.launch_url},
    ]
    usual = (names.RESOURCE_LINK_REQUEST, names.DEEP_LINKING_REQUEST)
    supported = platform.messages_supported
    asked = [
        message
        for message in messages
        if message["type"] in usual or (supported is not None and message["type"] in supported)
    ]
    request: dict[str, Any] = {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": settings.login_url(),
        "redirect_uris": [settings.launch_url],
        "client_name": NAME,
        "client_uri": settings.base,
        "jwks_uri": settings.jwks_url,
        "logo_uri": settings.icon_url,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(_supported(names.SCOPES, platform.scopes_supported)),
        names.TOOL_CONFIGURATION: {
            # Moodle wants host and port, as the target link has them.
            "domain": origin.netloc,
            "target_link_uri": settings.launch_url,
            "description": DESCRIPTION,
            "custom_parameters": dict(dialect.registering.variables),
            "claims": list(CLAIMS),
            "messages": asked,
        },
    }
    return dialect.registering.shape(request)


def expiry_handler(database: Database, clock: Clock) -> outbox.Handler:
    """Forgets pending registrations whose time is over."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        with database.writing() as session:
            registrations.forget_expired(session, job.payload["registration_id"], clock.now())
        return outbox.Delivered()

    return handle


def _supported(wanted: tuple[str, ...], supported: tuple[str, ...] | None) -> list[str]:
    return [one for one in wanted if supported is None or one in supported]


def _check_share(session: Session, source: str) -> None:
    waiting = select(func.count()).where(Registration.source == source, Registration.state == "pending")
    if (session.scalar(waiting) or 0) >= PENDING_AT_MOST:
        raise LtiRefused("temporarily_unavailable", status=429, retry_after=3600)


def _registered(row: Registration, granted: Granted, dialect: Dialect) -> Registered:
    assert row.expires_at is not None
    return Registered(
        registration_id=row.public_id,
        name=row.name,
        issuer=row.issuer,
        deployment_id=granted.deployment_id,
        unavailable=tuple(feature.words for feature in features.unavailable(granted.scopes)),
        next_steps=dialect.registering.next_steps,
        expires_at=row.expires_at,
    )


def _problem(problem: RegistrationProblem) -> LtiRefused:
    if problem.code == "registration_exists":
        return refused(
            "registration_exists", "This LMS is registered already. Nothing was changed.", status=409
        )
    code = problem.code if problem.code == "url_not_allowed" else "claim_invalid"
    return refused(code, "What your LMS says about itself cannot be used. Nothing was stored here.")


def _unreachable(error: OutgoingError) -> LtiRefused:
    if error.code == "url_not_allowed":
        return refused("url_not_allowed", "This tool may not use the address that was given for your LMS.")
    return refused(
        "platform_error", "Your LMS did not give an answer that can be used.", detail=_REASONS[error.code]
    )


_REASONS = {
    "dns": "its host name is not known",
    "connect": "it could not be reached",
    "timeout": "it took too long",
    "tls_error": "its certificate is not valid",
    "dropped": "the connection broke",
    "too_large": "the answer is too long",
    "unexpected_redirect": "it redirected elsewhere",
}
