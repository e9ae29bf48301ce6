"""A database with platforms, courses and learners, and the scores that wait for them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks.issuer import CLIENT, SCOPES
from grade_passback import enqueue
from lti_tool import registrations
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from lti_tool.registrations import NewRegistration
from microcred.app.schema import upgrade
from microcred.app.wiring import Assembly
from microcred.credentials import definition_of, import_catalogue, parse, sample_text
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.outbox.admin import start_destination, stop_destination
from microcred.people.models import LmsIdentity, Organization, Person
from microcred.placements import GradeColumn, Placement, columns_for

CREDENTIAL = "mc-shape-ideas"
_TOGETHER = 200


@dataclass(frozen=True)
class Course:
    """A course of one platform, and who learns there."""

    registration_id: int
    placement_id: int
    pursuits: Sequence[int]
    attempts: Sequence[int]

    @property
    def destination(self) -> str:
        """Where its scores go, as the outbox calls it."""
        return f"registration:{self.registration_id}"


def prepare(app: Assembly, ports: Sequence[int], learners: int) -> list[Course]:
    """A fresh database: a platform on each port, with one course of so many learners."""
    upgrade(app.database)
    app.lti.keys.ensure()
    with app.database.writing() as session:
        import_catalogue(session, parse(sample_text()), now=app.clock.now())
    return [_course(app, port, learners) for port in ports]


def decide(app: Assembly, course: Course, numbers: Sequence[int]) -> None:
    """Award these learners of a course, as one transaction; each leaves a row in the outbox."""
    with app.database.writing() as session:
        _decide(session, course, numbers, app.clock.now())


def decide_all(app: Assembly, course: Course) -> None:
    """Award everybody, and keep the scores back until `start`."""
    with app.database.writing() as session:
        stop_destination(session, course.destination)
    for first in range(0, len(course.pursuits), _TOGETHER):
        decide(app, course, range(first, min(first + _TOGETHER, len(course.pursuits))))


def start(app: Assembly, destinations: Sequence[str]) -> None:
    """Let the scores go."""
    with app.database.writing() as session:
        for destination in destinations:
            start_destination(session, destination)


def copy_rows(app: Assembly, source: Course, target: Course, count: int) -> None:
    """The first `count` rows of a course again, for another platform (which is stopped)."""
    with app.database.writing() as session:
        stop_destination(session, target.destination)
        session.execute(
            text(
                "INSERT INTO outbox (kind, destination, order_key, replaces, subject_type, subject_id,"
                " payload, state, due_at, fence, attempts, created_at)"
                " SELECT kind, :target, order_key || '-again', replaces, subject_type, subject_id,"
                " payload || jsonb_build_object('registration', CAST(:registration AS int), 'url',"
                " replace(payload->>'url', CAST(:from_url AS text), CAST(:to_url AS text))),"
                " state, due_at, 0, 0, created_at FROM outbox WHERE destination = :source"
                " ORDER BY id LIMIT :count"
            ),
            {
                "target": target.destination,
                "source": source.destination,
                "registration": target.registration_id,
                "from_url": _services(session, source),
                "to_url": _services(session, target),
                "count": count,
            },
        )


def _services(session: Session, course: Course) -> str:
    token_url = session.get_one(Registration, course.registration_id).token_url
    return token_url.removesuffix("/token")


def _decide(session: Session, course: Course, numbers: Sequence[int], now: datetime) -> None:
    placement = session.get_one(Placement, course.placement_id)
    definition = definition_of(session, session.get_one(CredentialVersion, placement.version_id))
    best = {criterion.id: definition.levels(criterion)[0][0].key for _, criterion in definition.criteria()}
    for number in numbers:
        enqueue(
            session,
            placement=placement,
            pursuit=session.get_one(Pursuit, course.pursuits[number]),
            attempt=session.get_one(Attempt, course.attempts[number]),
            definition=definition,
            moment="awarded",
            ratings=best,
            now=now,
        )


def _course(app: Assembly, port: int, learners: int) -> Course:
    base, now = f"http://127.0.0.1:{port}", app.clock.now()
    with app.database.writing() as session:
        organization = session.scalars(select(Organization).order_by(Organization.id)).first()
        assert organization is not None
        version = session.scalars(
            select(CredentialVersion).join(Credential).where(Credential.key == CREDENTIAL)
        ).one()
        registration = registrations.add(
            session,
            NewRegistration(
                name=f"Platform {port}",
                lms="other",
                issuer=base,
                client_id=CLIENT,
                auth_url=f"{base}/auth",
                token_url=f"{base}/token",
                jwks_url=f"{base}/jwks",
                deployment_ids=["1"],
            ),
            organization_id=organization.id,
            clock=app.clock,
            allow_hosts=app.settings.allow_hosts,
        )
        deployment = session.scalars(
            select(Deployment).where(Deployment.registration_id == registration.id)
        ).one()
        context = Context(
            deployment_id=deployment.id,
            context_id="course-1",
            lineitems_url=f"{base}/lineitems",
            ags_scopes=list(SCOPES),
            created_at=now,
        )
        session.add(context)
        session.flush()
        link = ResourceLink(
            deployment_id=deployment.id, context_id=context.id, resource_link_id="link-1", created_at=now
        )
        session.add(link)
        session.flush()
        placement = Placement(
            context_id=context.id,
            deployment_id=deployment.id,
            organization_id=organization.id,
            version_id=version.id,
            resource_link_id=link.id,
            grade_scheme="hundred",
            denied_as="blank",
            created_at=now,
        )
        session.add(placement)
        session.flush()
        for plan in columns_for(definition_of(session, version), "hundred"):
            session.add(
                GradeColumn(
                    placement_id=placement.id,
                    tag=plan.tag,
                    label=plan.label,
                    score_maximum=plan.score_maximum,
                    created_at=now,
                )
            )
        session.flush()
        common = {
            "registration_id": registration.id,
            "deployment_id": deployment.id,
            "context_id": context.id,
            "resource_link_id": link.id,
            "lineitem_url": f"{base}/lineitems/1",
        }
        pursuits, attempts = _learners(session, placement, common, learners, now)
        return Course(registration.id, placement.id, pursuits, attempts)


def _learners(
    session: Session, placement: Placement, common: Mapping[str, Any], count: int, now: datetime
) -> tuple[list[int], list[int]]:
    """People who launched the link once and work on the credential; ids of pursuits and attempts."""
    names = [f"person-{i}" for i in range(count)]
    people = session.scalars(
        insert(Person).returning(Person.id, sort_by_parameter_order=True),
        [{"name": f"Demo {name}", "state": "active", "created_at": now} for name in names],
    ).all()
    identities = session.scalars(
        insert(LmsIdentity).returning(LmsIdentity.id, sort_by_parameter_order=True),
        [
            {
                "registration_id": common["registration_id"],
                "sub": name,
                "person_id": person,
                "is_test_user": False,
                "created_at": now,
            }
            for name, person in zip(names, people, strict=True)
        ],
    ).all()
    session.execute(
        insert(Launch),
        [
            {
                **common,
                "state_id": secrets.token_hex(16),
                "identity_id": identity,
                "person_id": person,
                "message_type": "LtiResourceLinkRequest",
                "rights": ["read", "submit"],
                "bound_by": "cookie",
                "created_at": now,
                "last_seen_at": now,
            }
            for identity, person in zip(identities, people, strict=True)
        ],
    )
    pursuits = session.scalars(
        insert(Pursuit).returning(Pursuit.id, sort_by_parameter_order=True),
        [
            {
                "person_id": person,
                "placement_id": placement.id,
                "version_id": placement.version_id,
                "alias": f"Heron {i}",
                "created_at": now,
            }
            for i, person in enumerate(people)
        ],
    ).all()
    attempts = session.scalars(
        insert(Attempt).returning(Attempt.id, sort_by_parameter_order=True),
        [{"pursuit_id": pursuit, "number": 1, "state": "draft", "created_at": now} for pursuit in pursuits],
    ).all()
    return list(pursuits), list(attempts)
