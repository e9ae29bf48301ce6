"""The set-up page of an operator: what to copy per LMS, what it asks, and a registration that opens."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lti_tool.dialects.setting_up import to_copy
from lti_tool.dialects.sites import SITES
from lti_tool.models import Deployment, Invitation, Registration
from microcred.people.models import AuditEvent, Organization
from tests.functional.people.places import Desk, officer, two_systems
from tests.functional.web.course import Course


@pytest.fixture
def system(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Course]:
    with two_systems(migrated_sqlite_url, tmp_path) as both:
        yield both[0]


@pytest.fixture
def operator(system: Course) -> Desk:
    return officer(system, "operator", "Olga Operator")


def code_of(system: Course) -> str:
    with system.assembly.database.reading() as session:
        row = session.get_one(Registration, system.registration_id)
        return str(session.get_one(Organization, row.organization_id).code)


def newest(system: Course) -> Registration:
    with system.assembly.database.reading() as session:
        return session.query(Registration).order_by(Registration.id.desc()).first()  # type: ignore[return-value]


@pytest.mark.parametrize("lms", sorted(SITES))
def test_each_lms_has_exactly_the_values_to_copy(system: Course, operator: Desk, lms: str) -> None:
    page = html.unescape(operator.get(f"platforms/set-up/{lms}").text)
    for label, value in to_copy(lms, system.assembly.lti.settings).items():
        assert f"<dt>{label}</dt>" in page
        assert (value if isinstance(value, str) else ", ".join(value)) in page
    asked = set(re.findall(r'<input class="form-control" id="(\w+)"', page))
    site = SITES[lms][0]
    wanted = {"name", "client_id", "deployment_id"}
    wanted |= {"address"} if site.asks_address else set()
    wanted |= {"issuer", "auth_url", "token_url", "jwks_url"} if site.asks_endpoints else set()
    assert asked == wanted
    assert ("Make a registration address" in page) is (lms != "schoology")


def _kind(name: str) -> tuple[str, str]:
    return f"https://canvas.{name}.instructure.com", f"https://sso.{name}.canvaslms.com/login/oauth2/token"


CANVAS, SSO = "https://canvas.instructure.com", "https://sso.canvaslms.com"
OWN_CANVAS, MOODLE = "https://canvas.example.org", "https://lms.example.org/moodle"
SCHOOLOGY = (
    "https://schoology.schoology.com",
    "https://lti-service.svc.schoology.com/lti-service/access-token",
)


@pytest.mark.parametrize(
    ("lms", "site", "more", "issuer", "token_url", "is_test"),
    [
        ("canvas", "production", {}, CANVAS, f"{SSO}/login/oauth2/token", False),
        ("canvas", "beta", {}, *_kind("beta"), True),
        ("canvas", "test", {}, *_kind("test"), True),
        ("canvas", "own", {"address": f"{OWN_CANVAS}/"}, CANVAS, f"{OWN_CANVAS}/login/oauth2/token", False),
        ("moodle", "own", {"address": MOODLE}, MOODLE, f"{MOODLE}/mod/lti/token.php", False),
        ("schoology", "production", {}, *SCHOOLOGY, False),
    ],
)
def test_what_was_written_down_makes_a_registration(
    system: Course,
    operator: Desk,
    lms: str,
    site: str,
    more: dict[str, str],
    issuer: str,
    token_url: str,
    is_test: bool,
) -> None:
    operator.get(f"platforms/set-up/{lms}?site={site}")
    form = {"site": site, "client_id": "c-1", "deployment_id": "d-1", "organization": code_of(system)}
    answer = operator.post(f"platforms/set-up/{lms}", form | more)
    assert answer.status_code == 303
    row = newest(system)
    assert (row.lms, row.issuer, row.token_url, row.is_test_site) == (lms, issuer, token_url, is_test)
    assert (row.state, row.client_id) == ("approved", "c-1")
    assert row.public_id in answer.headers["Location"]
    with system.assembly.database.reading() as session:
        deployment = session.query(Deployment).filter_by(registration_id=row.id).one()
        assert (deployment.deployment_id, deployment.state) == ("d-1", "approved")
        assert session.query(AuditEvent).filter_by(action="platform_added").count() == 1
    again = operator.post(f"platforms/set-up/{lms}", form | more)
    assert again.status_code == 409
    assert "registered already" in again.text


def test_beta_and_test_stand_beside_production(operator: Desk) -> None:
    page = operator.get("platforms/set-up/canvas").text
    assert "Its beta site" in page
    assert "Its test site" in page
    assert "marked as test" not in page
    assert "marked as test" in operator.get("platforms/set-up/canvas?site=beta").text


@pytest.mark.parametrize(
    ("lms", "form", "says"),
    [
        ("canvas", {}, "Write the client id"),
        ("moodle", {"client_id": "c"}, "with https:// in front"),
        ("moodle", {"client_id": "c", "address": "javascript:alert(1)"}, "with https:// in front"),
        ("moodle", {"client_id": "c", "address": "http://10.0.0.1"}, ""),
        ("other", {"client_id": "c", "issuer": "https://lms.example.org"}, "all four addresses"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_kept(
    system: Course, operator: Desk, lms: str, form: dict[str, str], says: str
) -> None:
    operator.get(f"platforms/set-up/{lms}")
    before = newest(system).id
    answer = operator.post(
        f"platforms/set-up/{lms}", {"organization": code_of(system), "name": "Our <b>LMS</b>"} | form
    )
    assert answer.status_code == 409
    assert says in answer.text
    assert "Our &lt;b&gt;LMS&lt;/b&gt;" in answer.text
    assert newest(system).id == before


def test_an_invitation_is_shown_once(system: Course, operator: Desk) -> None:
    operator.get("platforms/set-up/moodle")
    form = {"organization": code_of(system)}
    answer = operator.post("platforms/set-up/moodle/invite", form)
    (address,) = set(
        re.findall(r"https?://[^\s\"<]+/lti/register\?invitation=[\w-]+", html.unescape(answer.text))
    )
    assert "paste the address into Tool URL" in answer.text
    assert "press Activate on the new tool" in answer.text
    assert address not in operator.get("platforms/set-up/moodle").text
    with system.assembly.database.reading() as session:
        assert session.query(Invitation).one().lms == "moodle"
    assert operator.post("platforms/set-up/schoology/invite", form).status_code == 409
    assert operator.post("platforms/set-up/moodle/invite", {"organization": "no-such"}).status_code == 404


def test_only_operators_set_up(system: Course) -> None:
    reviewer = officer(system, "reviewer", "Remy Reviewer")
    for path in ("platforms/set-up", "platforms/set-up/canvas"):
        assert reviewer.get(path).status_code == 403
    reviewer.get("")
    assert reviewer.post("platforms/set-up/canvas", {"client_id": "x"}).status_code == 403
    assert reviewer.post("platforms/set-up/canvas/invite", {}).status_code == 403


def test_an_lms_that_does_not_exist(operator: Desk) -> None:
    assert operator.get("platforms/set-up/hal").status_code == 404
