"""After the launch: links that lead nowhere, two people in one browser, forms that are not ours."""

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

import demo_lms
from lti_tool.models import Launch
from microcred.credentials.models import EvidenceItem, Pursuit, Response
from microcred.people import ensure_organization
from microcred.placements import Placement
from tests.functional.web.work import picture
from tests.support.campus import COURSE, TOOL, Campus, Visitor, campus

TITLE = "Shape"
TEXT = {"text-p1-q1": "words of the first person", "revision-p1-q1": "0"}


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_database_url, tmp_path) as made:
        yield made


def _count(here: Campus, table: type) -> int:
    with here.assembly.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _visit(here: Campus, client: FlaskClient, person: str, link: str) -> Visitor:
    """A launch in a browser that may hold others."""
    login = client.post("/lti/login", base_url=TOOL, data=here.platform.begin_launch(person, link).fields)
    form = here.platform.authorize(login.headers["Location"])
    assert isinstance(form, demo_lms.FormPost)
    answer = client.post("/lti/launch", base_url=TOOL, data=form.fields)
    visitor = Visitor(client, urlsplit(answer.headers["Location"]).path.split("/")[2])
    visitor.get()
    visitor.get("parts/p1")
    return visitor


def _of_another_organization(here: Campus) -> str:
    """The id of a placement that belongs to somebody else."""
    here.add()
    with here.assembly.database.writing() as session:
        other = ensure_organization(
            session, code="other", name="Other", kind="district", now=here.clock.now()
        )
        placement = session.scalars(select(Placement)).one()
        placement.organization_id = other.id
        return placement.public_id


@pytest.mark.case(
    "LT-17", choice="credentials are named by a custom value; the query of a target link is not read"
)
@pytest.mark.parametrize("named", ["unknown", "of another organization", "in the address"])
def test_a_link_that_leads_nowhere_says_so(anywhere: Campus, named: str) -> None:
    here = anywhere
    foreign = _of_another_organization(here)
    custom = {"unknown": {"placement": "no-such-id"}, "of another organization": {"placement": foreign}}
    here.platform.add_link(COURSE, "Demo link", link_id="x-1", custom=custom.get(named, {}))
    if named == "in the address":
        here.platform.links["x-1"].url = f"{TOOL}/lti/launch?placement={foreign}&credential={here.version()}"

    terry = here.at_link("terry", "x-1")
    answer = terry.client.get(f"/app/{terry.launch}/", base_url=TOOL)

    assert answer.status_code == 404
    assert 'data-error="no_credential"' in answer.text
    assert TITLE not in answer.text
    assert TITLE not in here.at_link("terry", "x-1").get("parts/p1").text
    assert [_count(here, table) for table in (Pursuit, Placement)] == [0, 1]
    with here.assembly.database.reading() as session:
        assert session.scalars(select(Placement.resource_link_id)).one() is None


@pytest.mark.case(
    "ST-13",
    choice="stored as the first person's by address and cookie of the launch; session_changed is never sent",
)
def test_two_people_in_one_browser_stay_themselves(anywhere: Campus) -> None:
    here = anywhere
    here.add()
    (link,) = here.platform.links_in(COURSE)
    client = here.app.test_client()
    first = _visit(here, client, "terry", link.id)
    second = _visit(here, client, "amal", link.id)

    assert first.post("parts/p1/responses", TEXT).status_code == 303

    with here.assembly.database.reading() as session:
        launch = session.scalars(select(Launch).where(Launch.public_id == first.launch)).one()
        pursuit = select(Pursuit.id).where(Pursuit.person_id == launch.person_id)
        assert session.scalar(pursuit) is not None
    assert TEXT["text-p1-q1"] in first.get("parts/p1").text
    assert TEXT["text-p1-q1"] not in second.get("parts/p1").text
    assert _count(here, Response) == 1


def _evidence(visitor: Visitor, token: str | None) -> int:
    data = {
        "requirement": "p2-a1",
        "file": (io.BytesIO(picture()), "board.png"),
        **({} if token is None else {"form_token": token}),
    }
    answer = visitor.client.post(
        f"/app/{visitor.launch}/parts/p2/evidence",
        base_url=TOOL,
        data=data,
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    return answer.status_code


@pytest.mark.case("AP-05")
def test_a_form_without_the_launchs_own_token_stores_nothing(anywhere: Campus) -> None:
    here = anywhere
    here.add()
    (link,) = here.platform.links_in(COURSE)
    client = here.app.test_client()
    terry, amal = _visit(here, client, "terry", link.id), _visit(here, client, "amal", link.id)
    sessions = here.assembly.lti.sessions
    own, foreign = sessions.form_token(terry.launch), sessions.form_token(amal.launch)

    assert [_evidence(terry, token) for token in (None, "", "0" * 64, foreign)] == [403] * 4
    assert _count(here, EvidenceItem) == 0
    assert _evidence(terry, own) == 303
    assert _count(here, EvidenceItem) == 1


def test_a_form_of_another_site_stores_nothing(here: Campus) -> None:
    here.add()
    (link,) = here.platform.links_in(COURSE)
    terry = _visit(here, here.app.test_client(), "terry", link.id)
    token = here.assembly.lti.sessions.form_token(terry.launch)

    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
        answer = terry.client.post(
            f"/app/{terry.launch}/parts/p1/responses",
            base_url=TOOL,
            data={**TEXT, "form_token": token},
            headers=headers,
        )
        assert answer.status_code == 403
    assert _count(here, Response) == 0
