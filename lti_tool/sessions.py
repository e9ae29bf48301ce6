"""Page sessions: what `/app/<L>/` is allowed to do, looked up on every request.

A launch row is the session. The browser holds `__Secure-launch`, sealed for one L and sent by it for
`/app/<L>/` alone, so that tabs, people and courses keep apart by themselves. Where no cookie exists at all
(the launch was bound by platform storage) the page keeps the same sealed text in memory and sends it as the
header `X-Launch-Token`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink, UsedHandover
from microcred.database import Clock, Database, random_id
from microcred.people.models import LmsIdentity, Person
from microcred.sealing import Keyring, SealBroken

COOKIE = "__Secure-launch"
HEADER = "X-Launch-Token"
LIFETIME = timedelta(hours=12)
IDLE = timedelta(hours=3)
HANDOVER = timedelta(seconds=60)
_TOUCH_EVERY = timedelta(minutes=2)


class SessionEnded(Exception):
    """A page session cannot be used; `reason` is one of no_credential, expired, idle, ended,
    registration_inactive, deployment_inactive, user_blocked, handover_used.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PageSession:
    """Who is here, through which launch, and with which course rights at this moment (DESIGN section 3)."""

    launch_public_id: str
    """`L` in `/app/<L>/`."""
    launch_row_id: int
    person_id: int
    identity_id: int
    sub: str
    """How the LMS names this person: the `userId` of scores."""
    registration_id: int
    registration_public_id: str
    registration: RegistrationFacts
    deployment_row_id: int
    deployment_id: str
    organization_id: int
    context_row_id: int | None
    context_id: str | None
    context_title: str | None
    resource_link_row_id: int | None
    resource_link_id: str | None
    resource_link_title: str | None
    message_type: str
    rights: frozenset[str]
    is_test_user: bool
    is_test_site: bool
    target_link_uri: str | None
    custom: Mapping[str, str] = field(hash=False)
    lineitem_url: str | None
    return_url: str | None
    locale: str | None
    deep_linking: Mapping[str, Any] | None = field(hash=False)
    for_user_sub: str | None
    bound_by: str
    platform_origins: tuple[str, ...]
    """Sources for `frame-ancestors`."""
    lms: str
    started_at: datetime
    needs_touch: bool
    """`last_seen_at` is old enough to be written again: call `Sessions.touch`."""

    @property
    def is_test(self) -> bool:
        """Nothing real follows from this session's work: no real badge (test user or test site)."""
        return self.is_test_user or self.is_test_site


@dataclass(frozen=True)
class LaunchCookie:
    """The cookie of one launch, as arguments of `Response.set_cookie`."""

    name: str
    value: str
    path: str

    @property
    def attributes(self) -> dict[str, Any]:
        """Everything beside name and value."""
        return {
            "path": self.path,
            "max_age": int(LIFETIME.total_seconds()),
            "secure": True,
            "httponly": True,
            "samesite": "None",
            "partitioned": True,
        }

    @property
    def header(self) -> str:
        """The value of its `Set-Cookie` header."""
        lifetime = int(LIFETIME.total_seconds())
        return (
            f"{self.name}={self.value}; Max-Age={lifetime}; Secure; HttpOnly; Path={self.path};"
            " SameSite=None; Partitioned"
        )


