"""A small district for the tests of review and decision: a course, a credential, demo people with offices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.facts import RegistrationFacts
from lti_tool.models import Context, Deployment, Registration, ResourceLink
from lti_tool.sessions import PageSession
from microcred.credentials.aliases import alias_for
from microcred.credentials.catalogue import import_catalogue
from microcred.credentials.codes import repeat_codes
from microcred.credentials.definition import definition_of
from microcred.credentials.file_models import EvidenceFile
from microcred.credentials.models import (
    Attempt,
    Credential,
    CredentialVersion,
    EvidenceItem,
    Pursuit,
    Response,
)
from microcred.credentials.schema import CatalogueFile
from microcred.database import Database, random_id
from microcred.operations import decide, review
from microcred.operations.actor import Actor, actor_for_desk, actor_for_launch
from microcred.operations.review import Entry
from microcred.people import ensure_organization, grant
from microcred.people.models import LmsIdentity, Organization, Person
from microcred.placements.models import GradeColumn, Placement
from tests.support import quick
from tests.support.catalogue import sample

BADGES = "https://tool.example.org"
START = datetime(2026, 10, 5, 15, 0, tzinfo=UTC)
NOT_DRAWN = 0.999
"""A draw that no share of tries reaches."""
SHAPE_IDEAS = "mc-shape-ideas"
SECRETS = ("Terry", "Tryout", "terry@school.example", "sub-terry-42", "terry_tryout_photo")
"""Whatever would tell a reviewer whose work it is."""


class StoppedClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> datetime:
        """Let time pass; gives the new moment."""
        self.at += timedelta(**time)
        return self.at


@dataclass
class World:
    """The rows that tests begin with, by id."""

    database: Database
    clock: StoppedClock
    placement_id: int
    version_id: int
    issuer_id: int
    teacher: int
    reviewer: int
    other_reviewer: int
    approver: int
    stranger: int
    registration_id: int
    deployment_id: int
    context_id: int
    district_id: int
    link_id: int

    def in_course(
        self, person_id: int, *rights: str, link_id: int | None = None, context_id: int | None = None
    ) -> Actor:
        """The person in a launch of the credential's link, with course rights and the offices they hold."""
        launch = PageSession(
            launch_public_id="launch",
            launch_row_id=0,
            person_id=person_id,
            identity_id=person_id,
            sub=f"sub-{person_id}",
            registration_id=self.registration_id,
            registration_public_id="registration",
            registration=cast(RegistrationFacts, None),  # no operation of these tests looks at it
            deployment_row_id=self.deployment_id,
            deployment_id="1",
            organization_id=self.district_id,
            context_row_id=context_id or self.context_id,
            context_id="course-1",
            context_title="Demo course",
            resource_link_row_id=link_id or self.link_id,
            resource_link_id="link-1",
            resource_link_title=None,
            message_type="LtiResourceLinkRequest",
            rights=frozenset(rights or ("read", "submit")),
            is_test_user=False,
            is_test_site=False,
            target_link_uri=None,
            custom={},
            lineitem_url=None,
            return_url=None,
            locale=None,
            deep_linking=None,
            for_user_sub=None,
            bound_by="cookie",
            platform_origins=(),
            lms="other",
            started_at=self.clock.now(),
            needs_touch=False,
        )
        with self.database.reading() as session:
            return actor_for_launch(session, launch, self.clock.now())

    def join(self, name: str, *roles: str) -> int:
        """One more person, with offices at the issuer."""
        with self.database.writing() as session:
            registration = session.get_one(Registration, self.registration_id)
            person_id = _person(session, registration, name, self.clock.now())
            for role in roles:
                grant(
                    session,
                    person_id=person_id,
                    role=role,
                    organization_id=self.issuer_id,
                    now=self.clock.now(),
                    by=None,
                )
        return person_id

    def rules(self, **said: object) -> None:
        """Set the issuer's rules for reviewing."""
        with self.database.writing() as session:
            issuer = session.get_one(Organization, self.issuer_id)
            issuer.policies = {**issuer.policies, "reviewing": said}

    def actor(self, person_id: int) -> Actor:
        """The person at `/desk/`, with the offices they hold now."""
        with self.database.reading() as session:
            return actor_for_desk(session, person_id, self.clock.now())

    def submitted(
        self, person_id: int | None = None, *, number: int = 1, locked: tuple[str, ...] = ()
    ) -> str:
        """A complete try that waits for a reviewer; its public id."""
        with self.database.writing() as session:
            pursuit = self._pursuit(session, person_id or self.teacher)
            attempt = Attempt(
                pursuit_id=pursuit.id,
                number=number,
                state="submitted",
                locked_parts=list(locked),
                created_at=self.clock.now(),
                submitted_at=self.clock.now(),
                decision_due_at=self.clock.now() + timedelta(days=7),
            )
            session.add(attempt)
            session.flush()
            self.write(session, attempt)
            return attempt.public_id

    def resubmit(self, public_id: str) -> str:
        """Send in the draft that follows a try with revisions; its public id."""
        with self.database.writing() as session:
            before = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
            draft = session.scalars(
                select(Attempt).where(Attempt.pursuit_id == before.pursuit_id, Attempt.state == "draft")
            ).one()
            draft.state = "submitted"
            draft.submitted_at = self.clock.now()
            draft.decision_due_at = self.clock.now() + timedelta(days=7)
            return draft.public_id

    def start(self, public_id: str, person_id: int | None = None) -> None:
        """Let a reviewer take the try."""
        with self.database.writing() as session:
            review.start(session, self.actor(person_id or self.reviewer), public_id, self.clock.now())

    def rate(
        self,
        public_id: str,
        ratings: Mapping[str, str],
        comment: str = "Well shown.",
        *,
        by: int | None = None,
    ) -> None:
        """Give levels by criterion id, each with the same comment."""
        entries = {criterion: Entry(level, comment) for criterion, level in ratings.items()}
        with self.database.writing() as session:
            review.save_ratings(
                session, self.actor(by or self.reviewer), public_id, entries, now=self.clock.now()
            )

    def finish(
        self, public_id: str, expected: str, *, by: int | None = None, chance: float = NOT_DRAWN
    ) -> str:
        """Finish the review; with `chance` 0 it is drawn for a second reading."""
        with self.database.writing() as session:
            return review.finish(
                session,
                self.actor(by or self.reviewer),
                public_id,
                expected,
                self.clock.now(),
                chance=lambda: chance,
            )

    def let_awards_expire(self, *, months: int) -> None:
        """Change the stored credential: the sample has none whose awards expire."""
        with self.database.writing() as session:
            version = session.get_one(CredentialVersion, self.version_id)
            document = version.document | {"validity": {"expires": True, "months": months}}
            session.execute(
                CredentialVersion.__table__.update()  # type: ignore[attr-defined]
                .where(CredentialVersion.id == version.id)
                # Definitions are kept in memory by the public id: a version that is published never changes.
                .values(document=document, public_id=random_id())
            )

    def recommended(self, ratings: Mapping[str, str] | None = None) -> str:
        """A try whose reviewer recommends the award; its public id."""
        public_id = self.submitted()
        self.start(public_id)
        self.rate(public_id, ratings or PASSING)
        self.finish(public_id, "award")
        return public_id

    def recommended_by_now(self, public_id: str) -> str:
        """Finish a review that was begun, for the award."""
        self.rate(public_id, PASSING)
        self.finish(public_id, "award")
        return public_id

    def decide(self, public_id: str, kind: str, reason: str = "", *, by: int | None = None) -> decide.Decided:
        """Decide as the approver."""
        with self.database.writing() as session:
            return decide.decide(
                session,
                self.actor(by or self.approver),
                public_id,
                kind,
                reason=reason,
                badge_url=BADGES,
                now=self.clock.now(),
            )

    def state(self, public_id: str) -> str:
        """The state of a try as stored."""
        with self.database.reading() as session:
            return session.scalars(select(Attempt.state).where(Attempt.public_id == public_id)).one()

    def _pursuit(self, session: Session, person_id: int) -> Pursuit:
        found = session.scalar(
            select(Pursuit).where(Pursuit.person_id == person_id, Pursuit.placement_id == self.placement_id)
        )
        if found is None:
            found = Pursuit(
                person_id=person_id,
                placement_id=self.placement_id,
                version_id=self.version_id,
                alias="",
                created_at=self.clock.now(),
            )
            session.add(found)
            session.flush()
            found.alias = alias_for(found.id)
        return found

    def write(self, session: Session, attempt: Attempt) -> None:
        """Fill a try with answers and evidence."""
        version = session.get_one(CredentialVersion, self.version_id)
        now = self.clock.now()
        for part in definition_of(session, version).parts:
            for prompt in part.prompts:
                for code in repeat_codes(part, prompt):
                    session.add(
                        Response(
                            attempt_id=attempt.id,
                            part_id=part.id,
                            prompt_id=prompt.id,
                            student_code=code,
                            body="We listed ideas alone first.\n\nThen the notes went from 41 to 97.",
                            words=13,
                            revision=1,
                            saved_at=now,
                        )
                    )
            for requirement in part.artefact_requirements:
                for number in range(requirement.min_count):
                    session.add(_picture(attempt.id, part.id, requirement.id, number, now))
                session.add(_link(attempt.id, part.id, requirement.id, now))
        session.flush()


