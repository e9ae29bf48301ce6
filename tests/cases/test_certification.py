"""The 1EdTech certification list for tools (LTI Advantage conformance guide, sections 6.1 to 6.4).

Every launch is a whole OIDC flow with the registered redirect URI, and every accepted one opens its page. The
list alone: `pytest -m certification`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from sqlalchemy import select

from demo_lms import ABSENT, FormPost, TokenForm
from demo_lms.names import CLAIMS
from grade_passback import enqueue
from lti_tool.models import Registration
from lti_tool.protocol.names import SCOPE_MEMBERS
from lti_tool.registrations import facts_by_public_id
from lti_tool.roster import MEDIA_TYPE, read_roster
from microcred.credentials import definition_of
from microcred.credentials.models import Attempt, CredentialVersion, Pursuit
from microcred.placements import Placement
from tests.support.campus import CLIENT, COURSE, TOOL, Campus, campus, response_form
from tests.support.lti import MEMBERSHIP, assert_refused

pytestmark = pytest.mark.certification
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"
UNKNOWN_ROLE = "http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Unknown"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NAMES = ("name", "given_name", "family_name")


@pytest.fixture(scope="module")
def here(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campus]:
    """A campus with one credential in its course; its launches do not get in each other's way."""
    folder = tmp_path_factory.mktemp("certification")
    shutil.copyfile(migrated_sqlite_file, folder / "microcred.sqlite3")
    with campus(f"sqlite:///{folder / 'microcred.sqlite3'}", folder) as made:
        made.add()
        yield made


def _link(here: Campus) -> str:
    return here.platform.links_in(COURSE)[0].id


# 6.1.1 known bad payloads


BAD: dict[str, tuple[TokenForm | None, dict[str, object], str, int]] = {
    "no kid in the header": (TokenForm(kid=ABSENT), {}, "kid_missing", 401),
    "incorrect kid in the header": (TokenForm(kid="imstester_66067"), {}, "kid_unknown", 401),
    "wrong LTI version": (None, {"version": "11.3"}, "version_unsupported", 400),
    "no LTI version": (None, {"version": ABSENT}, "claim_missing", 400),
    "invalid LTI message": (TokenForm(raw="not-a-jwt"), {}, "token_malformed", 400),
    "missing LTI claims": (
        None,
        {"version": ABSENT, "message_type": ABSENT, "deployment_id": ABSENT},
        "claim_missing",
        400,
    ),
    "timestamps incorrect": (None, {"iat": 11111, "exp": 22222}, "token_expired", 401),
    "message_type missing": (None, {"message_type": ABSENT}, "claim_missing", 400),
    "roles missing": (None, {"roles": ABSENT}, "claim_missing", 400),
    "deployment_id missing": (None, {"deployment_id": ABSENT}, "claim_missing", 400),
    "resource_link id missing": (None, {"resource_link": {"title": "Demo"}}, "claim_missing", 400),
    "user missing": (None, {"sub": ABSENT}, "claim_missing", 400),
}


@pytest.mark.parametrize("name", BAD)
def test_6_1_1_a_known_bad_payload_is_refused(here: Campus, name: str) -> None:
    form, claims, code, status = BAD[name]
    start = here.platform.begin_launch("terry", _link(here), token=form, claims=claims)

    assert_refused(here.open(start), code, status)


# 6.1.2 valid teacher launches, 6.1.3 valid student launches


def _valid(role: str) -> dict[str, dict[str, object]]:
    main = f"{MEMBERSHIP}#{role}"
    without = dict.fromkeys((*NAMES, "email"), ABSENT)
    return {
        "full": {"roles": [main]},
        "several roles": {"roles": [main, f"{INSTITUTION}#Staff", f"{INSTITUTION}#Other"]},
        "short role": {"roles": [role]},
        "unknown role": {"roles": [UNKNOWN_ROLE]},
        "no role": {"roles": []},
        "email only": {"roles": [main], **dict.fromkeys(NAMES, ABSENT)},
        "names only": {"roles": [main], "email": ABSENT},
        "no personal data": {"roles": [main], **without},
        "email without context": {"roles": [main], **dict.fromkeys(NAMES, ABSENT), "context": ABSENT},
    }


