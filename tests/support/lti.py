"""The tool's LTI surface beside independent platforms: A with two deployments, and B."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

import demo_lms
from demo_lms import ABSENT, CLAIMS, LoginInitiation, Platform, SigningKey, TokenForm
from demo_lms.keys import b64url
from lti_tool import registrations
from lti_tool.facts import RegistrationFacts
from lti_tool.http import create_blueprint
from lti_tool.models import Context, Launch, Registration, ResourceLink
from lti_tool.sessions import COOKIE, HEADER, SessionEnded
from lti_tool.settings import LtiSettings
from lti_tool.tool import LtiTool
from microcred.database import Database
from microcred.outgoing import Outgoing
from microcred.people.models import LmsIdentity, Organization, Person
from microcred.sealing import Keyring

TOOL = "https://tool.test"
LAUNCH = f"{TOOL}/lti/launch"
FRAME = {"Sec-Fetch-Dest": "iframe", "User-Agent": "Mozilla/5.0 (test)"}
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
_KEYS: dict[str, SigningKey] = {}
_TEMPLATE: dict[str, bytes] = {}


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_(self, **delta: float) -> None:
        self.time += timedelta(**delta)


@dataclass
class Site:
    """One registration: the platform's side and ours."""

    platform: Platform
    server: demo_lms.Server
    client_id: str
    facts: RegistrationFacts

    @property
    def login_path(self) -> str:
        return f"/lti/login/{self.facts.public_id}"


@dataclass
class World:
    """The tool under test and the platforms around it."""

    tool: LtiTool
    app: Flask
    clock: SetClock
    database: Database
    sites: dict[str, Site] = field(default_factory=dict)
    _servers: ExitStack = field(default_factory=ExitStack)

    @property
    def a(self) -> Site:
        return self.sites["a"]

    @property
    def b(self) -> Site:
        """The other platform, started by the first who asks."""
        if "b" not in self.sites:
            self.add_site("b", "https://platform-b.test", "tool-b", "dep-b")
        return self.sites["b"]

    def browser(self) -> "Browser":
        """A browser of its own."""
        return Browser(self, self.app.test_client())

    def add_site(self, name: str, issuer: str, client_id: str, *deployments: str, **options: Any) -> Site:
        """A registered platform: one course, two learners, an instructor, a graded link."""
        platform = Platform(issuer, keys=[signing_key(f"{name}-1")], clock=self.clock.now)
        platform.add_tool(
            client_id,
            f"{TOOL}/lti/login",
            [LAUNCH],
            deep_link_url=f"{TOOL}/lti/deep-link",
            launch_url=LAUNCH,
            deployment_id=deployments[0],
            jwks={"keys": []},
        )
        for person, role in (("u-1", "Learner"), ("u-2", "Learner"), ("dana", "Instructor")):
            platform.add_person(person, f"{person} Demo-Teacher", email=f"{person}@demo.invalid")
            if role == "Learner":
                platform.add_course(
                    "c-1", "Active Classrooms", label="AC"
                ) if "c-1" not in platform.courses else None
            platform.enrol("c-1", person, role)
        platform.add_link(
            "c-1", "Idea Shaper", link_id="rl-1", score_maximum=100, custom={"placement": "p-1"}
        )
        server = self._servers.enter_context(demo_lms.serve(platform))
        return self.register(name, platform, server, client_id, *deployments, **options)

    def register(
        self,
        name: str,
        platform: Platform,
        server: demo_lms.Server,
        client_id: str,
        *deployments: str,
        **options: Any,
    ) -> Site:
        """Register a running platform with the tool."""
        new = registrations.NewRegistration(
            name=name,
            lms="other",
            issuer=platform.issuer,
            client_id=client_id,
            auth_url=options.pop("auth_url", f"{platform.issuer}/auth"),
            token_url=f"{server.url}/token",
            jwks_url=f"{server.url}/jwks",
            deployment_ids=deployments,
            **options,
        )
        with self.database.writing() as session:
            organization_id = session.scalars(select(Organization.id)).first()
            assert organization_id is not None
            row = registrations.add(
                session,
                new,
                organization_id=organization_id,
                clock=self.clock,
                allow_hosts=self.tool.settings.allow_hosts,
            )
            facts = RegistrationFacts.of(row)
        self.sites[name] = Site(platform, server, client_id, facts)
        return self.sites[name]

    def counts(self) -> dict[str, int]:
        """Rows by table: what a refusal must leave as it was."""
        tables = (Person, LmsIdentity, Context, ResourceLink, Launch)
        with self.database.reading() as session:
            return {t.__tablename__: session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}

    def deployments(self, name: str = "a") -> dict[str, str]:
        """State by deployment id."""
        with self.database.reading() as session:
            rows = registrations.deployments(session, self.sites[name].facts.public_id)
            return {row.deployment_id: row.state for row in rows}

    def launches(self) -> list[Launch]:
        """Accepted launches, oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(Launch).order_by(Launch.id)))

    def people(self) -> list[Person]:
        """Everybody, oldest first."""
        with self.database.reading() as session:
            return list(session.scalars(select(Person).order_by(Person.id)))

    def set_state(self, name: str, state: str) -> None:
        """Decide about a registration."""
        with self.database.writing() as session:
            row = session.get_one(Registration, self.sites[name].facts.row_id)
            row.state = state


@dataclass
class Browser:
    """One person's browser: cookies are kept between requests."""

    world: World
    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=TOOL, headers=headers)

    def start(
        self, start: LoginInitiation, *, path: str = "/lti/login", method: str = "POST", **changes: str | None
    ) -> TestResponse:
        """Send a login initiation; a change of None leaves that parameter out."""
        fields = {**start.fields, **changes}
        given = {name: value for name, value in fields.items() if value is not None}
        if method == "GET":
            return self.client.get(path, base_url=TOOL, query_string=given)
        return self.client.post(path, base_url=TOOL, data=given)

    def post(self, fields: Mapping[str, str], path: str = "/lti/launch") -> TestResponse:
        """Bring an authentication response."""
        return self.client.post(path, base_url=TOOL, data=dict(fields))

    def authorize(self, site: Site, login: TestResponse) -> dict[str, str]:
        """The fields that the platform lets the browser post, for a login that was answered by a redirect."""
        assert login.status_code == 302, (login.status_code, login.headers.get("X-LTI-Error"))
        form = site.platform.authorize(login.headers["Location"])
        assert isinstance(form, demo_lms.FormPost), form
        return form.fields

    def open(self, site: Site, start: LoginInitiation) -> TestResponse:
        """Login and launch."""
        login = self.start(start, client_id=site.client_id)
        return self.post(self.authorize(site, login))

    def launch(
        self,
        site: Site | None = None,
        person: str = "u-1",
        link: str = "rl-1",
        *,
        token: TokenForm | None = None,
        claims: Mapping[str, object] | None = None,
        **overrides: object,
    ) -> TestResponse:
        """A whole resource link launch with the given changes to its token."""
        site = site or self.world.a
        start = site.platform.begin_launch(person, link, token=token, claims=claims, **overrides)  # type: ignore[arg-type]
        return self.open(site, start)

    def page(self, launch: TestResponse) -> dict[str, Any]:
        """What the page of an accepted launch says about its session."""
        answer = self.client.get(urlsplit(launch.headers["Location"]).path, base_url=TOOL)
        assert answer.status_code == 200, answer.status_code
        found: dict[str, Any] = answer.get_json()
        return found


