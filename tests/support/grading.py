"""A tool that sends grades to platforms of the tests: real database, real HTTP, a clock that is set by
hand."""

import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

import demo_lms
from demo_lms.claims import line_item_url
from grade_passback import SyncRow, enqueue, make_handler, sync_rows
from grade_passback.gradebook import Gradebook
from grade_passback.scores import Score, ScoreDraft
from grade_passback.wire import SCOPES
from lti_tool.cache import InProcessCache
from lti_tool.keys import ToolKeys
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink, ToolKey
from lti_tool.services import Services, TokenSource
from microcred.app.tables import metadata
from microcred.credentials import definition_of, import_catalogue
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.database import Clock, Database
from microcred.outbox import OutboxRow, Policy, Worker
from microcred.outbox.claims import look
from microcred.outgoing import Outgoing
from microcred.people.models import LmsIdentity, Organization, Person
from microcred.placements import GradeColumn, Placement, columns_for
from microcred.sealing import Keyring
from tests.support import quick
from tests.support.catalogue import sample

SECRET = "a secret of the tests alone"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"


@cache
def _tool_key() -> dict[str, Any]:
    """One signing key for all tests: making one takes a while."""
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/keys.sqlite3")
        metadata.create_all(database.engine)
        ToolKeys(database, Keyring([SECRET]), SetClock()).ensure()
        with database.reading() as session:
            row = session.scalars(select(ToolKey)).one()
        database.dispose()
    names = ("kid", "public_jwk", "sealed_private_key", "created_at")
    return {name: getattr(row, name) for name in names}


