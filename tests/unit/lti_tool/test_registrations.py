"""What an operator may say about platforms, and what it does."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool import registrations
from lti_tool.facts import RegistrationFacts
from lti_tool.models import Registration
from lti_tool.registrations import NewRegistration, RegistrationProblem
from microcred.database import Database, SystemClock
from microcred.outgoing import OutgoingError
from microcred.people.models import Organization

NEW = NewRegistration(
    name="District LMS",
    lms="canvas",
    issuer="https://lms.test",
    client_id="c-1",
    auth_url="https://sso.lms.test/auth",
    token_url="https://lms.test/token",
    jwks_url="https://lms.test/jwks",
    deployment_ids=("1", "2", "1"),
)
CLOCK = SystemClock()


@pytest.fixture
def database(migrated_database_url: str) -> Iterator[Database]:
    made = Database(migrated_database_url)
    with made.writing() as session:
        session.add(Organization(code="home", name="Home", kind="district", created_at=CLOCK.now()))
    yield made
    made.dispose()


def add(database: Database, new: NewRegistration, **options: object) -> RegistrationFacts:
    with database.writing() as session:
        organization_id = session.scalars(select(Organization.id)).one()
        row = registrations.add(session, new, organization_id=organization_id, clock=CLOCK, **options)  # type: ignore[arg-type]
        return RegistrationFacts.of(row)


def rows(database: Database) -> list[Registration]:
    with database.reading() as session:
        return registrations.list_all(session)


def test_a_registration_is_approved_at_once_with_its_deployments(database: Database) -> None:
    facts = add(database, NEW)

    assert facts.is_approved
    with database.reading() as session:
        found = registrations.deployments(session, facts.public_id)
    assert [(row.deployment_id, row.state) for row in found] == [("1", "approved"), ("2", "approved")]


def test_the_same_issuer_and_client_id_are_refused_and_change_nothing(database: Database) -> None:
    add(database, NEW)

    with pytest.raises(RegistrationProblem) as problem:
        add(database, replace(NEW, name="Again"))
    assert problem.value.code == "registration_exists"
    assert [row.name for row in rows(database)] == ["District LMS"]


def test_a_separate_site_makes_both_answer_at_their_own_urls_only(database: Database) -> None:
    add(database, NEW)
    add(database, replace(NEW, name="Other site", separate_site=True))

    assert [row.separate_site for row in rows(database)] == [True, True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"jwks_url": "http://lms.test/jwks"}, "url_not_allowed"),
        ({"token_url": "file:///etc/passwd"}, "url_not_allowed"),
        ({"issuer": "lms.test"}, "url_not_allowed"),
        ({"issuer": ""}, "invalid"),
        ({"client_id": " "}, "invalid"),
        ({"client_id": "x" * 256}, "invalid"),
        ({"lms": "blackboard"}, "invalid"),
        ({"deployment_ids": ("",)}, "invalid"),
        ({"service_hosts": ("*",)}, "url_not_allowed"),
        ({"service_hosts": ("*.test",)}, "url_not_allowed"),
        ({"service_hosts": ("https://x.test",)}, "url_not_allowed"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(database: Database, change: dict[str, object], code: str) -> None:
    with pytest.raises(RegistrationProblem) as problem:
        add(database, replace(NEW, **change))  # type: ignore[arg-type]
    assert problem.value.code == code
    assert rows(database) == []


def test_plain_http_is_for_exempt_hosts(database: Database) -> None:
    local = replace(NEW, jwks_url="http://localhost:9000/jwks", service_hosts=("api.lms.test:8443",))

    assert add(database, local, allow_hosts=["localhost"]).jwks_url == local.jwks_url


def test_a_pending_registration_blocks_nobody_and_waits_for_its_turn(database: Database) -> None:
    pending = add(database, NEW, state="pending")
    add(database, NEW)

    with pytest.raises(RegistrationProblem), database.writing() as session:
        registrations.approve(session, pending.public_id)


def test_states_and_deployments_are_decided(database: Database) -> None:
    facts = add(database, NEW)
    with database.writing() as session:
        registrations.disable(session, facts.public_id)
        assert registrations.note_deployment(session, facts.row_id, "3", CLOCK)
        assert registrations.approve_deployment(
            session, facts.public_id, "3", organization_id=None, clock=CLOCK
        ).organization_id
        assert registrations.disable_deployment(session, facts.public_id, "1").state == "disabled"
        registrations.allow_service_host(session, facts.public_id, "Files.lms.test")
    assert rows(database)[0].state == "disabled"
    assert rows(database)[0].service_hosts == ["files.lms.test"]
    with database.writing() as session:
        assert registrations.enable(session, facts.public_id).state == "approved"


def test_noted_deployments_are_capped(database: Database) -> None:
    facts = add(database, NEW)
    with database.writing() as session:
        noted = [registrations.note_deployment(session, facts.row_id, f"n-{i}", CLOCK) for i in range(105)]
    assert noted.count(True) == registrations.NOTED_AT_MOST


def test_service_urls_stay_on_the_registrations_hosts(database: Database) -> None:
    facts = add(database, replace(NEW, service_hosts=("files.lms.test",)))

    assert facts.service_url("http://lms.test/api?x=1") == "https://lms.test/api?x=1"
    for url in ("https://x.instructure.com/a", "https://files.lms.test/a", "https://sso.lms.test/a"):
        assert facts.service_url(url) == url
    for url in (
        "https://evil.test/",
        "http://evil.test/",
        "https://lms.test:8080/",
        "https://instructure.com.evil.test/",
    ):
        with pytest.raises(OutgoingError):
            facts.service_url(url)
    assert facts.frame_origins() == (
        "https://lms.test",
        "https://sso.lms.test",
        "https://files.lms.test",
        "https://*.instructure.com",
    )