PASSING = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
REVISIONS = PASSING | {"p1-c2": "revisions_needed", "p4-c1": "not_evident"}


def _picture(attempt_id: int, part_id: str, requirement_id: str, number: int, now: datetime) -> EvidenceItem:
    return EvidenceItem(
        attempt_id=attempt_id,
        part_id=part_id,
        requirement_id=requirement_id,
        kind="file",
        caption="All the notes on one board",
        file_name=f"terry_tryout_photo_{number}.png",
        media_type="image/png",
        type_group="image",
        size=len(PICTURE),
        sha256="0" * 64,
        storage_key="evidence/picture",
        created_at=now,
    )


def _link(attempt_id: int, part_id: str, requirement_id: str, now: datetime) -> EvidenceItem:
    return EvidenceItem(
        attempt_id=attempt_id,
        part_id=part_id,
        requirement_id=requirement_id,
        kind="link",
        type_group="link",
        caption="The shared board",
        url="https://boards.example.org/terry_tryout_photo",
        created_at=now,
    )


PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
"""A PNG of one pixel."""


def build(database: Database, clock: StoppedClock, catalogue: CatalogueFile | None = None) -> World:
    """Make the district, with the sample catalogue or another one."""
    if catalogue is not None:
        rows = _insert(database, catalogue, clock.now())
    else:
        make = partial(_insert, database, sample(), clock.now())
        rows = quick.kept(database, ("district", clock.now()), make)
    return World(database=database, clock=clock, **rows)


