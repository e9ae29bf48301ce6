"""Fills the town: teachers at every stage of a credential, the people of the course, reviewers, approvers,
authors and operators.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from sqlalchemy import select, update

import grade_passback
from grade_passback.wire import SCOPES
from lti_tool.models import Context, Deployment, Launch, Registration
from microcred import outbox
from microcred.credentials.models import Award, CredentialVersion, EvidenceItem, Pursuit
from microcred.credentials.review_models import TeacherRequest
from microcred.database import random_id
from microcred.operations import (
    anchors,
    appealing,
    authoring,
    calibrating,
    checking,
    decide,
    mail_choice,
    own_addresses,
    review,
)
from microcred.operations.actor import actor_for_launch
from microcred.operations.review import Entry
from microcred.outbox import OutboxRow
from microcred.outbox.models import OutboxDestination
from microcred.people import grant, links
from microcred.people.models import ContactAddress, Organization, Person
from microcred.placements import GradeColumn, Placement
from tests.browser.test_teacher_pages import Site, frame_page, served
from tests.browser.town import Town
from tests.functional.people.places import two_systems
from tests.functional.web.course import INSTRUCTOR, Course, Visitor
from tests.functional.web.work import complete, submit, upload, write
from tests.support.servers import free_port

IDEAS = "mc-shape-ideas"
PASSING = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
REVISIONS = PASSING | {"p1-c2": "revisions_needed", "p4-c1": "not_evident"}
COMMENT = "Say which ideas came from whom, and how you will see that it worked."


@contextmanager
def town(database_url: str, folder: Path) -> Iterator[Town]:
    """The town over a migrated, empty database, served until the end."""
    port, lms_port = free_port(), free_port()
    origin, lms = f"http://127.0.0.1:{port}", f"http://localhost:{lms_port}"
    with two_systems(database_url, folder, origin) as (here, there):
        made = Town(Site(here, origin, lms), {}, {}, {})
        _gradebook(here)
        _people(made)
        _teachers(made)
        _offices(made)
        _platforms(made, there)
        _launches_of_other_kinds(made)
        with served(port, here.app), served(lms_port, frame_page):
            yield made


def _gradebook(course: Course) -> None:
    """Let the LMS have said that it takes grades, and where."""
    with course.assembly.database.writing() as session:
        session.get_one(Context, course.context_id).ags_scopes = list(SCOPES)
        placement = session.scalars(
            select(Placement).where(Placement.resource_link_id == course.link_ids[IDEAS])
        ).one()
        column = session.scalars(select(GradeColumn).where(GradeColumn.placement_id == placement.id)).one()
        column.lineitem_url = f"{course.assembly.settings.public_url}/lineitems/1"


def _people(made: Town) -> None:
    course, rest = made.course, ("author", "operator", "everything", "nobody")
    for office in ("reviewer", "second reviewer", "trainee", "approver", "second approver", *rest):
        with course.assembly.database.writing() as session:
            row = Person(name=f"Demo {office.title()}", created_at=course.clock.now())
            session.add(row)
            session.flush()
            made.desks[office] = row.id
            for role in _roles(office):
                grant(
                    session,
                    person_id=row.id,
                    role=role,
                    organization_id=None if role == "operator" else course.issuer_id,
                    now=course.clock.now(),
                    by=None,
                )


def _roles(office: str) -> tuple[str, ...]:
    """The roles of somebody of the town."""
    named = {
        "trainee": ("reviewer",),
        "nobody": (),
        "everything": ("reviewer", "approver", "author", "operator"),
    }
    return named.get(office, (office.removeprefix("second "),))


def _teachers(made: Town) -> None:
    course = made.course
    stages = ("fresh", "writing", "ready", "waiting", "checking", "reading", "revisions", "recommended")
    for stage in (*stages, "earned", "denied", "appealing", "kept 1", "kept 2", "kept 3"):
        visitor = made.launches[stage] = course.visitor()
        assert visitor.get().status_code == 200
        if stage not in ("fresh", "writing"):
            complete(visitor, course)
        if stage not in ("fresh", "writing", "ready"):
            assert submit(visitor).status_code == 303
    _half_written(made, made.launches["writing"])
    now, looked_at = course.clock.now(), course.attempt(made.launches["checking"].person_id).public_id
    with course.assembly.database.writing() as session:
        checking.begin(session, made.actor("reviewer"), looked_at, now)
    _rated(made, "reading", {key: PASSING[key] for key in ("p1-c1", "p2-c1")})
    _rated(made, "revisions", REVISIONS, "revise")
    for stage in ("recommended", "earned", "denied", "appealing", "kept 1", "kept 2", "kept 3"):
        _rated(made, stage, PASSING, "award")
    for stage in ("earned", "kept 1", "kept 2", "kept 3"):
        _decided(made, stage, "award")
    for stage in ("denied", "appealing"):
        _decided(made, stage, "deny", "Part 2 shows the work of another class.")
    sessions = course.assembly.lti.sessions
    credential = sessions.credential_for(made.launches["appealing"].launch)
    with course.assembly.database.writing() as session:
        launch = sessions.resolve(session, made.launches["appealing"].launch, credential)
        actor = actor_for_launch(session, launch, course.clock.now())
        appealing.open_appeal(session, actor, "The samples are of my own class.", course.clock.now())
    course.assembly.make_worker().run_due()
    for stage in ("waiting", "checking", "reading", "recommended", "earned", "appealing"):
        made.places[stage] = course.attempt(made.launches[stage].person_id).public_id
    with course.assembly.database.reading() as session:
        award = select(Award.public_id).join(Pursuit).order_by(Award.id)
        made.places["badge"] = session.scalars(award).first() or ""
        item = select(EvidenceItem.public_id).where(EvidenceItem.type_group == "image")
        for name, stage in (("own_piece", "writing"), ("piece", "reading")):
            attempt = course.attempt(made.launches[stage].person_id)
            of_try = item.where(EvidenceItem.attempt_id == attempt.id)
            made.places[name] = session.scalars(of_try).first() or ""


def _half_written(made: Town, visitor: Visitor) -> None:
    """An answer that is too long, one piece, and an address of the teacher's own."""
    write(visitor, "p1", "p1-q1", " ".join(["word"] * 201))
    write(visitor, "p1", "p1-q2", "We listed ideas alone first.")
    upload(visitor, _picture(), "board.png", caption="All the notes on one board")


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 480), (233, 162, 59)).save(file, "PNG")
    return file.getvalue()


