"""Beta and test sites of an LMS: registrations of their own, the full flow, and nothing that counts."""

from pathlib import Path

import pytest

from lti_tool import registrations
from lti_tool.models import Registration
from microcred.outbox import OutboxRow
from tests.support.campus import COURSE, TOOL, Campus


@pytest.fixture
def beta(here: Campus) -> Campus:
    """The campus's LMS, as a test site."""
    with here.assembly.database.writing() as session:
        session.query(Registration).one().is_test_site = True
    return here


def test_everything_works_and_nothing_counts(beta: Campus, tmp_path: Path) -> None:
    (link,) = beta.add().links
    page = beta.at_link("terry", link.id).page
    assert "Test site of your LMS." in page
    award = beta.earn("terry")
    beta.work()

    (column,) = beta.platform.line_items_in(COURSE)
    assert beta.platform.shown_score(column.id, "terry") == 100
    grade = beta.platform.grade(column.id, "terry")
    assert "http" not in grade.comment

    public = beta.app.test_client()
    shown = public.get(f"/badges/{award}", base_url=TOOL)
    assert "Only a trial" in shown.text
    assert "Nothing was awarded" in shown.text
    assert "Valid" not in shown.text
    for path in (f"/ob/3.0/credentials/{award}", f"/ob/2.0/assertions/{award}", f"/ob/badges/{award}.png"):
        assert public.get(path, base_url=TOOL).status_code == 404
    with beta.assembly.database.reading() as session:
        kinds = {row.kind for row in session.query(OutboxRow)}
    assert not kinds & {"badge", "mail"}
    assert not list(tmp_path.rglob("*.eml"))


def test_hours_are_on_the_record_of_production_alone(here: Campus) -> None:
    (link,) = here.add().links
    hours = {}
    for person, on_test_site in (("terry", False), ("amal", True)):
        with here.assembly.database.writing() as session:
            session.query(Registration).one().is_test_site = on_test_site
        here.at_link(person, link.id)
        here.earn(person)
        here.work()
        record = here.at_link(person, link.id).get("record").text
        hours[person] = "10 hours" in record
    assert hours == {"terry": True, "amal": False}


def test_production_is_marked_nowhere(here: Campus) -> None:
    (link,) = here.add().links
    assert "Test site" not in here.at_link("terry", link.id).page


@pytest.mark.parametrize(
    ("issuer", "is_test"),
    [
        ("https://canvas.instructure.com", False),
        ("https://canvas.beta.instructure.com", True),
        ("https://canvas.test.instructure.com", True),
    ],
)
def test_a_known_test_issuer_is_marked_whoever_registers_it(here: Campus, issuer: str, is_test: bool) -> None:
    host = issuer.removeprefix("https://")
    with here.assembly.database.writing() as session:
        organization_id = session.query(Registration).one().organization_id
        row = registrations.add(
            session,
            registrations.NewRegistration(
                name=host,
                lms="canvas",
                issuer=issuer,
                client_id="10000000000002",
                auth_url=f"{issuer}/api/lti/authorize_redirect",
                token_url=f"{issuer}/login/oauth2/token",
                jwks_url=f"{issuer}/api/lti/security/jwks",
            ),
            organization_id=organization_id,
            clock=here.clock,
        )
        assert row.is_test_site is is_test
