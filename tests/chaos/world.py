"""The tool's database at the start of a run, and the transactions that the run makes."""

import secrets
from collections.abc import Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

import grade_passback
from grade_passback.wire import SCOPES
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from microcred.credentials import Definition, definition_of, import_catalogue, parse, sample_text
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Decision, Pursuit
from microcred.database import Clock, Database
from microcred.people import audit
from microcred.people.models import AuditEvent, LmsIdentity, Organization, Person
from microcred.placements import GradeColumn, Placement, columns_for
from tests.chaos import plan
from tests.chaos.plan import FIRST_ID, LMS, Step

_STEP = "chaos.step"


def set_up(database: Database, clock: Clock, ports: Sequence[int], learners: int, writers: int) -> None:
    """A catalogue, a course on each platform, and learners who have launched."""
    now = clock.now()
    with database.writing() as session:
        import_catalogue(session, parse(sample_text()), now=now)
        organization = session.scalars(select(Organization).order_by(Organization.id)).first()
        assert organization is not None
        version = session.scalars(
            select(CredentialVersion).join(Credential).where(Credential.key == plan.CREDENTIAL)
        ).one()
        session.execute(
            insert(Person),
            [{"id": 1 + n, "name": f"Demo approver {n}", "created_at": now} for n in range(writers)],
        )
        places = [
            _course(session, lms, port, organization.id, version, clock)
            for lms, port in zip(LMS, ports, strict=True)
        ]
        for start in range(0, learners, 1000):
            _people(session, range(start, min(start + 1000, learners)), places, clock)


def _course(
    session: Session, lms: str, port: int, organization_id: int, version: CredentialVersion, clock: Clock
) -> tuple[Placement, Registration, ResourceLink, str | None]:
    now, base = clock.now(), f"http://127.0.0.1:{port}"
    registration = Registration(
        name=f"Chaotic {lms}",
        lms=lms,
        state="approved",
        organization_id=organization_id,
        issuer=base,
        client_id="tool",
        auth_url=f"{base}/auth",
        token_url=f"{base}/token",
        jwks_url=f"{base}/jwks",
        created_at=now,
    )
    session.add(registration)
    session.flush()
    deployment = Deployment(
        registration_id=registration.id,
        deployment_id="1",
        state="approved",
        organization_id=organization_id,
        created_at=now,
    )
    session.add(deployment)
    session.flush()
    context = Context(
        deployment_id=deployment.id,
        context_id="c-1",
        lineitems_url=f"{base}/items",
        ags_scopes=list(SCOPES),
        created_at=now,
    )
    session.add(context)
    session.flush()
    link = ResourceLink(
        deployment_id=deployment.id, context_id=context.id, resource_link_id="rl-1", created_at=now
    )
    session.add(link)
    session.flush()
    placement = Placement(
        context_id=context.id,
        deployment_id=deployment.id,
        organization_id=organization_id,
        version_id=version.id,
        resource_link_id=link.id,
        grade_scheme="rubric_points",
        created_at=now,
    )
    session.add(placement)
    session.flush()
    for column in columns_for(definition_of(session, version), "rubric_points"):
        session.add(
            GradeColumn(
                placement_id=placement.id,
                tag=column.tag,
                label=column.label,
                score_maximum=column.score_maximum,
                created_at=now,
            )
        )
    session.flush()
    return placement, registration, link, None if lms == "other" else f"{base}/items/1"