def _rated(made: Town, stage: str, ratings: Mapping[str, str], outcome: str | None = None) -> None:
    course = made.course
    actor, now = made.actor("reviewer"), course.clock.now()
    public_id = course.attempt(made.launches[stage].person_id).public_id
    database = course.assembly.database
    with database.writing() as session:
        review.start(session, actor, public_id, now)
    entries = {key: Entry(level, COMMENT) for key, level in ratings.items()}
    with database.writing() as session:
        review.save_ratings(session, actor, public_id, entries, now=now)
    if outcome:
        with database.writing() as session:
            review.finish(session, actor, public_id, outcome, now, chance=lambda: 0.999)


def _decided(made: Town, stage: str, kind: str, reason: str = "") -> None:
    course = made.course
    public_id = course.attempt(made.launches[stage].person_id).public_id
    with course.assembly.database.writing() as session:
        decide.decide(
            session,
            made.actor("approver"),
            public_id,
            kind,
            reason=reason,
            badge_url=made.site.origin,
            now=course.clock.now(),
        )


def _offices(made: Town) -> None:
    """Practice with its anchors, a teacher's request, and a draft of a credential."""
    course, database, now = made.course, made.course.assembly.database, made.course.clock.now()
    for stage in ("kept 1", "kept 2", "kept 3"):
        public_id = course.attempt(made.launches[stage].person_id).public_id
        with database.writing() as session:
            anchors.mark(
                session,
                made.actor("approver"),
                public_id,
                PASSING,
                {"p1-c1": "They count before and after."},
                teacher_agreed=True,
                now=now,
            )
    for who in ("second reviewer", "trainee"):
        with database.writing() as session:
            made.places[who.replace(" ", "_")] = calibrating.begin(
                session, made.actor(who), IDEAS, now, lambda: 0.5
            )
    _practised(made, "second reviewer", made.places["second_reviewer"])
    with database.writing() as session:
        pursuit = session.scalars(
            select(Pursuit).where(Pursuit.person_id == made.launches["revisions"].person_id)
        ).one()
        session.add(
            TeacherRequest(
                pursuit_id=pursuit.id,
                issuer_id=course.issuer_id,
                kind="coaching",
                message="May somebody go through Part 4 with me?",
                asked_at=now,
            )
        )
        published = session.scalars(
            select(CredentialVersion.public_id).where(
                CredentialVersion.title == course.definition().document.title
            )
        ).one()
    with database.writing() as session:
        made.places["draft"] = authoring.begin_version(
            session, made.actor("author"), public_id=published, now=now
        )


