"""Two course systems with the same person in both, and somebody at the desk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.models import Context, Deployment, Registration, ResourceLink
from microcred.app.tables import metadata
from microcred.credentials.definition import definition_of
from microcred.credentials.models import Credential, CredentialVersion
from microcred.database import Database
from microcred.people import ensure_organization, grant, links
from microcred.people.models import DeskSession, Person
from microcred.placements import Choice, Place, choose, columns_for
from microcred.web.base.surface import DESK_COOKIE
from tests.functional.web.course import ORIGIN, Course, MovingClock, build

OTHER_LMS = "http://localhost:8001"
CREDENTIAL = "mc-shape-ideas"


@dataclass
class Desk:
    """Somebody at `/desk/`."""

    client: FlaskClient
    person_id: int
    form_token: str

    def get(self, path: str = "") -> TestResponse:
        """Open a page."""
        return self.client.get(f"/desk/{path}")

    def post(self, path: str, data: Mapping[str, Any] | None = None) -> TestResponse:
        """Send a form of one of our pages."""
        return self.client.post(
            f"/desk/{path}",
            data={"form_token": self.form_token} | dict(data or {}),
            headers={"Sec-Fetch-Site": "same-origin"},
        )


@contextmanager
def two_systems(database_url: str, folder: Path, origin: str = ORIGIN) -> Iterator[tuple[Course, Course]]:
    """One tool; a course in each of two course systems, of two organizations."""
    first = build(database_url, folder, MovingClock(), origin=origin)
    try:
        yield first, _second(first)
    finally:
        first.assembly.close()


def _second(first: Course) -> Course:
    now = first.clock.now()
    with first.assembly.database.writing() as session:
        district = ensure_organization(
            session, code="demo-2", name="Other Demo District", kind="district", now=now
        )
        founder = Person(name="Second Demo Coordinator", created_at=now)
        registration = Registration(
            name="Second Demo LMS",
            lms="moodle",
            state="approved",
            organization_id=district.id,
            issuer=OTHER_LMS,
            client_id="tool",
            auth_url=f"{OTHER_LMS}/auth",
            token_url=f"{OTHER_LMS}/token",
            jwks_url=f"{OTHER_LMS}/jwks",
            created_at=now,
        )
        session.add_all([founder, registration])
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
            deployment_id=deployment.id, context_id="course", title="Other demo course", created_at=now
        )
        session.add(context)
        session.flush()
        link = ResourceLink(
            deployment_id=deployment.id, context_id=context.id, resource_link_id="1", created_at=now
        )
        session.add(link)
        session.flush()
        version = session.scalars(
            select(CredentialVersion).join(Credential).where(Credential.key == CREDENTIAL)
        ).one()
        choice = Choice(version.id, "hundred", columns_for(definition_of(session, version), "hundred"))
        placement = choose(
            session,
            place=Place(deployment.id, district.id, context.id, link.id),
            choice=choice,
            launch_id=None,
            person_id=founder.id,
            now=now,
        )
        placement.resource_link_id = link.id
        return replace(
            first,
            link_ids={CREDENTIAL: link.id},
            context_id=context.id,
            deployment_id=deployment.id,
            registration_id=registration.id,
        )


def at_desk(course: Course, person_id: int) -> Desk:
    """Let a person enter by a one-time link."""
    used, now = course.assembly, course.clock.now()
    with used.database.writing() as session:
        secret = links.enter(session, links.invite(session, person_id, now), now)
    with used.database.reading() as session:
        row = session.scalars(select(DeskSession.id).where(DeskSession.digest == links.digest(secret))).one()
    client = course.app.test_client()
    client.set_cookie(DESK_COOKIE, secret, path="/desk/")
    return Desk(client, person_id, used.keyring.mac("form", f"desk:{row}"))


def officer(course: Course, role: str, name: str, organization_id: int | None = None) -> Desk:
    """Somebody in no course system, with an office (of the issuer unless said otherwise), at the desk."""
    with course.assembly.database.writing() as session:
        row = Person(name=name, created_at=course.clock.now())
        session.add(row)
        session.flush()
        person_id = row.id
        grant(
            session,
            person_id=person_id,
            role=role,
            organization_id=organization_id if role == "operator" else course.issuer_id,
            now=course.clock.now(),
            by=None,
        )
    return at_desk(course, person_id)


def dump(database: Database, *but: str) -> dict[str, list[str]]:
    """Every row of every table as text, without the tables named."""
    with database.reading() as session:
        return {
            table.name: sorted(
                json.dumps(list(row), default=str) for row in session.execute(select(table)).all()
            )
            for table in metadata.sorted_tables
            if table.name not in but
        }


__all__ = ["Desk", "at_desk", "dump", "officer", "two_systems"]
