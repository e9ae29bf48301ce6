"""A small course for tests of the pages: an LMS registration, placed credentials, people who launch."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from lti_tool.sessions import COOKIE
from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.credentials.catalogue import import_catalogue
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.database import Database, random_id
from microcred.operations import decide, review
from microcred.operations.actor import Actor, actor_for_desk
from microcred.operations.review import Entry
from microcred.people import ensure_organization, grant
from microcred.people.models import LmsIdentity, Organization, Person
from microcred.placements import Choice, Place, choose, columns_for
from tests.support import catalogue, quick

START = datetime(2026, 9, 28, 14, 42, tzinfo=UTC)
"""Monday, September 28, 10:42 in New York."""
ORIGIN = "http://127.0.0.1:5000"
LMS = "http://localhost:8000"
LEARNER = ("read", "submit")
INSTRUCTOR = ("place", "read", "see_progress")
LIMIT = 1024 * 1024


class MovingClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)


@dataclass
class Visitor:
    """Somebody in a launch: a browser of their own that holds the launch's cookie."""

    client: FlaskClient
    launch: str
    person_id: int
    form_token: str

    def url(self, path: str = "") -> str:
        """An address of this launch."""
        return f"/app/{self.launch}/{path}"

    def get(self, path: str = "", **options: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(self.url(path), **options)

    def post(
        self, path: str, data: Mapping[str, Any] | None = None, *, fragment: bool = False, **options: Any
    ) -> TestResponse:
        """Send a form of one of our pages."""
        headers = {"Sec-Fetch-Site": "same-origin"} | ({"X-Fragment": "save"} if fragment else {})
        return self.client.post(
            self.url(path),
            data={"form_token": self.form_token} | dict(data or {}),
            headers=headers,
            **options,
        )


@dataclass
class Course:
    """The course and its people."""

    assembly: Assembly
    app: Flask
    clock: MovingClock
    link_ids: dict[str, int]
    """Credential key to the row of the link that opens it."""
    context_id: int
    deployment_id: int
    registration_id: int
    issuer_id: int
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def person(self, name: str) -> tuple[int, int]:
        """Somebody the LMS knows: person and identity."""
        with self.assembly.database.writing() as session:
            person = Person(name=name, given_name=name.split()[0], created_at=self.clock.now())
            session.add(person)
            session.flush()
            identity = LmsIdentity(
                registration_id=self.registration_id,
                sub=f"sub-{person.id}",
                person_id=person.id,
                created_at=self.clock.now(),
            )
            session.add(identity)
            session.flush()
            return person.id, identity.id

    def visitor(
        self,
        who: tuple[int, int] | None = None,
        *,
        rights: tuple[str, ...] = LEARNER,
        credential: str = "mc-shape-ideas",
        client: FlaskClient | None = None,
        test_user: bool = False,
    ) -> Visitor:
        """A launch of somebody (a new demo person if nobody is named)."""
        person_id, identity_id = who or self.person(f"Demo Teacher {next(self._numbers)}")
        with self.assembly.database.writing() as session:
            launch = Launch(
                state_id=random_id(),
                registration_id=self.registration_id,
                deployment_id=self.deployment_id,
                identity_id=identity_id,
                person_id=person_id,
                context_id=self.context_id,
                resource_link_id=self.link_ids[credential],
                message_type="LtiResourceLinkRequest",
                rights=sorted(rights),
                is_test_user=test_user,
                custom={},
                bound_by="cookie",
                created_at=self.clock.now(),
                last_seen_at=self.clock.now(),
            )
            session.add(launch)
            session.flush()
            launch_id = launch.public_id
        sessions = self.assembly.lti.sessions
        client = client or self.app.test_client()
        client.set_cookie(COOKIE, sessions.credential_for(launch_id), path=f"/app/{launch_id}/")
        return Visitor(client, launch_id, person_id, sessions.form_token(launch_id))

    def same(self, visitor: Visitor) -> Visitor:
        """The same launch in a client of its own: clients are not shared between threads."""
        client = self.app.test_client()
        credential = self.assembly.lti.sessions.credential_for(visitor.launch)
        client.set_cookie(COOKIE, credential, path=f"/app/{visitor.launch}/")
        return Visitor(client, visitor.launch, visitor.person_id, visitor.form_token)

    def definition(self, credential: str = "mc-shape-ideas") -> Definition:
        """The definition of a credential of the course."""
        with self.assembly.database.reading() as session:
            query = select(CredentialVersion).join(Credential).where(Credential.key == credential)
            return definition_of(session, session.scalars(query).one())

    def attempt(self, person_id: int) -> Attempt:
        """The newest try of a person."""
        with self.assembly.database.reading() as session:
            query = select(Attempt).join(Pursuit).where(Pursuit.person_id == person_id)
            return session.scalars(query.order_by(Attempt.number.desc())).first()  # type: ignore[return-value]

    def judge(
        self, person_id: int, ratings: Mapping[str, str], comment: str = "Say what you counted."
    ) -> None:
        """Let a demo reviewer rate the newest try; where it passes, let a demo approver award it."""
        reviewer, approver = self.officer("reviewer"), self.officer("approver")
        public_id, now = self.attempt(person_id).public_id, self.clock.now()
        entries = {criterion: Entry(level, comment) for criterion, level in ratings.items()}
        passed = all(level in ("strong", "passing", "yes") for level in ratings.values())
        database = self.assembly.database
        with database.writing() as session:
            review.start(session, reviewer, public_id, now)
        with database.writing() as session:
            review.save_ratings(session, reviewer, public_id, entries, now=now)
        with database.writing() as session:
            review.finish(
                session, reviewer, public_id, "award" if passed else "revise", now, chance=lambda: 0.999
            )
        if passed:
            with database.writing() as session:
                decide.decide(session, approver, public_id, "award", badge_url=ORIGIN, now=now)

    def officer(self, role: str) -> Actor:
        """A demo person with an office of the issuer."""
        person_id, _ = self.person(f"Demo {role.capitalize()}")
        with self.assembly.database.writing() as session:
            grant(
                session,
                person_id=person_id,
                role=role,
                organization_id=self.issuer_id,
                now=self.clock.now(),
                by=None,
            )
            return actor_for_desk(session, person_id, self.clock.now())


def build(
    database_url: str,
    folder: Path,
    clock: MovingClock,
    *,
    origin: str = ORIGIN,
    lms: str = LMS,
    allow_hosts: tuple[str, ...] = ("localhost:8000",),
    mail_url: str | None = None,
    storage_url: str = "",
    max_upload_mb: int = 1,
    clamd_url: str | None = None,
) -> Course:
    """Make the course over an empty, migrated database."""
    settings = Settings(
        _env_file=None,
        public_url=origin,
        secret_keys=["a secret of the tests alone"],
        database_url=database_url,
        storage_url=storage_url or str(folder / "files"),
        data_dir=folder,
        max_upload_mb=max_upload_mb,
        clamd_url=clamd_url,
        allow_hosts=list(allow_hosts),
        mail_url=mail_url,
    )
    rows = _rows(database_url, lms, clock.now())
    assembly = assemble(settings, clock, lambda: 0.999)
    return Course(assembly, create_app(assembly), clock, *rows)


Rows = tuple[dict[str, int], int, int, int, int]
"""Links by credential key; course, deployment, registration and issuer: the rows' ids."""


def _rows(database_url: str, lms: str, now: datetime) -> Rows:
    """Put the course into a migrated, empty database."""
    database = Database(database_url)
    try:
        return quick.kept(database, ("course", lms, now), partial(_insert, database, lms, now))
    finally:
        database.dispose()


def _insert(database: Database, lms: str, now: datetime) -> Rows:
    with database.writing() as session:
        import_catalogue(session, catalogue.sample(), now=now)
        district = ensure_organization(session, code="demo", name="Demo District", kind="district", now=now)
        founder = Person(name="Demo Coordinator", created_at=now)
        session.add(founder)
        registration = Registration(
            name="Demo LMS",
            lms="other",
            state="approved",
            organization_id=district.id,
            issuer=lms,
            client_id="tool",
            auth_url=f"{lms}/auth",
            token_url=f"{lms}/token",
            jwks_url=f"{lms}/jwks",
            created_at=now,
        )
        session.add(registration)
        session.flush()
        deployment = Deployment(
            registration_id=registration.id,
            deployment_id="1",
            state="approved",
            organization_id=district.id,
            created_at=now,
        )
        session.add(deployment)
        session.flush()
        context = Context(
            deployment_id=deployment.id, context_id="course", title="Demo course", created_at=now
        )
        session.add(context)
        session.flush()
        links = {}
        for version in session.scalars(select(CredentialVersion)).all():
            credential = session.get_one(Credential, version.credential_id)
            if credential.kind != "micro_credential":
                continue
            link = ResourceLink(
                deployment_id=deployment.id,
                context_id=context.id,
                resource_link_id=credential.key,
                title=version.title,
                created_at=now,
            )
            session.add(link)
            session.flush()
            place = Place(deployment.id, district.id, context.id, link.id)
            choice = Choice(version.id, "hundred", columns_for(definition_of(session, version), "hundred"))
            placement = choose(
                session, place=place, choice=choice, launch_id=None, person_id=founder.id, now=now
            )
            placement.resource_link_id = link.id
            links[credential.key] = link.id
        issuer = session.scalars(select(Organization).where(Organization.code == "iss-riverbend")).one()
        return links, context.id, deployment.id, registration.id, issuer.id
