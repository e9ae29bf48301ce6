"""The district of a term: courses, teachers, the issuer's people, and the tool as it is put together."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import TypeVar

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.models import Context, ResourceLink
from microcred.app import schema
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.credentials.catalogue import sample_text
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.models import Credential, CredentialVersion
from microcred.credentials.parsing import parse
from microcred.credentials.schema import CatalogueFile
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.outbox import OutboxRow
from microcred.people.models import Organization
from microcred.placements.models import Placement
from tests.functional.review.world import StoppedClock, World, build
from tests.term import plan
from tests.term.plan import Size

T = TypeVar("T")
Life = Iterator[datetime]
"""What somebody does, as a story that stops wherever time passes, and says until when."""
_MINUTES = 5
_LAUNCH = timedelta(hours=3)
"""A page session ends when it rests so long; here everybody comes anew then."""


@dataclass(frozen=True)
class Course:
    """A credential in a course."""

    credential: str
    link_id: int
    context_id: int
    placement_id: int
    definition: Definition


@dataclass
class Term:
    """Everything that runs."""

    size: Size
    world: World
    assembly: Assembly
    courses: list[Course]
    mails: Path
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    wordless: int = 0
    """Refusals that are no sentence."""
    views: int = 0
    """Pages that a reviewer or appeal reader was given."""
    named: int = 0
    """Those of them that named somebody."""
    _actors: dict[tuple[object, ...], tuple[datetime, Actor | None]] = field(default_factory=dict)
    _lives: list[tuple[datetime, int, Life]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def now(self) -> datetime:
        """The moment."""
        return self.world.clock.now()

    def chance(self, role: str, number: int) -> Random:
        """Somebody's own luck: the same for a seed, whatever others do."""
        return Random(f"{self.size.seed} {role} {number}")

    def in_course(self, person_id: int, course: Course, *rights: str) -> Actor:
        """The person in a launch of the course; one launch serves half a day."""
        where = {"link_id": course.link_id, "context_id": course.context_id}
        key = (person_id, course.link_id, rights)
        return self._actor(key, lambda: self.world.in_course(person_id, *rights, **where))

    def at_desk(self, person_id: int) -> Actor:
        """The person at the desk, with the offices they hold."""
        return self._actor((person_id,), lambda: self.world.actor(person_id))

    def _actor(self, key: tuple[object, ...], come: Callable[[], Actor]) -> Actor:
        came, actor = self._actors.get(key, (plan.BEGIN - _LAUNCH, None))
        if actor is None or self.now - came >= _LAUNCH:
            actor = come()
            self._actors[key] = (self.now, actor)
        return actor

    def do(self, name: str, deed: Callable[[Session], T]) -> T:
        """One request: a transaction of its own, counted. Raises OperationRefused, counted too."""
        try:
            with self.world.database.writing() as session:
                given = deed(session)
        except OperationRefused as refused:
            self.wordless += not refused.message.endswith((".", ":"))
            self.refused[f"{name}: {refused.code}"] += 1
            raise
        self.done[name] += 1
        return given

    def look(self, name: str, view: Callable[[Session], T], *, blind: bool = False) -> T:
        """One page. A `blind` one is searched for names."""
        with self.world.database.reading() as session:
            given = view(session)
        self.done[name] += 1
        if blind:
            self.views += 1
            text = repr(given)
            self.named += any(secret in text for secret in SECRETS)
        return given

    def begin(self, life: Life) -> None:
        """Let somebody's story begin."""
        self._go_on(life)

    def go(self, until: datetime) -> None:
        """Let time pass: everybody does what they do, and the worker what is due."""
        worker = self.assembly.make_worker()
        due = self.now
        while True:
            soonest = min(due, self._lives[0][0]) if self._lives else due
            if soonest > until:
                break
            self.world.clock.at = max(self.now, _rounded(soonest))
            while self._lives and self._lives[0][0] <= self.now:
                self._go_on(heappop(self._lives)[2])
            due = self._first_due()
            if due <= self.now:
                worker.run_due()
                # What cannot be done now (a rest, a lease) is looked at again a little later.
                due = max(self._first_due(), self.now + timedelta(minutes=_MINUTES))
        self.world.clock.at = until

    def _go_on(self, life: Life) -> None:
        moment = next(life, None)
        if moment is not None:
            heappush(self._lives, (_rounded(max(moment, self.now)), next(self._numbers), life))

    def _first_due(self) -> datetime:
        with self.world.database.reading() as session:
            due = session.scalar(select(func.min(OutboxRow.due_at)).where(OutboxRow.state == "waiting"))
        return due or self.now + timedelta(days=1)