def _people(
    session: Session,
    learners: Sequence[int],
    places: Sequence[tuple[Placement, Registration, ResourceLink, str | None]],
    clock: Clock,
) -> None:
    now = clock.now()
    people, identities, launches, pursuits, attempts = [], [], [], [], []
    for learner in learners:
        placement, registration, link, lineitem_url = places[plan.platform_of(learner)]
        number = FIRST_ID + learner
        people.append({"id": number, "name": f"Demo u-{learner}", "created_at": now})
        identities.append(
            {
                "id": number,
                "registration_id": registration.id,
                "sub": f"u-{learner}",
                "person_id": number,
                "created_at": now,
            }
        )
        launches.append(
            {
                "state_id": secrets.token_hex(16),
                "registration_id": registration.id,
                "deployment_id": placement.deployment_id,
                "identity_id": number,
                "person_id": number,
                "context_id": placement.context_id,
                "resource_link_id": link.id,
                "message_type": "LtiResourceLinkRequest",
                "rights": ["read", "submit"],
                "lineitem_url": lineitem_url,
                "bound_by": "cookie",
                "created_at": now,
                "last_seen_at": now,
            }
        )
        pursuits.append(
            {
                "id": number,
                "person_id": number,
                "placement_id": placement.id,
                "version_id": placement.version_id,
                "alias": f"Heron {learner}",
                "created_at": now,
            }
        )
        attempts.append(
            {
                "id": number,
                "pursuit_id": number,
                "number": 1,
                "state": "draft",
                "row_version": 1,
                "created_at": now,
            }
        )
    for table, rows in (
        (Person, people),
        (LmsIdentity, identities),
        (Launch, launches),
        (Pursuit, pursuits),
        (Attempt, attempts),
    ):
        session.execute(insert(table), rows)


class Writer:
    """Carries out its part of the plan, one transaction a step. How far it came is in the database itself."""

    def __init__(
        self, database: Database, clock: Clock, learners: int, seed: int, part: int, parts: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._person_id = 1 + part
        self.steps = plan.steps(learners, seed, part, parts)

    def done(self) -> int:
        """How many steps were committed, by whichever process."""
        with self._database.reading() as session:
            events = select(func.count()).where(
                AuditEvent.actor_id == self._person_id, AuditEvent.action == _STEP
            )
            return session.scalar(events) or 0

    def write(self, step: Step) -> None:
        """A hand-in or a decision, with the audit event and the outbox rows that follow from it."""
        now, number = self._clock.now(), FIRST_ID + step.learner
        with self._database.writing() as session:
            attempt = session.get_one(Attempt, number)
            pursuit = session.get_one(Pursuit, number)
            version = session.get_one(CredentialVersion, pursuit.version_id)
            definition = definition_of(session, version)
            if step.variant:
                attempt.state, attempt.decided_at = "awarded", now
                attempt.submitted_at = attempt.submitted_at or now
                session.add(
                    Decision(
                        attempt_id=number,
                        kind="award",
                        decided_by_id=self._person_id,
                        reason=str(step.variant),
                        decided_at=now,
                    )
                )
            else:
                attempt.state, attempt.submitted_at = "submitted", now
            audit.record(session, at=now, actor_id=self._person_id, action=_STEP, subject=("attempt", number))
            session.flush()
            grade_passback.enqueue(
                session,
                placement=session.get_one(Placement, pursuit.placement_id),
                pursuit=pursuit,
                attempt=attempt,
                definition=definition,
                moment="awarded" if step.variant else "submitted",
                ratings=plan.ratings(definition, step.variant) if step.variant else {},
                now=now,
            )


def steps_done(session: Session) -> int:
    """How many steps of the plan all writers together have carried out."""
    return session.scalar(select(func.count()).where(AuditEvent.action == _STEP)) or 0


def newest_decisions(session: Session) -> dict[int, tuple[float, float]]:
    """Points and maximum of each learner's newest decision."""
    version = session.scalars(
        select(CredentialVersion).join(Credential).where(Credential.key == plan.CREDENTIAL)
    ).one()
    definition: Definition = definition_of(session, version)
    newest = select(func.max(Decision.id)).group_by(Decision.attempt_id)
    rows = session.execute(select(Decision.attempt_id, Decision.reason).where(Decision.id.in_(newest)))
    return {number - FIRST_ID: plan.points(definition, int(variant)) for number, variant in rows}