def _practised(made: Town, who: str, round_id: str) -> None:
    finished = False
    while not finished:
        with made.course.assembly.database.writing() as session:
            sheet = calibrating.sheet(session, made.actor(who), round_id)
            finished = calibrating.rate(
                session, made.actor(who), round_id, sheet.anchor_id, PASSING, made.course.clock.now()
            )


def _platforms(made: Town, there: Course) -> None:
    """What an operator sees: a deployment to let in, a platform that waits, deliveries that stopped."""
    course, now = made.course, made.course.clock.now()
    made.launches["earned"].post("privacy/erase", {"badges": "keep"})
    with course.assembly.database.writing() as session:
        registration = session.get_one(Registration, course.registration_id)
        registration.service_hosts = ["api.lms.demo-district.invalid"]
        made.places["platform"] = registration.public_id
        session.add(
            Deployment(
                registration_id=registration.id,
                deployment_id="8865:4dde05e8ca1973bcca9bffc13e1548820eee93a3",
                state="noted",
                created_at=now,
            )
        )
        session.get_one(Registration, there.registration_id).state = "pending"
        made.places["issuer"] = session.get_one(Organization, course.issuer_id).public_id
        made.places["person"] = session.get_one(Person, made.launches["earned"].person_id).public_id
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "score").order_by(OutboxRow.id))
        ends = (
            ("delivered", None),
            ("blocked", "course_closed"),
            ("dead", "timeout"),
            ("waiting", "http_503"),
        )
        for row, (state, reason) in zip(rows, ends, strict=False):
            row.state, row.reason, row.attempts, row.last_tried_at = state, reason, 1, now
            row.finished_at = None if state == "waiting" else now
            row.last_answer = {"status": 403, "body": "The course has ended. " * 10}
        name = grade_passback.destination_of(there.registration_id)
        outbox.stop_destination(session, name)
        trouble = session.get(OutboxDestination, grade_passback.destination_of(course.registration_id))
        if trouble is not None:
            trouble.failures, trouble.failing_since, trouble.pause_reason = 6, now, "not_answering"


def _launches_of_other_kinds(made: Town) -> None:
    course = made.course
    staff = course.person("Demo Coordinator")
    for who in ("coordinator", "picker", "gradebook"):
        made.launches[who] = course.visitor(staff, rights=INSTRUCTOR)
    made.launches["privacy"] = course.visitor(rights=("read",))
    earned = made.launches["earned"].person_id
    _launch_is(
        made,
        "picker",
        message_type="LtiDeepLinkingRequest",
        resource_link_id=None,
        deep_linking={
            "deep_link_return_url": f"{made.site.lms}/return",
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe"],
            "accept_multiple": True,
        },
    )
    _launch_is(made, "gradebook", message_type="LtiSubmissionReviewRequest", for_user_sub=f"sub-{earned}")
    _launch_is(
        made, "privacy", message_type="DataPrivacyLaunchRequest", context_id=None, resource_link_id=None
    )
    with course.assembly.database.writing() as session:
        made.places["invited"] = links.invite(session, made.desks["nobody"], course.clock.now())
        address = ContactAddress(
            person_id=made.launches["earned"].person_id,
            address="me@own.invalid",
            created_at=course.clock.now(),
        )
        session.add(address)
        session.flush()
        made.places["mailed"] = own_addresses.link_secret(
            course.assembly.keyring, address, course.clock.now()
        )
        holder = session.get_one(Person, made.launches["earned"].person_id)
        made.places["mail"] = mail_choice.secret(course.assembly.keyring, holder, "my_work")
    made.places["no_such_launch"] = random_id()


def _launch_is(made: Town, who: str, **values: object) -> None:
    with made.course.assembly.database.writing() as session:
        session.execute(update(Launch).where(Launch.public_id == made.launches[who].launch).values(**values))