SECRETS = ("Teachername", "@school.example", "sub-demo", "teachername")
"""Whatever would tell a reviewer whose work it is."""


@contextmanager
def opened(size: Size, database_url: str, folder: Path) -> Iterator[Term]:
    """A term that has not begun, in an empty database."""
    clock = StoppedClock(plan.BEGIN)
    mails = folder / "mails"
    luck = Random(f"{size.seed} draws")
    settings = Settings(
        public_url="https://tool.example.org",
        database_url=database_url,
        secret_keys=["a secret for a term that is long enough"],
        storage_url=str(folder / "files"),
        data_dir=folder,
        mail_url=f"file://{mails}",
    )
    assembly = assemble(settings, clock, luck.random)
    try:
        if schema.versions(assembly.database)[0] is None:
            schema.upgrade(assembly.database)
        world = build(assembly.database, clock, _catalogue())
        _set_rules(world)
        assembly.begin_timed_work()
        yield Term(size, world, assembly, _courses(world), mails)
    finally:
        assembly.close()


@lru_cache
def _catalogue() -> CatalogueFile:
    """The sample catalogue, with one credential that counts for a month."""
    document = yaml.safe_load(sample_text())
    for each in document["micro_credentials"]:
        if each["id"] == plan.EXPIRING:
            each["validity"] = {"expires": True, "months": 1}
    return parse(yaml.safe_dump(document, allow_unicode=True))


def _set_rules(world: World) -> None:
    world.rules(calibration_months=plan.PRACTICE_MONTHS)
    with world.database.writing() as session:
        for organization in session.scalars(select(Organization)):
            organization.policies = {
                **organization.policies,
                "time_zone": plan.ZONE.key,
                "holidays": [day.isoformat() for day in plan.HOLIDAYS],
            }


def _courses(world: World) -> list[Course]:
    """Courses without a gradebook: what grades go through is what `make chaos` is for."""
    found = []
    with world.database.writing() as session:
        for key, number in plan.COURSES:
            version = session.scalars(
                select(CredentialVersion)
                .join(Credential, Credential.id == CredentialVersion.credential_id)
                .where(Credential.key == key)
            ).one()
            for each in range(1, number + 1):
                link = _link(session, world, f"{key}-{each}")
                placement = Placement(
                    context_id=link.context_id,
                    deployment_id=world.deployment_id,
                    organization_id=world.district_id,
                    version_id=version.id,
                    resource_link_id=link.id,
                    grade_scheme="hundred",
                    created_at=world.clock.now(),
                )
                session.add(placement)
                session.flush()
                definition = definition_of(session, version)
                assert link.context_id is not None
                found.append(Course(key, link.id, link.context_id, placement.id, definition))
    return found


def _link(session: Session, world: World, name: str) -> ResourceLink:
    context = Context(
        deployment_id=world.deployment_id, context_id=name, title=f"Demo {name}", created_at=world.clock.now()
    )
    session.add(context)
    session.flush()
    link = ResourceLink(
        deployment_id=world.deployment_id,
        context_id=context.id,
        resource_link_id=name,
        title=name,
        created_at=world.clock.now(),
    )
    session.add(link)
    session.flush()
    return link


def _rounded(moment: datetime) -> datetime:
    """The next five minutes: what happens within them is done together, and the worker comes after it."""
    left = moment.timestamp() % (_MINUTES * 60)
    return moment + timedelta(seconds=_MINUTES * 60 - left) if left else moment