def _insert(database: Database, catalogue: CatalogueFile, now: datetime) -> dict[str, int]:
    """The district's rows; the ids that tests use."""
    with database.writing() as session:
        import_catalogue(session, catalogue, now=now)
        session.add(
            EvidenceFile(
                storage_key="evidence/picture",
                state="ready",
                size=len(PICTURE),
                location="none",
                added_at=now,
                settled_at=now,
            )
        )
        district = ensure_organization(
            session, code="demo-district", name="Demo District", kind="district", now=now
        )
        registration = _registration(session, district, now)
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
            deployment_id=deployment.id,
            context_id="course-1",
            title="Demo course",
            lineitems_url="https://lms.example/courses/1/line_items",
            ags_scopes=[
                "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
                "https://purl.imsglobal.org/spec/lti-ags/scope/score",
            ],
            created_at=now,
        )
        session.add(context)
        session.flush()
        link = ResourceLink(
            deployment_id=deployment.id,
            context_id=context.id,
            resource_link_id="link-1",
            title="Shape ideas",
            created_at=now,
        )
        session.add(link)
        session.flush()
        version, issuer_id = session.execute(
            select(CredentialVersion, Credential.issuer_id)
            .join(Credential, Credential.id == CredentialVersion.credential_id)
            .where(Credential.key == SHAPE_IDEAS)
        ).one()
        placement = Placement(
            context_id=context.id,
            deployment_id=deployment.id,
            organization_id=district.id,
            version_id=version.id,
            resource_link_id=link.id,
            grade_scheme="hundred",
            created_at=now,
            columns=[GradeColumn(tag="main", label="Idea Shaper", score_maximum=100.0, created_at=now)],
        )
        session.add(placement)
        people = {
            name: _person(session, registration, name, now)
            for name in (
                "Terry Tryout",
                "Robin Reviewer",
                "Rowan Reviewer",
                "Avery Approver",
                "Sam Stranger",
            )
        }
        ids = list(people.values())
        for person_id, role in ((ids[1], "reviewer"), (ids[2], "reviewer"), (ids[3], "approver")):
            grant(
                session,
                person_id=person_id,
                role=role,
                organization_id=issuer_id,
                now=now - timedelta(days=1),
                by=None,
            )
        session.flush()
        return {
            "placement_id": placement.id,
            "version_id": version.id,
            "issuer_id": issuer_id,
            "teacher": ids[0],
            "reviewer": ids[1],
            "other_reviewer": ids[2],
            "approver": ids[3],
            "stranger": ids[4],
            "registration_id": registration.id,
            "deployment_id": deployment.id,
            "context_id": context.id,
            "district_id": district.id,
            "link_id": link.id,
        }


def _registration(session: Session, district: Organization, now: datetime) -> Registration:
    registration = Registration(
        name="Demo LMS",
        lms="other",
        state="approved",
        organization_id=district.id,
        issuer="https://lms.example",
        client_id="client-1",
        auth_url="https://lms.example/auth",
        token_url="https://lms.example/token",
        jwks_url="https://lms.example/jwks",
        created_at=now,
    )
    session.add(registration)
    session.flush()
    return registration


def _person(session: Session, registration: Registration, name: str, now: datetime) -> int:
    given, family = name.split()
    person = Person(
        name=name,
        given_name=given,
        family_name=family,
        email=f"{given.lower()}@school.example",
        state="active",
        created_at=now,
    )
    session.add(person)
    session.flush()
    session.add(
        LmsIdentity(
            registration_id=registration.id,
            sub=f"sub-{given.lower()}-42",
            person_id=person.id,
            created_at=now,
        )
    )
    return person.id