def prepare(database: Database, clock: Clock) -> None:
    """The sample catalogue and a tool key."""
    with database.writing() as session:
        import_catalogue(session, sample(), now=clock.now())
        session.add(ToolKey(**_tool_key()))


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def pass_(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@dataclass
class Course:
    """A platform with one course, one link and its placement in the tool."""

    platform: demo_lms.Platform
    server: demo_lms.Server
    registration_id: int
    deployment_id: int
    context_id: int
    resource_link_id: int
    placement_id: int

    @property
    def destination(self) -> str:
        return f"registration:{self.registration_id}"

    def column(self, tag: str = "main") -> Any:
        """The platform's column with this tag (the link's own one has any)."""
        items = list(self.platform.line_items.values())
        return next((item for item in items if item.tag == tag), items[0] if items else None)

    def grade(self, sub: str, tag: str = "main") -> Any:
        """What the gradebook shows of a learner."""
        return self.column(tag).grades.get(sub)

    def scores(self) -> list[demo_lms.Request]:
        """Every score post that came, in order."""
        return self.platform.log.all("scores")


@dataclass
class Learner:
    """A teacher who launched the link."""

    course: Course
    sub: str
    person_id: int
    pursuit_id: int
    attempt_id: int


class World:
    """The tool of one test."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock()
        self.outgoing = Outgoing(["localhost", "127.0.0.1"])
        self.keyring = Keyring([SECRET])
        self.keys = ToolKeys(database, self.keyring, self.clock)
        self.callers = self.new_callers()
        self.handler = make_handler(database, self.clock, self.callers)
        self._servers: list[demo_lms.Server] = []

    def new_callers(self) -> Services:
        """Service calls with an empty token cache."""
        return Services(
            self.outgoing,
            TokenSource(self.outgoing, self.keys, self.keyring, InProcessCache(self.clock), self.clock),
        )

    def close(self) -> None:
        for server in self._servers:
            server.close()
        self.outgoing.close()

    def worker(self, **more: Any) -> Worker:
        """A worker that delivers scores."""
        return Worker(
            self.database,
            more.pop("clock", self.clock),
            policy=more.pop("policy", Policy()),
            handlers={"score": more.pop("handler", self.handler)},
            rng=random.Random(7),
            **more,
        )

    def deliver(self) -> int:
        """Send what is due now."""
        return self.worker().run_due()

    def deliver_for(self, **span: float) -> None:
        """Let time pass, sending whenever something is due."""
        worker, end = self.worker(), self.clock.now() + timedelta(**span)
        while self.clock.now() < end:
            worker.run_due()
            self.clock.time = min(end, max(self._next_due(end), self.clock.now() + timedelta(seconds=1)))
        worker.run_due()

    def _next_due(self, end: datetime) -> datetime:
        with self.database.reading() as session:
            return min((at for view in look(session) if (at := view.opens_at()) is not None), default=end)

    # -- platforms and people ------------------------------------------------------------------

    def course(
        self,
        *,
        lms: str = "other",
        scheme: str = "hundred",
        column: bool = True,
        scopes: tuple[str, ...] = SCOPES,
        lineitems: bool = True,
        credential: str = "mc-shape-ideas",
        denied_as: str = "blank",
        platform: demo_lms.Platform | None = None,
    ) -> Course:
        """A platform that serves, a course with one link, and the placement; `column` False: the link has
        none."""
        made = platform or demo_lms.Platform(clock=self.clock.now)
        made.add_tool(
            "tool-a",
            "http://127.0.0.1:9/lti/login",
            ["http://127.0.0.1:9/lti/launch"],
            jwks=self.keys.jwks(),
            scopes=list(scopes),
        )
        made.add_course("c-1", "Active Classrooms")
        server = demo_lms.serve(made, "127.0.0.1")
        self._servers.append(server)
        base = made.base_url
        with self.database.writing() as session:
            now = self.clock.now()
            organization = session.scalars(select(Organization).order_by(Organization.id)).first()
            assert organization is not None
            version = session.scalars(
                select(CredentialVersion).join(Credential).where(Credential.key == credential)
            ).one()
            registration = Registration(
                name="Demo LMS",
                lms=lms,
                state="approved",
                organization_id=organization.id,
                issuer=base,
                client_id="tool-a",
                auth_url=made.auth_url,
                token_url=made.token_url,
                jwks_url=f"{base}/jwks",
                created_at=now,
            )
            session.add(registration)
            session.flush()
            deployment = Deployment(
                registration_id=registration.id,
                deployment_id="1",
                state="approved",
                organization_id=organization.id,
                created_at=now,
            )
            session.add(deployment)
            session.flush()
            context = Context(
                deployment_id=deployment.id,
                context_id="c-1",
                lineitems_url=made.service_url("lineitems", made.tools["tool-a"], made.courses["c-1"])
                if lineitems
                else None,
                ags_scopes=list(scopes) if lineitems or column else [],
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
                organization_id=organization.id,
                version_id=version.id,
                resource_link_id=link.id,
                grade_scheme=scheme,
                denied_as=denied_as,
                created_at=now,
            )
            session.add(placement)
            session.flush()
            columns = columns_for(definition_of(session, version), scheme)
            for plan in columns:
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
            if column:
                made.add_link(
                    "c-1",
                    "Shape ideas",
                    link_id="rl-1",
                    score_maximum=columns[0].score_maximum,
                    resource_id=placement.public_id,
                    tag=columns[0].tag,
                )
            else:
                made.add_link("c-1", "Shape ideas", link_id="rl-1")
            return Course(made, server, registration.id, deployment.id, context.id, link.id, placement.id)

    def learner(
        self,
        course: Course,
        sub: str,
        *,
        lineitem_url: str | None = "",
        enrolled: bool = True,
        test: bool = False,
    ) -> Learner:
        """A teacher who launched; their launch named the link's own column, unless `lineitem_url` says
        otherwise."""
        course.platform.add_person(sub, f"Demo {sub}")
        if enrolled:
            course.platform.enrol("c-1", sub)
        if lineitem_url == "":
            own = [item for item in course.platform.line_items.values() if item.resource_link_id == "rl-1"]
            lineitem_url = line_item_url(course.platform, own[0]) if own else None
        with self.database.writing() as session:
            now = self.clock.now()
            person = Person(name=f"Demo {sub}", created_at=now)
            session.add(person)
            session.flush()
            identity = LmsIdentity(
                registration_id=course.registration_id,
                sub=course.platform.user_id(sub, "c-1"),
                person_id=person.id,
                is_test_user=test,
                created_at=now,
            )
            session.add(identity)
            session.flush()
            session.add(
                Launch(
                    state_id=secrets.token_hex(16),
                    registration_id=course.registration_id,
                    deployment_id=course.deployment_id,
                    identity_id=identity.id,
                    person_id=person.id,
                    context_id=course.context_id,
                    resource_link_id=course.resource_link_id,
                    message_type="LtiResourceLinkRequest",
                    rights=["place", "read", "submit"],
                    lineitem_url=lineitem_url,
                    bound_by="cookie",
                    created_at=now,
                    last_seen_at=now,
                )
            )
            placement = session.get_one(Placement, course.placement_id)
            pursuit = Pursuit(
                person_id=person.id,
                placement_id=placement.id,
                version_id=placement.version_id,
                alias=f"Heron {sub}",
                created_at=now,
            )
            session.add(pursuit)
            session.flush()
            attempt = Attempt(pursuit_id=pursuit.id, number=1, state="draft", created_at=now)
            session.add(attempt)
            session.flush()
            return Learner(course, sub, person.id, pursuit.id, attempt.id)

    # -- decisions -----------------------------------------------------------------------------

    def moment(
        self, learner: Learner, moment: str, ratings: dict[str, str] | None = None, **more: Any
    ) -> list[int]:
        """A moment of the workflow, as the operations tell it; the ids of the rows made."""
        with self.database.writing() as session:
            placement = session.get_one(Placement, learner.course.placement_id)
            version = session.get_one(CredentialVersion, placement.version_id)
            rows = enqueue(
                session,
                placement=placement,
                pursuit=session.get_one(Pursuit, learner.pursuit_id),
                attempt=session.get_one(Attempt, learner.attempt_id),
                definition=definition_of(session, version),
                moment=moment,
                ratings=ratings if ratings is not None else self.ratings(learner, "best"),
                now=self.clock.now(),
                **more,
            )
            return [row.id for row in rows]

    def hand_in(self, learner: Learner) -> list[int]:
        """A try handed in now, and what the gradebook is told of it."""
        with self.database.writing() as session:
            session.get_one(Attempt, learner.attempt_id).submitted_at = self.clock.now()
        return self.moment(learner, "submitted", {})

    def next_try(self, learner: Learner) -> None:
        """Changes were asked for: the learner has another try open."""
        with self.database.writing() as session:
            before = session.get_one(Attempt, learner.attempt_id)
            before.state, before.submitted_at = "revisions_requested", before.submitted_at or self.clock.now()
            session.flush()
            fresh = Attempt(
                pursuit_id=learner.pursuit_id,
                number=before.number + 1,
                state="draft",
                created_at=self.clock.now(),
            )
            session.add(fresh)
            session.flush()
            learner.attempt_id = fresh.id

    def ratings(self, learner: Learner, which: str) -> dict[str, str]:
        """A level for every criterion: `best`, or `worst`."""
        with self.database.reading() as session:
            placement = session.get_one(Placement, learner.course.placement_id)
            definition = definition_of(session, session.get_one(CredentialVersion, placement.version_id))
            index = 0 if which == "best" else -1
            return {c.id: definition.levels(c)[index][0].key for _, c in definition.criteria()}

    def score(
        self,
        learner: Learner,
        given: float,
        maximum: float = 100,
        comment: str | None = "Earned.",
        tag: str = "main",
    ) -> int | None:
        """A final score of any number; the id of the row, None where nothing new was to be sent."""
        with self.database.writing() as session:
            placement = session.get_one(Placement, learner.course.placement_id)
            gradebook = Gradebook.of(session, placement, learner.person_id, self.clock.now())
            assert gradebook is not None
            draft = ScoreDraft(tag, "Completed", "FullyGraded", Score(given, maximum), comment)
            row = gradebook.write(draft, "awarded")
            return row.id if row is not None else None

    # -- looking -------------------------------------------------------------------------------

    def row(self, row_id: int | None) -> OutboxRow:
        with self.database.reading() as session:
            row = session.get_one(OutboxRow, row_id)
            session.expunge(row)
            return row

    def rows(self) -> list[OutboxRow]:
        with self.database.reading() as session:
            rows = list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
            for row in rows:
                session.expunge(row)
            return rows

    def states(self) -> list[str]:
        return [row.state for row in self.rows()]

    def sync(self, learner: Learner) -> SyncRow:
        """What the coordinator sees of a learner's first column."""
        with self.database.reading() as session:
            return sync_rows(session, learner.course.placement_id, [learner.person_id])[learner.person_id][0]


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    """A worker at work in a thread; its errors are the test's."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            worker.run_until_stopped()
        except BaseException as error:  # noqa: BLE001 - the test raises it
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()
    assert not errors, errors


@contextmanager
def world_on(url: str) -> Iterator[World]:
    """A tool on a migrated, empty database."""
    database = Database(url)
    quick.kept(database, "grading", partial(prepare, database, SetClock()))
    world = World(database)
    try:
        yield world
    finally:
        world.close()
        database.dispose()