@pytest.mark.parametrize("name", _valid("Instructor"))
@pytest.mark.parametrize(("role", "person"), [("Instructor", "dana"), ("Learner", "terry")])
def test_6_1_2_and_6_1_3_a_valid_launch_opens_its_page(
    here: Campus, role: str, person: str, name: str
) -> None:
    start = here.platform.begin_launch(person, _link(here), claims=_valid(role)[name])
    client = here.app.test_client()

    login = client.post("/lti/login", base_url=TOOL, data=start.fields)
    asked = parse_qs(urlsplit(login.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{TOOL}/lti/launch"]
    assert (asked["response_mode"], asked["prompt"], asked["scope"]) == (["form_post"], ["none"], ["openid"])
    form = here.platform.authorize(login.headers["Location"])
    assert isinstance(form, FormPost)
    answer = client.post("/lti/launch", base_url=TOOL, data=form.fields)
    assert answer.status_code == 303, answer.headers.get("X-LTI-Error")
    page = client.get(urlsplit(answer.headers["Location"]).path, base_url=TOOL, follow_redirects=True)

    assert page.status_code == 200
    assert ">None<" not in page.text


# 6.2 deep linking


def test_6_2_deep_linking(here: Campus) -> None:
    start = here.platform.begin_deep_link(
        "dana", COURSE, claims={"target_link_uri": ABSENT, "tool_platform": ABSENT}
    )
    picker = here.visit(start)
    visit = list(here.platform.visits.values())[-1]
    answer = picker.post("choose", {"credential": here.version("mc-feedback"), "scheme": "hundred"})
    url, token = response_form(answer)

    assert url == visit.settings["deep_link_return_url"]
    key = here.assembly.lti.keys.jwks()["keys"][0]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": key["kid"]}
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["RS256"],
        audience=here.platform.issuer,
        issuer=CLIENT,
        options={"require": ["iss", "aud", "iat", "exp", "nonce"], "verify_exp": False, "verify_iat": False},
    )
    now = here.clock.now().timestamp()
    assert now - 60 <= claims["iat"] <= now < claims["exp"] <= now + 600
    assert claims[f"{CLAIM}message_type"] == "LtiDeepLinkingResponse"
    assert (claims[f"{CLAIM}version"], claims[f"{CLAIM}deployment_id"]) == ("1.3.0", "dep-1")
    assert claims[f"{DL}data"] == visit.settings["data"]
    (item,) = claims[f"{DL}content_items"]
    assert (item["type"], item["url"]) == ("ltiResourceLink", f"{TOOL}/lti/launch")

    here.deliver(answer)
    made = here.platform.links_in(COURSE)[-1]
    assert made.custom["placement"] == item["custom"]["placement"]
    assert item["title"] in here.at_link("terry", made.id).page


# 6.3 names and roles


def test_6_3_names_and_roles(here: Campus) -> None:
    here.at_link("terry", _link(here))
    with here.assembly.database.reading() as session:
        (row,) = _registrations(here)
        facts = facts_by_public_id(session, row)
    assert facts is not None
    url = here.platform.claims_for("terry", _link(here))[CLAIMS["nrps"]]["context_memberships_url"]

    roster = read_roster(here.assembly.lti.client_for(facts), url)

    assert roster.is_whole
    assert {member.user_id for member in roster.members} == {"terry", "amal", "dana"}
    request = here.platform.log.last("memberships")
    assert request.headers["Accept"] == MEDIA_TYPE
    assert request.headers["Authorization"].startswith("Bearer ")
    assert here.platform.log.last("token").form["scope"] == SCOPE_MEMBERS


def _registrations(here: Campus) -> list[str]:
    with here.assembly.database.reading() as session:
        return list(session.scalars(select(Registration.public_id)))


# 6.4 assignments and grades


def test_6_4_assignments_and_grades(here: Campus) -> None:
    here.add("mc-feedback", "per_part")
    link = here.platform.links_in(COURSE)[-1]
    here.at_link("terry", link.id)

    with here.assembly.database.writing() as session:
        pursuit = session.scalars(select(Pursuit).order_by(Pursuit.id.desc()).limit(1)).one()
        placement = session.get_one(Placement, pursuit.placement_id)
        definition = definition_of(session, session.get_one(CredentialVersion, placement.version_id))
        best = {c.id: definition.levels(c)[0][0].key for _, c in definition.criteria()}
        enqueue(
            session,
            placement=placement,
            pursuit=pursuit,
            attempt=session.scalars(select(Attempt).where(Attempt.pursuit_id == pursuit.id)).one(),
            definition=definition,
            moment="awarded",
            ratings=best,
            now=here.clock.now(),
        )
    here.work()

    columns = [item for item in here.platform.line_items.values() if item.resource_id == placement.public_id]
    assert len(columns) > 1, "further columns are made by the tool itself"
    made = [one for one in here.platform.log.all("lineitems") if one.method == "POST"]
    assert len(made) == len(columns) - 1
    for column in columns:
        assert column.grades["terry"].score == column.score_maximum
    sent = here.platform.log.all("scores")
    assert {request.headers["Content-Type"] for request in sent} == {"application/vnd.ims.lis.v1.score+json"}
    assert {request.json["userId"] for request in sent} == {"terry"}
    final = [request.json for request in sent if request.json["gradingProgress"] == "FullyGraded"]
    assert len(final) == len(columns)
    assert {score["activityProgress"] for score in final} == {"Completed"}
    granted = here.platform.log.last("token").form["scope"].split()
    assert f"{AGS}score" in granted
