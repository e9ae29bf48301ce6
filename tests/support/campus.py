"""The whole tool in this process beside an independent LMS: people launch, and work in its real pages."""

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

import demo_lms
from demo_lms import LoginInitiation, Platform
from lti_tool import registrations
from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.credentials import definition_of
from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.database import Database
from microcred.operations import decide, review
from microcred.operations.actor import Actor, actor_for_desk
from microcred.operations.review import Entry
from microcred.people import ensure_organization, grant, organization_by_code
from microcred.people.models import LmsIdentity, Person
from microcred.placements import Placement
from tests.support import grading, quick
from tests.support.grading import SECRET, SetClock
from tests.support.lti import signing_key

TOOL = "https://tool.test"
CLIENT = "tool-a"
COURSE = "c-1"
SHAPE_IDEAS = "mc-shape-ideas"


@dataclass
class Visitor:
    """Somebody's browser in one launch. `page` is the page seen last, `token` the newest form token."""

    client: FlaskClient
    launch: str
    page: str = ""
    token: str = ""

    def get(self, path: str = "", **options: Any) -> TestResponse:
        """A page of this launch, redirects followed."""
        answer = self.client.get(
            f"/app/{self.launch}/{path}", base_url=TOOL, follow_redirects=True, **options
        )
        self.page = answer.text
        if 'name="form_token"' in self.page:
            self.token = field(self.page, "form_token")
        return answer

    def post(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> TestResponse:
        """A form of a page seen before."""
        return self.client.post(
            f"/app/{self.launch}/{path}",
            base_url=TOOL,
            data={"form_token": self.token} | dict(data or {}),
            headers={"Sec-Fetch-Site": "same-origin"},
            **options,
        )


@dataclass
class Campus:
    """The tool, the LMS, and who meets there."""

    assembly: Assembly
    app: Flask
    clock: SetClock
    platform: Platform
    server: demo_lms.Server

    def open(self, start: LoginInitiation) -> TestResponse:
        """Login and launch with a new browser; the answer to the launch."""
        return self._open(start)[1]

    def visit(self, start: LoginInitiation) -> Visitor:
        """Login, launch, and the page that opens."""
        client, answer = self._open(start)
        assert answer.status_code == 303, (answer.status_code, answer.headers.get("X-LTI-Error"))
        visitor = Visitor(client, urlsplit(answer.headers["Location"]).path.split("/")[2])
        visitor.get()
        return visitor

    def _open(self, start: LoginInitiation) -> tuple[FlaskClient, TestResponse]:
        client = self.app.test_client()
        login = client.post("/lti/login", base_url=TOOL, data=start.fields)
        assert login.status_code == 302, (login.status_code, login.headers.get("X-LTI-Error"))
        form = self.platform.authorize(login.headers["Location"])
        assert isinstance(form, demo_lms.FormPost), form
        return client, client.post("/lti/launch", base_url=TOOL, data=form.fields)

    def picker(self, person: str = "dana", course: str = COURSE, **options: Any) -> Visitor:
        """Somebody in the picker of a deep linking launch."""
        return self.visit(self.platform.begin_deep_link(person, course, **options))

    def at_link(self, person: str, link: str, **options: Any) -> Visitor:
        """Somebody in the launch of a link."""
        return self.visit(self.platform.begin_launch(person, link, **options))

    def add(
        self, key: str = SHAPE_IDEAS, scheme: str = "hundred", **options: Any
    ) -> demo_lms.DeepLinkOutcome:
        """A coordinator puts a credential into the course."""
        picker = self.picker(**options)
        answer = picker.post("choose", {"credential": self.version(key), "scheme": scheme})
        return self.deliver(answer)

    def deliver(self, answer: TestResponse) -> demo_lms.DeepLinkOutcome:
        """The browser posts the picker's answer to the LMS."""
        url, token = response_form(answer)
        return self.platform.take_deep_link_response(url, token)

    def version(self, key: str = SHAPE_IDEAS) -> str:
        """Public id of the published version of a sample credential."""
        with self.assembly.database.reading() as session:
            query = select(CredentialVersion.public_id).join(Credential)
            return session.scalars(
                query.where(Credential.key == key, CredentialVersion.state == "published")
            ).one()

    def placements(self) -> list[Placement]:
        """All placements, oldest first."""
        with self.assembly.database.reading() as session:
            return list(session.scalars(select(Placement).order_by(Placement.id)))

    def work(self) -> None:
        """Let the worker do what is due."""
        self.assembly.make_worker().run_due()

    def person_id(self, person: str) -> int:
        """Our row of somebody who has launched."""
        with self.assembly.database.reading() as session:
            return session.scalars(select(LmsIdentity.person_id).where(LmsIdentity.sub == person)).one()

    def earn(self, person: str, *, comment: str = "Shown in every sample.") -> str:
        """What somebody has begun is submitted, rated as best and awarded; the award's public id."""
        public_id, approver = self.recommended(person, comment=comment), self.officer("approver")
        with self.assembly.database.writing() as session:
            return self.award(session, approver, public_id)

    def award(self, session: Session, approver: Actor, public_id: str) -> str:
        """What was recommended is awarded, within a transaction; the award's public id."""
        badge_url, now = self.assembly.settings.effective_badge_url, self.clock.now()
        done = decide.decide(session, approver, public_id, "award", badge_url=badge_url, now=now)
        assert done.award_public_id
        return done.award_public_id

    def recommended(self, person: str, *, comment: str = "Shown in every sample.") -> str:
        """What somebody has begun is submitted, rated as best and recommended; the try's public id."""
        public_id = self.submit(person)
        database, now, reviewer = self.assembly.database, self.clock.now(), self.officer("reviewer")
        with database.writing() as session:
            review.start(session, reviewer, public_id, now)
        with database.writing() as session:
            query = select(CredentialVersion).join(Pursuit, Pursuit.version_id == CredentialVersion.id)
            taken = query.join(Attempt, Attempt.pursuit_id == Pursuit.id).where(
                Attempt.public_id == public_id
            )
            definition = definition_of(session, session.scalars(taken).one())
            best = {c.id: Entry(definition.levels(c)[0][0].key, comment) for _, c in definition.criteria()}
            review.save_ratings(session, reviewer, public_id, best, now=now)
        with database.writing() as session:
            review.finish(session, reviewer, public_id, "award", now, chance=lambda: 0.999)
        return public_id

    def submit(self, person: str) -> str:
        """What somebody has begun is submitted as it is; the try's public id."""
        with self.assembly.database.writing() as session:
            query = select(Attempt).join(Pursuit).where(Pursuit.person_id == self.person_id(person))
            attempt = session.scalars(query.order_by(Attempt.id.desc()).limit(1)).one()
            attempt.state, attempt.submitted_at = "submitted", self.clock.now()
            attempt.decision_due_at = self.clock.now() + timedelta(days=7)
            return attempt.public_id

    def officer(self, role: str) -> Actor:
        """A demo person with an office of the sample's first issuer."""
        now = self.clock.now()
        with self.assembly.database.writing() as session:
            issuer = organization_by_code(session, "iss-riverbend")
            assert issuer is not None
            name = f"Demo {role.title()}"
            person = session.scalar(select(Person).where(Person.name == name))
            if person is None:
                person = Person(name=name, created_at=now)
                session.add(person)
                session.flush()
                grant(session, person_id=person.id, role=role, organization_id=issuer.id, now=now, by=None)
            return actor_for_desk(session, person.id, now)


def field(page: str, name: str) -> str:
    """The value of the first input of this name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name} on the page: {page[:500]}"
    return html.unescape(found[1])


def response_form(answer: TestResponse) -> tuple[str, str]:
    """Where the picker's answer goes, and the message."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'<form method="post" action="([^"]*)" data-send', answer.text)
    assert found, answer.text
    return html.unescape(found[1]), field(answer.text, "JWT")


