"""Third-party login initiation (Security Framework 5.1.1.1): what is answered, and to whom."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.support.lti import LAUNCH, TOOL, Site, World, assert_refused, lti_world, query_of


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


def _ask(world: World, method: str = "GET", path: str = "/lti/login", **changes: str | None) -> TestResponse:
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = {"client_id": "tool-a", "lti_deployment_id": "dep-1", **changes}
    return world.browser().start(start, path=path, method=method, **fields)


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("GET", marks=pytest.mark.case("LI-01")),
        pytest.param("POST", marks=pytest.mark.case("LI-02")),
    ],
)
def test_a_login_is_answered_with_the_authentication_request(world: World, method: str) -> None:
    answer = _ask(world, method, lti_message_hint="a hint", login_hint="hint of u-1")

    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"].startswith("https://platform-a.test/auth?")
    sent = query_of(answer)
    fixed = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": "tool-a",
        "redirect_uri": LAUNCH,
        "login_hint": "hint of u-1",
        "lti_message_hint": "a hint",
    }
    assert sent.items() >= fixed.items()
    assert sent.keys() == {*fixed, "state", "nonce"}
    assert len(sent["nonce"]) * 6 >= 128
    assert len(sent["state"]) * 6 >= 128
    again = query_of(_ask(world, method))
    assert len({sent["state"], sent["nonce"], again["state"], again["nonce"]}) == 4


@pytest.mark.case("LI-04")
@pytest.mark.case("LI-05")
@pytest.mark.case("LI-06")
@pytest.mark.parametrize("name", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_without_a_required_parameter_is_refused(
    world: World, name: str, value: str | None, method: str
) -> None:
    assert_refused(_ask(world, method, "/lti/login", **{name: value}), "login_missing_param", 400)


@pytest.mark.case("LI-07")
def test_an_unknown_issuer_is_refused_without_echo(world: World) -> None:
    answer = _ask(world, iss="https://nobody.test/<script>")

    assert_refused(answer, "registration_unknown", 400)
    assert "nobody" not in answer.text


@pytest.mark.case("LI-08")
def test_an_unknown_client_id_falls_back_to_no_other_registration(world: World) -> None:
    assert_refused(_ask(world, client_id="somebody-else"), "registration_unknown", 400)


@pytest.mark.case("LI-09")
def test_an_issuer_with_one_registration_needs_no_client_id(world: World) -> None:
    answer = _ask(world, iss=world.b.platform.issuer, client_id=None)

    assert answer.headers["Location"].startswith("https://platform-b.test/auth?")
    assert query_of(answer)["client_id"] == "tool-b"


def _add_a2(world: World, **options: object) -> Site:
    return world.register("a2", world.a.platform, world.a.server, "tool-a2", "dep-9", **options)


@pytest.mark.case("LI-11")
def test_a_registrations_own_login_url_needs_no_client_id(world: World) -> None:
    a2 = _add_a2(world, auth_url="https://platform-a.test/auth-2")

    answer = _ask(world, path=a2.login_path, client_id=None)

    assert query_of(answer)["client_id"] == "tool-a2"
    assert urlsplit(answer.headers["Location"]).path == "/auth-2"


def test_two_registrations_of_an_issuer_and_nothing_to_choose_by_are_ambiguous(world: World) -> None:
    _add_a2(world)

    assert_refused(_ask(world, client_id=None), "registration_ambiguous", 400)
    assert _ask(world, client_id="tool-a2").status_code == 302


def test_a_registrations_own_url_and_another_client_or_issuer_conflict(world: World) -> None:
    a2, other = _add_a2(world), world.b.platform.issuer

    assert_refused(_ask(world, path=a2.login_path, client_id="tool-a"), "login_conflict", 400)
    assert_refused(_ask(world, path=a2.login_path, iss=other, client_id=None), "login_conflict")
    assert_refused(_ask(world, path=a2.login_path, iss="https://nobody.test"), "registration_unknown")
    assert_refused(_ask(world, path="/lti/login/nosuchregistration"), "registration_unknown", 404)


def test_a_login_that_says_one_thing_twice_conflicts(world: World) -> None:
    answer = world.browser().get("/lti/login?iss=https://platform-a.test&iss=https://platform-b.test")

    assert_refused(answer, "login_conflict", 400)


def test_sites_that_share_issuer_and_client_id_answer_at_their_own_urls_only(world: World) -> None:
    twin = world.register("twin", world.a.platform, world.a.server, "tool-a", "dep-1", separate_site=True)

    assert_refused(_ask(world), "registration_ambiguous", 400)
    assert_refused(_ask(world, client_id=None), "registration_ambiguous", 400)
    assert _ask(world, path=twin.login_path).status_code == 302
    assert _ask(world, path=world.a.login_path).status_code == 302


@pytest.mark.case("LI-13")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/steal",
        "https://tool.test.evil.test/lti/launch",
        "https://tool.test@evil.test/lti/launch",
        "https://tool.test:444/lti/launch",
        "http://tool.test/lti/launch",
        "//tool.test/lti/launch",
        "/lti/launch",
        "https://tool.test/lti/launch/../../steal",
        "https://tool.test/lti/launchpad",
        "https://tool.test/",
        "https://tool.test\\@evil.test/lti/launch",
        "https://tool.test/lti/launch#x",
        "javascript:alert(1)",
        "https://tööl.test/lti/launch",
    ],
)
def test_only_our_own_launch_addresses_are_targets(world: World, target: str) -> None:
    assert_refused(_ask(world, target_link_uri=target), "target_link_not_allowed", 400)


@pytest.mark.parametrize(
    "target", [LAUNCH, f"{LAUNCH}?credential=x&y=1", f"{TOOL}/lti/deep-link", f"{TOOL}:443/lti/launch"]
)
def test_our_own_launch_addresses_are_targets_with_any_query(world: World, target: str) -> None:
    assert _ask(world, target_link_uri=target).status_code == 302


@pytest.mark.case("LI-15")
def test_the_authorization_urls_own_query_is_kept(world: World) -> None:
    c = world.register(
        "c",
        world.a.platform,
        world.a.server,
        "tool-c",
        "dep-1",
        auth_url="https://platform-a.test/auth?tenant=7",
    )

    location = _ask(world, path=c.login_path, client_id=None).headers["Location"]

    assert location.startswith("https://platform-a.test/auth?tenant=7&")
    assert location.count("?") == 1


@pytest.mark.case("LI-16")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_long_message_hint_comes_back_byte_for_byte(world: World, method: str) -> None:
    hint = ('{"cmid":3,"x":"+/=&% ж\u00e9"}' * 200)[:4096]

    assert query_of(_ask(world, method, lti_message_hint=hint))["lti_message_hint"] == hint


@pytest.mark.case("LI-18", choice="refused at launch")
def test_a_deployment_named_at_login_only_is_not_trusted(world: World) -> None:
    browser = world.browser()
    login = browser.start(
        world.a.platform.begin_launch("u-1", "rl-1"), client_id="tool-a", lti_deployment_id="dep-x"
    )

    assert_refused(browser.post(browser.authorize(world.a, login)), "deployment_unknown", 403)
    assert world.deployments() == {"dep-1": "approved", "dep-2": "approved"}


@pytest.mark.case("LI-19")
@pytest.mark.parametrize("state", ["disabled", "pending"])
@pytest.mark.parametrize("own_url", [True, False])
def test_an_inactive_registration_is_refused(world: World, state: str, own_url: bool) -> None:
    world.set_state("a", state)

    answer = _ask(world, path=world.a.login_path if own_url else "/lti/login")

    assert_refused(answer, "registration_inactive", 403)


@pytest.mark.case("LI-20")
def test_an_issuer_is_compared_exactly(world: World) -> None:
    for issuer in ("https://platform-a.test/", "https://PLATFORM-A.test", "https://platform-a.test "):
        assert_refused(_ask(world, iss=issuer), "registration_unknown", 400)


@pytest.mark.case("LI-22")
def test_a_login_is_get_or_post(world: World) -> None:
    client = world.app.test_client()

    assert client.put("/lti/login", base_url=TOOL).status_code == 405
    assert client.delete("/lti/login", base_url=TOOL).status_code == 405
    assert client.head("/lti/login", base_url=TOOL).status_code in (200, 400, 405)


def test_a_login_of_more_than_16_kib_is_refused(world: World) -> None:
    assert_refused(_ask(world, "POST", lti_message_hint="x" * 17_000), "login_missing_param", 413)
    assert_refused(_ask(world, "GET", lti_message_hint="x" * 17_000), "login_missing_param", 413)
