"""What an operator sees of a platform's noted hosts and missing scopes, and does about them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lti_tool import registrations
from lti_tool.models import Registration
from microcred.people.models import AuditEvent
from tests.functional.people.places import Desk, officer, two_systems
from tests.functional.web.course import Course


@pytest.fixture
def system(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Course]:
    with two_systems(migrated_sqlite_url, tmp_path) as both:
        yield both[0]


@pytest.fixture
def operator(system: Course) -> Desk:
    return officer(system, "operator", "Olga Operator")


def _registration(system: Course) -> Registration:
    with system.assembly.database.reading() as session:
        return session.get_one(Registration, system.registration_id)


def test_a_host_that_a_launch_named_is_shown_and_allowed(system: Course, operator: Desk) -> None:
    row = _registration(system)
    path = f"platforms/{row.public_id}"
    with system.assembly.database.writing() as session:
        for host, what in (("grades.example.net", "service_url"), ("portal.example.net:8443", "return_url")):
            assert registrations.note_host(session, row.id, host, what, system.clock)

    page = operator.get(path).text
    assert "Named by the LMS and not used" in page
    assert "grades.example.net" in page
    assert "For the way back to the LMS" in page
    assert operator.post(f"{path}/hosts", {"host": "grades.example.net"}).status_code == 303

    assert _registration(system).service_hosts == ["grades.example.net"]
    with system.assembly.database.reading() as session:
        left = registrations.noted_hosts(session, row.public_id)
        assert [one.host for one in left] == ["portal.example.net:8443"]
        event = session.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
        assert event is not None
        assert event.action == "platform_host_added"


def test_a_platform_is_tried_by_its_operator(system: Course, operator: Desk) -> None:
    row = _registration(system)
    operator.get(f"platforms/{row.public_id}")
    answer = operator.post(f"platforms/{row.public_id}/self-test", {})
    assert answer.status_code == 200
    assert all(f"<b>{step}</b>" in answer.text for step in ("Launch", "Key", "Token", "Score", "Roster"))
    assert operator.post("platforms/no-such/self-test", {}).status_code == 404


def test_what_the_lms_did_not_grant_is_said(system: Course, operator: Desk) -> None:
    row = _registration(system)
    assert "did not grant everything" not in operator.get(f"platforms/{row.public_id}").text
    with system.assembly.database.writing() as session:
        session.get_one(Registration, row.id).scopes = ["openid"]

    page = operator.get(f"platforms/{row.public_id}").text
    assert "did not grant everything" in page
    assert "sending grades to the gradebook" in page


def test_a_second_pending_platform_can_neither_be_opened_nor_shut_out(system: Course, operator: Desk) -> None:
    row = _registration(system)
    with system.assembly.database.writing() as session:
        new = registrations.NewRegistration(
            **{name: getattr(row, name) for name in ("issuer", "auth_url", "token_url", "jwks_url")},
            name="Demo twin",
            lms="other",
            client_id="another",
        )
        twin = registrations.add(
            session,
            new,
            organization_id=row.organization_id,
            clock=system.clock,
            allow_hosts=system.assembly.settings.allow_hosts,
            state="pending",
        )
        twin.client_id = row.client_id
        path = f"platforms/{twin.public_id}"

    for verb in ("approve", "disable"):
        answer = operator.post(f"{path}/{verb}")
        assert answer.status_code == 409
        assert "Another registration has this issuer and client id" in answer.text
