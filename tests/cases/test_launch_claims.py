"""The claims of a verified token: OIDC, LTI core, roles (Security Framework 5.1.3, LTI Core 5.3 and A.2)."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from demo_lms import ABSENT, TokenForm
from lti_tool.returning import return_link
from tests.support.lti import (
    LAUNCH,
    MEMBERSHIP,
    World,
    assert_refused,
    is_accepted,
    lti_world,
    query_of,
    rewritten,
    signing_key,
)

XSS = '"><script>alert(1)</script><img src=x onerror=1>'
LEARNER, INSTRUCTOR = f"{MEMBERSHIP}#Learner", f"{MEMBERSHIP}#Instructor"
PERSON = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def world_on_both(migrated_database_url: str) -> Iterator[World]:
    with lti_world(migrated_database_url) as made:
        yield made


def _assert_outcome(answer: TestResponse, code: str | None) -> None:
    """Accepted where `code` is None, else refused with it."""
    if code is None:
        assert is_accepted(answer)
    else:
        assert_refused(answer, code, 400, 401)


def _now(world: World) -> int:
    return int(world.clock.now().timestamp())


@pytest.mark.case("CL-01")
def test_another_issuer_is_refused(world: World) -> None:
    assert_refused(world.browser().launch(iss="https://platform-b.test"), "iss_mismatch", 401)
    assert_refused(world.browser().launch(iss="https://platform-a.test/"), "iss_mismatch", 401)
    foreign = TokenForm(key=signing_key("b-1"))
    assert_refused(world.browser().launch(token=foreign, iss="https://platform-b.test"), "iss_mismatch", 401)
    assert_refused(world.browser().launch(iss=ABSENT), "claim_missing", 400)


@pytest.mark.case("CL-02")
@pytest.mark.case("CL-03")
@pytest.mark.case("CL-04")
@pytest.mark.case("CL-07", choice="aud_missing for nothing, claim_invalid for what is no text")
@pytest.mark.parametrize(
    ("aud", "azp", "code"),
    [
        ("tool-a2", ABSENT, "aud_mismatch"),
        (["tool-a"], ABSENT, None),
        ("tool-a", "tool-a", None),
        ("tool-a", "tool-a2", "azp_mismatch"),
        ("tool-a", 7, "azp_mismatch"),
        (["tool-a", "other"], "tool-a", "aud_mismatch"),
        (["tool-a", "tool-a"], ABSENT, None),
        ("tool-a other", ABSENT, "aud_mismatch"),
        (ABSENT, ABSENT, "aud_missing"),
        ([], ABSENT, "aud_missing"),
        ("", ABSENT, "aud_missing"),
        (None, ABSENT, "aud_missing"),
        ({}, ABSENT, "claim_invalid"),
        (7, ABSENT, "claim_invalid"),
        (["tool-a", 7], ABSENT, "claim_invalid"),
    ],
)
def test_audience(world: World, aud: object, azp: object, code: str | None) -> None:
    answer = world.browser().launch(aud=aud, azp=azp)

    _assert_outcome(answer, code)


@pytest.mark.case("CL-04")
def test_a_trusted_second_audience_is_accepted(world: World) -> None:
    site = world.add_site("c", "https://platform-c.test", "tool-c", "dep-1", trusted_audiences=("other",))

    assert is_accepted(world.browser().launch(site, aud=["other", "tool-c"], azp="tool-c"))
    assert_refused(world.browser().launch(site, aud=["other", "tool-c"], azp="other"), "azp_mismatch", 401)
    assert_refused(world.browser().launch(site, aud=["other", "tool-c"]), "azp_mismatch", 401)
    assert_refused(world.browser().launch(site, aud=["other"]), "aud_mismatch", 401)


@pytest.mark.case("CL-09")
@pytest.mark.case("CL-10")
@pytest.mark.case("CL-12", choice="60 s of leeway")
@pytest.mark.case("CL-13")
@pytest.mark.case("CL-15")
@pytest.mark.parametrize(
    ("iat", "exp", "nbf", "code"),
    [
        (-11111111, -22222222, ABSENT, "token_expired"),
        (0, ABSENT, ABSENT, "claim_missing"),
        (0, None, ABSENT, "claim_missing"),
        (-90, -30, ABSENT, None),
        (-360, -300, ABSENT, "token_expired"),
        (ABSENT, 300, ABSENT, "claim_missing"),
        (None, 300, ABSENT, "claim_missing"),
        (-7200, 79200, ABSENT, "token_too_old"),
        (-3600, 300, ABSENT, None),
        (50, 300, ABSENT, None),
        (120, 300, ABSENT, "token_not_yet_valid"),
        (0, 300, 50, None),
        (0, 300, 120, "token_not_yet_valid"),
        (0, 10**30, ABSENT, None),
        (0.5, 300.25, ABSENT, None),
    ],
)
def test_times(world: World, iat: Any, exp: Any, nbf: Any, code: str | None) -> None:
    now = _now(world)
    given = {"iat": iat, "exp": exp, "nbf": nbf}
    times: dict[str, Any] = {
        name: now + value if isinstance(value, int | float) else value for name, value in given.items()
    }

    answer = world.browser().launch(**times)

    _assert_outcome(answer, code)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["1", True, [], {}])
def test_a_time_that_is_no_number_is_refused(world: World, name: str, value: object) -> None:
    assert_refused(world.browser().launch(claims={name: value}), "claim_invalid", 400)


@pytest.mark.parametrize(("number", "code"), [(b"1e400", "claim_invalid"), (b"NaN", "token_malformed")])
def test_a_time_beyond_numbers_is_refused(world: World, number: bytes, code: str) -> None:
    form = rewritten(b'"nbf":0', b'"nbf":' + number)

    assert_refused(world.browser().launch(token=form, nbf=0), code, 400)


@pytest.mark.case("CL-17")
@pytest.mark.case("CL-18")
@pytest.mark.case("CL-19", choice="nonce_mismatch")
def test_nonce(world: World) -> None:
    browser = world.browser()
    assert_refused(browser.launch(nonce=ABSENT), "nonce_missing", 400)
    assert_refused(browser.launch(nonce=""), "nonce_missing", 400)
    assert_refused(browser.launch(nonce=7), "claim_invalid", 400)
    assert_refused(browser.launch(nonce="ü"), "nonce_mismatch", 401)
    other = browser.start(world.a.platform.begin_launch("u-1", "rl-1"), client_id="tool-a")
    assert_refused(browser.launch(nonce=query_of(other)["nonce"]), "nonce_mismatch", 401)
    assert is_accepted(browser.post(browser.authorize(world.a, other)))
    assert_refused(browser.launch(nonce=query_of(other)["nonce"]), "nonce_mismatch", 401)


@pytest.mark.case("CL-21")
@pytest.mark.case("CL-22")
@pytest.mark.parametrize(
    ("sub", "code"),
    [
        (ABSENT, "claim_missing"),
        ("", "claim_missing"),
        (None, "claim_missing"),
        ("x" * 256, "claim_invalid"),
        ("x" * 300, "claim_invalid"),
        (12, "claim_invalid"),
        ("a\0b", "claim_invalid"),
    ],
)
def test_a_sub_that_names_nobody_is_refused(world_on_both: World, sub: object, code: str) -> None:
    before = world_on_both.counts()

    answer = world_on_both.browser().launch(sub=sub)

    assert_refused(answer, code, 400)
    assert ("did not say who you are" in answer.text) == (code == "claim_missing")
    assert world_on_both.counts() == before


def test_half_a_surrogate_pair_breaks_nothing(world_on_both: World) -> None:
    """JSON may hold what no UTF-8 text can: refused in what identifies, replaced in what is shown."""
    browser, form = world_on_both.browser(), rewritten(b"HALF", b"\\ud800")

    assert_refused(browser.launch(token=form, sub="HALF"), "claim_invalid", 400)
    assert browser.page(browser.launch(token=form, custom={"a": "x HALF", "HALF": "b"}))["custom"] == {
        "a": "x ?"
    }
    assert is_accepted(browser.launch(token=form, name="HALF", nickname="HALF"))


@pytest.mark.case("CL-22")
@pytest.mark.parametrize("sub", ["u 1 ", "x" * 255, "Олена", "12::ab"])
def test_a_sub_is_kept_exactly(world_on_both: World, sub: str) -> None:
    browser = world_on_both.browser()

    assert browser.page(browser.launch(sub=sub))["sub"] == sub


@pytest.mark.case("CL-23")
@pytest.mark.case("CL-24")
def test_people_are_told_apart_by_registration_and_case(world_on_both: World) -> None:
    browser = world_on_both.browser()
    pages = [
        browser.page(browser.launch(sub="u-1")),
        browser.page(browser.launch(sub="U-1")),
        browser.page(browser.launch(world_on_both.b, sub="u-1")),
    ]

    assert len({page["person_id"] for page in pages}) == 3
    assert browser.page(browser.launch(sub="u-1"))["person_id"] == pages[0]["person_id"]


@pytest.mark.case("LT-01")
@pytest.mark.case("LT-04")
@pytest.mark.case("LT-07")
@pytest.mark.case("LT-08")
@pytest.mark.case("LT-12")
@pytest.mark.case("LT-13")
@pytest.mark.case("LT-14")
@pytest.mark.parametrize(
    "claims",
    [
        {"version": ABSENT},
        {"message_type": ABSENT},
        {"roles": ABSENT},
        {"deployment_id": ABSENT},
        {"deployment_id": ""},
        {"resource_link": ABSENT},
        {"resource_link": {"title": "x"}},
        {"resource_link": {"id": ""}},
        {"resource_link": None},
        {"message_type": ABSENT, "version": ABSENT, "deployment_id": ABSENT},
        {"target_link_uri": ABSENT},
        {"context": {}},
        {"context": {"id": None}},
    ],
    ids=str,
)
def test_a_missing_claim_is_refused(world: World, claims: dict[str, object]) -> None:
    before = world.counts()

    assert_refused(world.browser().launch(claims=claims), "claim_missing", 400)
    assert world.counts() == before


@pytest.mark.case("LT-02")
@pytest.mark.parametrize("version", ["11.3", "1.2.0", "1.1", "1.3", "1.3.0 ", 1.3])
def test_another_version_is_refused(world: World, version: object) -> None:
    assert_refused(world.browser().launch(version=version), "version_unsupported", 400)


@pytest.mark.case("LT-05", choice="data privacy launches are accepted, see test_launch_messages")
@pytest.mark.case("LT-06", choice="claim_invalid for a list")
@pytest.mark.parametrize(
    ("message_type", "code"),
    [
        ("LtiStartProctoring", "message_type_unsupported"),
        ("Foo", "message_type_unsupported"),
        ("<b>Foo</b>", "message_type_unsupported"),
        ("ltiresourcelinkrequest", "message_type_unsupported"),
        (["LtiResourceLinkRequest"], "claim_invalid"),
    ],
)
def test_another_message_is_refused_by_name(world: World, message_type: object, code: str) -> None:
    answer = world.browser().launch(message_type=message_type)

    assert_refused(answer, code, 400)
    assert "<b>" not in answer.text
    if isinstance(message_type, str):
        assert message_type.replace("<", "&lt;").replace(">", "&gt;") in answer.text


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": "Instructor"},
        {"roles": [7]},
        {"roles": {}},
        {"deployment_id": 7},
        {"deployment_id": "x" * 256},
        {"resource_link": []},
        {"resource_link": {"id": 7}},
        {"resource_link": {"id": "x" * 256}},
        {"context": "c-1"},
        {"context": {"id": 7}},
        {"ags": []},
        {"nrps": "x"},
    ],
    ids=str,
)
def test_a_claim_of_a_wrong_kind_is_refused(world: World, claims: dict[str, object]) -> None:
    assert_refused(world.browser().launch(claims=claims), "claim_invalid", 400)


@pytest.mark.case("LT-09")
def test_an_unknown_deployment_is_noted_and_opens_nothing(world_on_both: World) -> None:
    world = world_on_both
    before = world.counts()
    for _ in range(2):
        assert_refused(world.browser().launch(deployment_id="dep-new"), "deployment_unknown", 403)
    assert_refused(world.browser().launch(deployment_id="DEP-1"), "deployment_unknown", 403)

    assert world.counts() == before
    assert world.deployments() == {
        "dep-1": "approved",
        "dep-2": "approved",
        "dep-new": "noted",
        "DEP-1": "noted",
    }


def test_any_deployment_approves_new_ones_into_the_registrations_organization(world_on_both: World) -> None:
    site = world_on_both.add_site("c", "https://platform-c.test", "tool-c", "dep-1", any_deployment=True)

    assert is_accepted(world_on_both.browser().launch(site, deployment_id="dep-new"))
    assert world_on_both.deployments("c")["dep-new"] == "approved"


@pytest.mark.case("LT-15")
def test_another_target_link_than_at_login_is_refused(world: World) -> None:
    answer = world.browser().launch(target_link_uri=f"{LAUNCH}?other=1")

    assert_refused(answer, "target_link_mismatch", 400)


@pytest.mark.case("LT-18", choice="works without course features")
def test_a_launch_without_course_is_accepted(world_on_both: World) -> None:
    browser = world_on_both.browser()

    answer = browser.launch(context=ABSENT, ags=ABSENT, nrps=ABSENT)

    assert browser.page(answer)["context"] is None
    assert world_on_both.counts()["context"] == 0


@pytest.mark.case("LT-20")
@pytest.mark.case("LT-22")
@pytest.mark.case("LT-31")
@pytest.mark.parametrize(
    "claims",
    [
        {"context": {"id": "c-1"}},
        {"context": {"id": "c-1", "type": []}},
        {"context": {"id": "c-1", "type": ["MySchoolOne Soft Skills Context"]}},
        {"context": {"id": "c-1", "title": 7, "label": ["x"]}},
        {f"https://vendor.test/{n}": {"deep": {"er": [{"x": None}] * 20}} for n in range(10)},
        {"locale": "xx-INVALID"},
        {"locale": "en_US"},
        {"locale": None},
        {"launch_presentation": {"locale": "<script>", "return_url": 7}},
        {"launch_presentation": []},
        {"name": 7, "email": ["x"]},
        {"custom": "x"},
        {"ags": {"scope": "x", "lineitem": 7, "lineitems": None}},
        {"nrps": {"context_memberships_url": 7}},
        {"lis": 7},
    ],
    ids=str,
)
def test_what_nothing_depends_on_does_not_stop_a_launch(
    world_on_both: World, claims: dict[str, object]
) -> None:
    assert is_accepted(world_on_both.browser().launch(claims=claims))


@pytest.mark.case("LT-21", choice="numbers as text, other kinds and unresolved variables ignored")
def test_custom_values(world_on_both: World) -> None:
    browser = world_on_both.browser()
    custom = {
        "template": "$Unknown.var",
        "n": 5,
        "o": {"a": 1},
        "x": None,
        "yes": True,
        "list": [1],
        "empty": "",
        "text": "a\0b € 😀",
        "k\0": "v",
    }

    page = browser.page(browser.launch(custom=custom))

    assert page["custom"] == {"n": "5", "empty": "", "text": "ab € 😀"}


@pytest.mark.case("LT-23")
@pytest.mark.case("LT-24")
@pytest.mark.parametrize("role", [LEARNER, INSTRUCTOR])
@pytest.mark.parametrize(
    "given",
    [
        {"name": "T", "given_name": "T", "family_name": "U", "email": "t@demo.invalid"},
        {"name": "T"},
        {"email": "t@demo.invalid"},
        {},
    ],
    ids=["full", "names", "email", "none"],
)
def test_names_and_mail_are_optional(world: World, role: str, given: dict[str, str]) -> None:
    nobody: dict[str, object] = dict.fromkeys(("name", "given_name", "family_name", "email"), ABSENT)

    assert is_accepted(world.browser().launch(claims={**nobody, **given, "roles": [role]}))
    (person,) = world.people()
    assert (person.name, person.email) == (given.get("name"), given.get("email"))


@pytest.mark.case("LT-25")
def test_text_from_outside_is_kept_as_text(world_on_both: World) -> None:
    browser = world_on_both.browser()
    claims = {
        "context": {"id": XSS, "title": XSS, "label": XSS},
        "resource_link": {"id": XSS, "title": XSS},
        "custom": {"x": XSS},
        "name": XSS,
    }

    page = browser.page(browser.launch(claims=claims))

    assert page["context"] == XSS
    assert page["custom"] == {"x": XSS}
    refused = browser.launch(claims={**claims, "message_type": XSS})
    assert_refused(refused, "message_type_unsupported")
    assert "<script>" not in refused.text


@pytest.mark.case("LT-30")
def test_the_way_back_keeps_its_query_and_says_what_happened() -> None:
    link = return_link("https://platform-a.test/back?x=1", problem="It wasn't saved: 50% & more ü")

    parts = urlsplit(link)
    assert parts.query.startswith("x=1&lti_errormsg=")
    assert dict(parse_qsl(parts.query)) == {"x": "1", "lti_errormsg": "It wasn't saved: 50% & more ü"}
    assert return_link("https://platform-a.test/back") == "https://platform-a.test/back"


@pytest.mark.case("LT-29")
@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://platform-a.test/back?x=1", "https://platform-a.test/back?x=1"),
        ("http://platform-a.test/back", "https://platform-a.test/back"),
        ("javascript:alert(1)", None),
        ("https://evil.test/back", None),
        ("https://platform-a.test@evil.test/", None),
        ("https://platform-a.test.evil.test/", None),
        ("//evil.test/", None),
        ("data:text/html,x", None),
        ("https://platform-a.test:444/", None),
        (7, None),
    ],
)
def test_return_urls_are_judged_at_launch(world: World, url: object, kept: str | None) -> None:
    assert is_accepted(world.browser().launch(launch_presentation={"return_url": url}))
    assert world.launches()[0].return_url == kept


@pytest.mark.case("LT-32")
@pytest.mark.case("LT-33")
def test_a_relaunch_updates_what_it_says_and_keeps_what_it_leaves_out(world_on_both: World) -> None:
    browser = world_on_both.browser()
    teacher = browser.launch(name="Old Name", roles=[INSTRUCTOR])
    assert browser.page(teacher)["rights"] == ["place", "read", "see_progress"]

    learner = browser.launch(name="New Name", roles=[LEARNER])
    assert browser.page(learner)["rights"] == ["read", "submit"]
    assert browser.page(teacher)["rights"] == ["read"], "rights that the LMS took away are gone in older tabs"
    assert world_on_both.people()[0].name == "New Name"

    bare = browser.launch(
        claims={"context": {"id": "c-1"}, "resource_link": {"id": "rl-1"}},
        name=ABSENT,
        given_name=ABSENT,
        family_name=ABSENT,
        email=ABSENT,
    )
    assert browser.page(bare)["context"] == "Active Classrooms"
    (person,) = world_on_both.people()
    assert (person.name, person.email) == ("New Name", "u-1@demo.invalid")


@pytest.mark.case("RO-01")
@pytest.mark.case("RO-02")
@pytest.mark.case("RO-03")
@pytest.mark.case("RO-04")
@pytest.mark.case("RO-05")
@pytest.mark.case("RO-06")
@pytest.mark.case("RO-07")
@pytest.mark.case("RO-08")
@pytest.mark.case("RO-09")
@pytest.mark.case("RO-10", choice="reads and sees progress")
@pytest.mark.case("RO-13")
@pytest.mark.parametrize(
    ("roles", "rights"),
    [
        ([INSTRUCTOR], "place read see_progress"),
        ([f"{MEMBERSHIP}#Administrator"], "place read see_progress"),
        ([f"{MEMBERSHIP}#ContentDeveloper"], "place read see_progress"),
        ([LEARNER], "read submit"),
        ([f"{PERSON}Administrator", LEARNER], "read submit"),
        ([f"{PERSON}Instructor"], "read"),
        (
            [f"{PERSON}Faculty", "http://purl.imsglobal.org/vocab/lis/v2/system/person#SysAdmin", LEARNER],
            "read submit",
        ),
        (["Instructor"], "place read see_progress"),
        (["Learner"], "read submit"),
        ([LEARNER, "http://purl.imsglobal.org/vocab/lis/v2/uknownrole/unknown#Unknown"], "read submit"),
        (["http://example.com/custom/TeachingAssistant"], "read"),
        (["http://purl.imsglobal.org/vocab/lis/v2/unknown#Instructor"], "read"),
        ([], "read"),
        ([""], "read"),
        ([f"{MEMBERSHIP}/Instructor#TeachingAssistant"], "read see_progress"),
        ([f"{MEMBERSHIP}/Instructor#TeachingAssistant", INSTRUCTOR], "read see_progress"),
        ([f"{MEMBERSHIP}/Instructor#PrimaryInstructor"], "place read see_progress"),
        ([f"{MEMBERSHIP}/Learner#Instructor"], "read submit"),
        ([f"{MEMBERSHIP}#Mentor"], ""),
        ([f"{MEMBERSHIP}#Mentor", LEARNER], "read submit"),
        ([f"{MEMBERSHIP}#Member"], "read"),
        ([INSTRUCTOR, LEARNER], "place read see_progress submit"),
        ([INSTRUCTOR.lower()], "read"),
    ],
    ids=str,
)
def test_rights_come_from_context_roles_alone(world: World, roles: list[str], rights: str) -> None:
    browser = world.browser()

    assert browser.page(browser.launch(roles=roles))["rights"] == rights.split()


@pytest.mark.case("RO-15")
def test_a_test_user_works_as_a_learner_for_nothing_real(world: World) -> None:
    browser = world.browser()

    page = browser.page(
        browser.launch(roles=[LEARNER, "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"])
    )

    assert page["rights"] == ["read", "submit"]
    assert page["is_test"] is True


@pytest.mark.case("RO-17")
def test_a_launch_from_outside_a_course_is_told_what_is_missing(world: World) -> None:
    answer = world.browser().launch(
        roles=[f"{MEMBERSHIP}#Administrator", INSTRUCTOR], resource_link=ABSENT, context=ABSENT
    )

    assert_refused(answer, "claim_missing", 400)
    assert "resource_link.id" in answer.text


def test_a_suspended_person_is_kept_out(world_on_both: World) -> None:
    browser = world_on_both.browser()
    opened = browser.launch()
    with world_on_both.database.writing() as session:
        session.merge(world_on_both.people()[0]).state = "suspended"

    assert_refused(browser.launch(), "user_blocked", 403)
    path = opened.headers["Location"].removeprefix("https://tool.test")
    assert browser.get(path).status_code == 401


def test_an_erased_persons_next_launch_starts_as_somebody_new(world_on_both: World) -> None:
    browser = world_on_both.browser()
    first = browser.page(browser.launch())["person_id"]
    with world_on_both.database.writing() as session:
        session.merge(world_on_both.people()[0]).state = "erased"

    assert browser.page(browser.launch())["person_id"] != first


def test_first_launches_of_one_person_at_the_same_moment_all_succeed(world_on_both: World) -> None:
    world = world_on_both
    site, waiting, answers = world.a, [], []
    for _ in range(6):
        browser = world.browser()
        login = browser.start(site.platform.begin_launch("u-1", "rl-1"), client_id="tool-a")
        waiting.append((browser, browser.authorize(site, login)))
    gate = threading.Barrier(len(waiting))

    def post(browser: Any, fields: dict[str, str]) -> None:
        gate.wait()
        answers.append(browser.post(fields))

    threads = [threading.Thread(target=post, args=pair) for pair in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(map(is_accepted, answers)), [a.headers.get("X-LTI-Error") for a in answers]
    assert world.counts() == {"person": 1, "lms_identity": 1, "context": 1, "resource_link": 1, "launch": 6}