@contextmanager
def campus(
    database_url: str, folder: Path, clock: SetClock | None = None, **options: Any
) -> Iterator[Campus]:
    """A campus over a migrated, empty database. `options` are settings."""
    clock = clock or SetClock()
    values: dict[str, Any] = {
        "public_url": TOOL,
        "secret_keys": [SECRET],
        "database_url": database_url,
        "storage_url": str(folder / "files"),
        "data_dir": folder,
        "allow_hosts": ["localhost", "127.0.0.1"],
        "rate_login": 0,
        "rate_failed_launch": 0,
    }
    assembly = assemble(Settings(_env_file=None, **values | options), clock, lambda: 0.999)
    platform = Platform("https://platform-a.test", keys=[signing_key("a-1")], clock=clock.now)
    try:
        with demo_lms.serve(platform) as server:
            _furnish(assembly, platform, server)
            yield Campus(assembly, create_app(assembly), clock, platform, server)
    finally:
        assembly.close()


def _has_sample(database: Database) -> bool:
    with database.reading() as session:
        return organization_by_code(session, "iss-riverbend") is not None


def _furnish(assembly: Assembly, platform: Platform, server: demo_lms.Server) -> None:
    """The sample catalogue, a tool key, and a registered LMS with a course and people."""
    now = assembly.clock.now()
    if not _has_sample(assembly.database):
        quick.kept(
            assembly.database, ("campus", now), partial(grading.prepare, assembly.database, assembly.clock)
        )
    with assembly.database.writing() as session:
        district = ensure_organization(
            session, code="district", name="Demo District", kind="district", now=now
        )
        registrations.add(
            session,
            registrations.NewRegistration(
                name="Demo LMS",
                lms="other",
                issuer=platform.issuer,
                client_id=CLIENT,
                auth_url=f"{platform.issuer}/auth",
                token_url=f"{server.url}/token",
                jwks_url=f"{server.url}/jwks",
                deployment_ids=("dep-1",),
            ),
            organization_id=district.id,
            clock=assembly.clock,
            allow_hosts=assembly.settings.allow_hosts,
        )
    tool = assembly.settings.public_url
    platform.add_tool(
        CLIENT,
        f"{tool}/lti/login",
        [f"{tool}/lti/launch"],
        deep_link_url=f"{tool}/lti/deep-link",
        deployment_id="dep-1",
        jwks=assembly.lti.keys.jwks(),
    )
    platform.add_course(COURSE, "Active Classrooms", label="AC")
    for person, role in (("terry", "Learner"), ("amal", "Learner"), ("dana", "Instructor")):
        platform.add_person(person, f"{person.title()} Demo-Person", email=f"{person}@demo.invalid")
        platform.enrol(COURSE, person, role)