class Sessions:
    """Opens, checks and hands over page sessions."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        allow_hosts: tuple[str, ...] = (),
        prefix: str = "",
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._allow_hosts = allow_hosts
        self._prefix = prefix

    # the credential

    def credential_for(self, launch_public_id: str) -> str:
        """The sealed text that proves a browser (or a page's memory) to belong to this launch."""
        return self._keyring.seal_text("session", {"l": launch_public_id}, context=launch_public_id)

    def cookie_for(self, launch_public_id: str) -> LaunchCookie:
        """The launch's own cookie, sent by the browser below its `/app/<L>/` only."""
        path = f"{self._prefix}/app/{launch_public_id}/"
        return LaunchCookie(COOKIE, self.credential_for(launch_public_id), path)

    def form_token(self, launch_public_id: str) -> str:
        """The token that every form of this launch carries."""
        return self._keyring.mac("form", f"launch:{launch_public_id}")

    def check_form_token(self, launch_public_id: str, token: str | None) -> bool:
        """Whether `token` is this launch's."""
        return self._keyring.check_mac("form", f"launch:{launch_public_id}", token or "")

    # looking up

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A reading session of the same database."""
        with self._database.reading() as session:
            yield session

    def resolve(self, session: Session, launch_public_id: str, credential: str | None) -> PageSession:
        """The page session of L for whoever shows its credential (cookie value or `X-Launch-Token`).

        Looks everything up anew: registration, deployment and person must still be good, and the rights are
        those of this launch cut to those of the person's newest launch in the same context. Only reads.
        Raises SessionEnded.
        """
        self._check_credential(launch_public_id, credential)
        row = session.execute(_SESSION, {"public_id": launch_public_id}).one_or_none()
        if row is None:
            raise SessionEnded("ended")
        launch: Launch = row.Launch
        now = self._clock.now()
        _check_life(launch, now)
        facts = RegistrationFacts.of(row)
        if not facts.is_approved:
            raise SessionEnded("registration_inactive")
        if row.deployment_state != "approved":
            raise SessionEnded("deployment_inactive")
        if row.person_state != "active" or row.merged_state not in (None, "active"):
            raise SessionEnded("user_blocked")
        rights = frozenset(launch.rights)
        if row.newest_rights is not None:
            rights &= frozenset(row.newest_rights)
        return self._page_session(row, launch, facts, rights, now)

    def open(self, launch_public_id: str, credential: str | None) -> PageSession:
        """As `resolve`, with a session of its own, and noting that the person was seen."""
        with self._database.reading() as session:
            page = self.resolve(session, launch_public_id, credential)
        if page.needs_touch:
            self.touch(page)
        return page

    def touch(self, page: PageSession) -> None:
        """Note that the session was used, so that it does not run idle."""
        with self._database.writing() as session:
            session.execute(
                update(Launch).where(Launch.id == page.launch_row_id).values(last_seen_at=self._clock.now())
            )

    def end(self, session: Session, launch_public_id: str) -> None:
        """End a session for good."""
        session.execute(
            update(Launch)
            .where(Launch.public_id == launch_public_id, Launch.ended_at.is_(None))
            .values(ended_at=self._clock.now())
        )

    # another tab

    def make_handover(self, launch_public_id: str) -> str:
        """A one-use text, good for 60 s, that opens the same session in another tab's cookie partition."""
        until = (self._clock.now() + HANDOVER).timestamp()
        return self._keyring.seal_text("handover", {"i": random_id(), "x": until}, context=launch_public_id)

    def take_handover(self, session: Session, launch_public_id: str, handover: str) -> LaunchCookie:
        """Use a hand-over up, within a writing transaction, and give the cookie for the new tab. Raises
        SessionEnded.
        """
        try:
            sealed = self._keyring.open_text("handover", handover, context=launch_public_id)
        except SealBroken as error:
            raise SessionEnded("handover_used") from error
        now = self._clock.now()
        if now.timestamp() > sealed["x"]:
            raise SessionEnded("handover_used")
        digest = hashlib.sha256(sealed["i"].encode()).hexdigest()
        try:
            with session.begin_nested():
                session.execute(insert(UsedHandover).values(digest=digest, expires_at=now + HANDOVER))
        except IntegrityError as error:
            raise SessionEnded("handover_used") from error
        return self.cookie_for(launch_public_id)

    # parts

    def _check_credential(self, launch_public_id: str, credential: str | None) -> None:
        try:
            sealed = self._keyring.open_text("session", credential or "", context=launch_public_id)
        except SealBroken as error:
            raise SessionEnded("no_credential") from error
        if sealed.get("l") != launch_public_id:
            raise SessionEnded("no_credential")

    def _page_session(
        self, row: Any, launch: Launch, facts: RegistrationFacts, rights: frozenset[str], now: datetime
    ) -> PageSession:
        return PageSession(
            launch_public_id=launch.public_id,
            launch_row_id=launch.id,
            person_id=row.merged_into_id or row.person_row_id,
            identity_id=launch.identity_id,
            sub=row.sub,
            registration_id=facts.row_id,
            registration_public_id=facts.public_id,
            registration=facts,
            deployment_row_id=launch.deployment_id,
            deployment_id=row.deployment_name,
            organization_id=row.deployment_organization,
            context_row_id=launch.context_id,
            context_id=row.context_name,
            context_title=row.context_title,
            resource_link_row_id=launch.resource_link_id,
            resource_link_id=row.link_name,
            resource_link_title=row.link_title,
            message_type=launch.message_type,
            rights=rights,
            is_test_user=launch.is_test_user,
            is_test_site=facts.is_test_site,
            target_link_uri=launch.target_link_uri,
            custom=launch.custom,
            lineitem_url=launch.lineitem_url,
            return_url=launch.return_url,
            locale=launch.locale,
            deep_linking=launch.deep_linking,
            for_user_sub=launch.for_user_sub,
            bound_by=launch.bound_by,
            platform_origins=facts.frame_origins(self._allow_hosts),
            lms=facts.lms,
            started_at=launch.created_at,
            needs_touch=now - launch.last_seen_at > _TOUCH_EVERY,
        )


def _check_life(launch: Launch, now: datetime) -> None:
    if launch.ended_at is not None:
        raise SessionEnded("ended")
    if now - launch.created_at > LIFETIME:
        raise SessionEnded("expired")
    if now - launch.last_seen_at > IDLE:
        raise SessionEnded("idle")


def _newest_rights() -> ColumnElement[Any]:
    """Rights of the person's newest launch in the same context: what an LMS took away is gone in older tabs
    too.
    """
    newer = aliased(Launch)
    return (
        select(newer.rights)
        .where(newer.person_id == Launch.person_id, newer.context_id == Launch.context_id)
        .order_by(newer.id.desc())
        .limit(1)
        .correlate(Launch)
        .scalar_subquery()
    )


def _session_query() -> Any:
    merged = aliased(Person)
    return (
        select(
            Launch,
            *COLUMNS,
            Deployment.state.label("deployment_state"),
            Deployment.deployment_id.label("deployment_name"),
            func.coalesce(Deployment.organization_id, Registration.organization_id).label(
                "deployment_organization"
            ),
            LmsIdentity.sub,
            Person.id.label("person_row_id"),
            Person.state.label("person_state"),
            Person.merged_into_id,
            merged.state.label("merged_state"),
            Context.context_id.label("context_name"),
            Context.title.label("context_title"),
            ResourceLink.resource_link_id.label("link_name"),
            ResourceLink.title.label("link_title"),
            _newest_rights().label("newest_rights"),
        )
        .join(Registration, Registration.id == Launch.registration_id)
        .join(Deployment, Deployment.id == Launch.deployment_id)
        .join(LmsIdentity, LmsIdentity.id == Launch.identity_id)
        .join(Person, Person.id == LmsIdentity.person_id)
        .outerjoin(merged, merged.id == Person.merged_into_id)
        .outerjoin(Context, Context.id == Launch.context_id)
        .outerjoin(ResourceLink, ResourceLink.id == Launch.resource_link_id)
        .where(Launch.public_id == bindparam("public_id"))
    )


_SESSION = _session_query()