def signing_key(kid: str) -> SigningKey:
    """A platform key, made once for the whole run: making one takes longer than a test."""
    if kid not in _KEYS:
        _KEYS[kid] = SigningKey.generate(kid)
    return _KEYS[kid]


def rewritten(old: bytes, new: bytes, kid: str = "a-1") -> TokenForm:
    """A genuine token whose payload text is changed before it is signed: what no JSON writer writes."""

    def edit(token: str) -> str:
        head, payload, _ = token.split(".")
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        assert old in text
        signed = f"{head}.{b64url(text.replace(old, new))}"
        return f"{signed}.{b64url(signing_key(kid).sign(signed.encode()))}"

    return TokenForm(edit=edit)


def is_accepted(answer: TestResponse) -> bool:
    """303 to the launch's own pages, with its cookie."""
    location = answer.headers.get("Location", "")
    cookies = answer.headers.getlist("Set-Cookie")
    return (
        answer.status_code == 303
        and location.startswith(f"{TOOL}/app/")
        and any(c.startswith(f"{COOKIE}=") for c in cookies)
    )


def assert_refused(answer: TestResponse, code: str, *statuses: int) -> None:
    """An HTML page in the frame with the code, and no redirect."""
    assert answer.headers.get("X-LTI-Error") == code, (answer.status_code, answer.headers.get("X-LTI-Error"))
    assert 400 <= answer.status_code < 500 or answer.status_code == 503
    assert answer.status_code in (statuses or (answer.status_code,))
    assert answer.mimetype == "text/html"
    assert "Location" not in answer.headers
    assert f'data-lti-error="{code}"' in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert not any(cookie.startswith(COOKIE) for cookie in answer.headers.getlist("Set-Cookie"))
    if answer.status_code in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0


def query_of(answer: TestResponse) -> dict[str, str]:
    """The parameters of a redirect's target."""
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query, keep_blank_values=True))


@contextmanager
def lti_world(
    database_url: str,
    *,
    make_database: Callable[[str], Database] = Database,
    settings: Mapping[str, Any] | None = None,
    cache: Any = None,
    outgoing: Outgoing | None = None,
) -> Iterator[World]:
    """The tool on this migrated, empty database, with the sites a, a2 (same issuer) and b."""
    clock = SetClock()
    database = make_database(database_url)
    with database.writing() as session:
        session.add(Organization(code="home", name="Home", kind="district", created_at=clock.now()))
    allow = ("localhost", "127.0.0.1")
    tool = LtiTool(
        database=database,
        keyring=Keyring(["a secret of the tests, long enough"]),
        clock=clock,
        outgoing=outgoing or Outgoing(allow),
        settings=LtiSettings(
            **{
                "public_url": TOOL,
                "allow_hosts": allow,
                "rate_login": 0,
                "rate_failed_launch": 0,
                **(settings or {}),
            }
        ),
        cache=cache,
    )
    app = Flask(__name__)
    app.register_blueprint(create_blueprint(tool))
    app.add_url_rule("/app/<launch_id>/", view_func=_page(tool), methods=["GET"])
    world = World(tool, app, clock, database)
    try:
        with world._servers:
            world.add_site("a", "https://platform-a.test", "tool-a", "dep-1", "dep-2")
            yield world
    finally:
        database.dispose()


def _page(tool: LtiTool) -> Callable[..., Response]:
    def page(launch_id: str) -> Response:
        credential = request.cookies.get(COOKIE) or request.headers.get(HEADER)
        try:
            session = tool.sessions.open(launch_id, credential)
        except SessionEnded as ended:
            return Response(ended.reason, 401)
        return jsonify(
            person_id=session.person_id,
            sub=session.sub,
            rights=sorted(session.rights),
            context=session.context_title,
            custom=dict(session.custom),
            is_test=session.is_test,
            for_user=session.for_user_sub,
        )

    return page


__all__ = ["ABSENT", "CLAIMS", "FRAME", "LAUNCH", "TOOL", "Browser", "Site", "World", "lti_world"]
