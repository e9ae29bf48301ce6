"""Deep linking requests, submission reviews, privacy launches; what every answer carries; tool keys."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from demo_lms import ABSENT
from lti_tool.errors import WORDS
from tests.support.lti import MEMBERSHIP, TOOL, Browser, World, assert_refused, is_accepted, lti_world

REQUIRED = ("deep_link_return_url", "accept_types", "accept_presentation_document_targets")


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def world_on_both(migrated_database_url: str) -> Iterator[World]:
    with lti_world(migrated_database_url) as made:
        yield made


def _choose(world: World, person: str = "dana", **options: object) -> TestResponse:
    start = world.a.platform.begin_deep_link(person, "c-1", **options)  # type: ignore[arg-type]
    return world.browser().open(world.a, start)


@pytest.mark.case("DL-03")
@pytest.mark.case("DL-04")
def test_deep_linking_settings_are_required(world: World) -> None:
    assert_refused(_choose(world, claims={"deep_linking_settings": ABSENT}), "claim_missing", 400)
    for name in REQUIRED:
        for value in (ABSENT, None, [] if name != "deep_link_return_url" else ""):
            assert_refused(_choose(world, settings={name: value}), "claim_missing", 400)


@pytest.mark.parametrize(
    "settings",
    [
        {"accept_types": "ltiResourceLink"},
        {"accept_types": [7]},
        {"accept_multiple": "maybe"},
        {"data": {"a": 1}},
        {"data": "a\0b"},
        {"deep_link_return_url": 7},
    ],
    ids=str,
)
def test_deep_linking_settings_of_a_wrong_kind_are_refused(
    world_on_both: World, settings: dict[str, object]
) -> None:
    assert_refused(_choose(world_on_both, settings=settings), "claim_invalid", 400)


@pytest.mark.parametrize("data", ['"<& é 😀\n' * 500, "", ABSENT], ids=["long", "empty", "absent"])
def test_deep_linking_settings_are_kept_for_the_answer(world_on_both: World, data: object) -> None:
    asked = {"data": data, "accept_multiple": "true", "auto_create": False, "accept_lineitem": ABSENT}

    assert is_accepted(_choose(world_on_both, settings=asked))

    (launch,) = world_on_both.launches()
    kept = launch.deep_linking
    assert kept is not None
    assert kept.get("data", ABSENT) == data
    assert (kept["accept_multiple"], kept["auto_create"], kept["accept_lineitem"]) == (True, False, None)
    assert kept["deep_link_return_url"].startswith(world_on_both.a.server.url)


def test_a_place_that_takes_no_lti_links_still_opens(world: World) -> None:
    assert is_accepted(_choose(world, settings={"accept_types": ["link", "file"]}))


@pytest.mark.case("DL-09")
@pytest.mark.parametrize(
    "roles",
    [[f"{MEMBERSHIP}#Learner"], [f"{MEMBERSHIP}/Instructor#TeachingAssistant"], [f"{MEMBERSHIP}#Mentor"], []],
)
def test_only_who_may_change_the_course_may_choose(world: World, roles: list[str]) -> None:
    before = world.counts()

    assert_refused(_choose(world, roles=roles), "role_not_permitted", 403)
    assert world.counts() == before


@pytest.mark.case("DL-10")
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/collect",
        "javascript:alert(1)",
        "http://evil.test/",
        "https://platform-a.test@evil.test/",
    ],
)
def test_an_answer_goes_to_the_platform_alone(world: World, url: str) -> None:
    before = world.counts()

    assert_refused(_choose(world, settings={"deep_link_return_url": url}), "return_url_not_allowed", 400)
    assert world.counts() == before


@pytest.mark.case("DL-22")
def test_the_certification_request_is_accepted(world: World) -> None:
    assert is_accepted(_choose(world, claims={"target_link_uri": ABSENT, "tool_platform": ABSENT}))
    assert is_accepted(_choose(world, claims={"context": ABSENT}))


def _review(world: World, **options: object) -> tuple[Browser, TestResponse]:
    item = world.a.platform.line_items_of("rl-1")[0]
    start = world.a.platform.begin_review("dana", item.id, "u-1", **options)  # type: ignore[arg-type]
    browser = world.browser()
    return browser, browser.open(world.a, start)


@pytest.mark.case("OM-01")
def test_a_submission_review_opens_in_the_launching_persons_own_rights(world: World) -> None:
    browser, answer = _review(world)

    page = browser.page(answer)
    assert (page["sub"], page["for_user"]) == ("dana", "u-1")
    assert page["rights"] == ["place", "read", "see_progress"]
    assert [person.email for person in world.people()] == ["dana@demo.invalid"], (
        "nobody is made from for_user"
    )


@pytest.mark.case("OM-02")
@pytest.mark.parametrize(
    "claims",
    [
        {"for_user": ABSENT},
        {"for_user": {}},
        {"for_user": {"user_id": ""}},
        {"ags": ABSENT},
        {"ags": {"scope": [], "lineitems": "https://platform-a.test/items"}},
    ],
    ids=str,
)
def test_a_submission_review_of_nobody_or_nothing_is_refused(world: World, claims: dict[str, object]) -> None:
    _, answer = _review(world, claims=claims)

    assert_refused(answer, "claim_missing", 400)


@pytest.mark.case("LT-05")
def test_a_data_privacy_launch_is_accepted_without_course(world: World) -> None:
    browser = world.browser()
    nothing = {"context": ABSENT, "resource_link": ABSENT, "ags": ABSENT, "nrps": ABSENT}
    privacy = {"message_type": "DataPrivacyLaunchRequest", "for_user": {"user_id": "u-1"}}

    assert browser.page(browser.launch(claims={**nothing, **privacy}))["for_user"] == "u-1"
    assert_refused(browser.launch(claims={**nothing, **privacy, "for_user": ABSENT}), "claim_missing", 400)
    assert_refused(browser.launch(claims=privacy), "claim_invalid", 400)


# transport


@pytest.mark.case("AP-01", choice="refused where a proxy says that the request came by http")
def test_plain_http_is_refused_before_the_token_is_read(world: World) -> None:
    client = world.app.test_client()

    answer = client.post(
        "/lti/launch", base_url=TOOL, data={"id_token": "a.b.c"}, headers={"X-Forwarded-Proto": "http"}
    )

    assert_refused(answer, "url_not_allowed")
    assert "max-age" in answer.headers["Strict-Transport-Security"]


@pytest.mark.case("AP-02")
def test_answers_carry_their_security_headers(world: World) -> None:
    browser = world.browser()
    opened = browser.launch()
    refused = browser.launch(version="1.1")
    unknown = browser.post({"id_token": "a.b.c", "state": "x"})

    for answer in (opened, refused, unknown):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Frame-Options" not in answer.headers
        assert "max-age" in answer.headers["Strict-Transport-Security"]
    ancestors = refused.headers["Content-Security-Policy"].split("frame-ancestors ")[1]
    assert ancestors.split() == ["https://platform-a.test", world.a.server.url]
    assert "frame-ancestors https:" in unknown.headers["Content-Security-Policy"]


@pytest.mark.case("AP-04")
def test_the_published_keys_are_public_and_overlap(world: World) -> None:
    tool, browser = world.tool, world.browser()
    tool.keys.ensure()
    (first,) = browser.get("/lti/jwks").get_json()["keys"]
    second_kid = tool.keys.rotate()

    answer = browser.get("/lti/jwks")
    keys = answer.get_json()["keys"]
    assert [key["kid"] for key in keys] == [second_kid, first["kid"]]
    assert all(set(key) == {"kty", "n", "e", "kid", "alg", "use"} for key in keys)
    assert all((key["alg"], key["use"]) == ("RS256", "sig") for key in keys)
    assert "max-age" in answer.headers["Cache-Control"]
    world.clock.pass_(days=7, seconds=1)
    assert [key["kid"] for key in browser.get("/lti/jwks").get_json()["keys"]] == [second_kid]


def test_a_platform_disabled_during_a_login_is_refused_and_its_open_pages_end(world_on_both: World) -> None:
    browser = world_on_both.browser()
    opened = browser.launch()
    start = world_on_both.a.platform.begin_launch("u-1", "rl-1")
    fields = browser.authorize(world_on_both.a, browser.start(start, client_id="tool-a"))
    world_on_both.set_state("a", "disabled")

    assert_refused(browser.post(fields), "registration_inactive", 403)
    assert browser.get(opened.headers["Location"].removeprefix(TOOL)).status_code == 401
    world_on_both.set_state("a", "approved")
    assert is_accepted(browser.post(fields))


def test_rates_are_limited_per_address(migrated_sqlite_url: str) -> None:
    limits = {"rate_login": 3, "rate_failed_launch": 2}
    with lti_world(migrated_sqlite_url, settings=limits) as world:
        browser = world.browser()
        start = world.a.platform.begin_launch("u-1", "rl-1")
        logins = [browser.start(start, client_id="tool-a") for _ in range(4)]
        launches = [browser.post({"id_token": "x", "state": "y"}) for _ in range(3)]

        assert [answer.status_code for answer in logins] == [302, 302, 302, 429]
        assert [answer.status_code for answer in launches] == [400, 400, 429]
        assert_refused(logins[-1], "temporarily_unavailable", 429)
        world.clock.pass_(seconds=61)
        assert browser.start(start, client_id="tool-a").status_code == 302


def test_a_database_that_is_away_is_said_so(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = browser.authorize(world.a, browser.start(start, client_id="tool-a"))
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE launch RENAME TO launch_away")

    assert_refused(browser.post(fields), "temporarily_unavailable", 503)
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE launch_away RENAME TO launch")
    assert world.counts()["person"] == 0
    assert is_accepted(browser.post(fields))


def test_every_code_has_words() -> None:
    assert all(400 <= words.status <= 503 and words.happened and words.next_step for words in WORDS.values())
