"""Dynamic registration that is refused: nothing is stored, the invitation stays good, the reason is said."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

import demo_lms
from demo_lms import Platform, Reply
from demo_lms.registration import openid_configuration
from lti_tool import registrations
from microcred.outgoing import Outgoing
from tests.support.lti import TOOL, World, assert_refused, lti_world
from tests.support.registering import Lms, lms, stored, unused_invitations

PUBLIC = "https://lms.example.edu/.well-known/openid-configuration"


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url, settings={"rate_register": 0}) as made:
        yield made


@pytest.fixture
def other(world: World) -> Lms:
    return _other(world)


def _other(world: World) -> Lms:
    platform = Platform("https://unused.test", clock=world.clock.now)
    return lms(world, platform, world._servers.enter_context(demo_lms.serve(platform)))


@pytest.mark.case("DR-02")
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1:5432/",
        "http://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x7f.1/",
        "file:///etc/passwd",
        "gopher://evil.test/",
        "https://user@lms.example.edu/",
        "//lms.example.edu/x",
        "javascript:alert(1)",
    ],
)
def test_addresses_inside_are_never_asked(migrated_sqlite_url: str, url: str) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    settings = {"rate_register": 0, "open_registration": True}
    with lti_world(migrated_sqlite_url, settings=settings, outgoing=Outgoing(resolve=resolve)) as world:
        answer = _other(world).register(openid_configuration=url, registration_token=None)

        assert_refused(answer, "url_not_allowed", 400)
        assert stored(world) == []


def test_a_public_name_that_leads_inside_is_not_asked(migrated_sqlite_url: str) -> None:
    outgoing = Outgoing(resolve=lambda host, port: ["10.1.2.3"])
    settings = {"rate_register": 0, "open_registration": True}
    with lti_world(migrated_sqlite_url, settings=settings, outgoing=outgoing) as world:
        assert_refused(_other(world).register(openid_configuration=PUBLIC), "url_not_allowed", 400)


@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint", "issuer"]
)
def test_every_address_in_the_configuration_is_judged(other: Lms, name: str) -> None:
    config = openid_configuration(other.platform) | {name: "http://169.254.169.254/"}
    other.platform.script.on("openid_configuration", Reply(200, body=config))

    assert_refused(other.register(other.invite()), "url_not_allowed", 400)
    assert other.platform.log.all("register") == []


@pytest.mark.case("DR-04", choice="known exceptions: the issuers that all hosted Canvas sites share")
@pytest.mark.parametrize(
    "issuer", ["https://evil.test", "https://canvas.instructure.com", "https://localhost.evil.test"]
)
def test_an_issuer_of_another_site_is_refused(other: Lms, issuer: str) -> None:
    other.platform.issuer = issuer
    invitation = other.invite()

    assert_refused(other.register(invitation), "issuer_mismatch", 400)
    assert stored(other.world) == []
    assert unused_invitations(other.world) == 1
    assert other.platform.log.all("register") == []


def test_the_token_goes_to_the_platform_alone(other: Lms) -> None:
    config = openid_configuration(other.platform) | {"registration_endpoint": "https://evil.test/register"}
    other.platform.script.on("openid_configuration", Reply(200, body=config))

    assert_refused(other.register(other.invite()), "url_not_allowed", 400)


FIELDS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")


@pytest.mark.case("DR-07")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, body="<html>not a configuration"), "claim_invalid"),
        (Reply(200, body=[1]), "claim_invalid"),
        (Reply(200, body={}), "claim_missing"),
        (Reply(200, body="x" * 10_000_000), "platform_error"),
        (Reply(drop="before"), "platform_error"),
        (Reply(302, {"Location": "https://evil.test/"}), "platform_error"),
        (Reply(500, body="secret stack trace"), "platform_error"),
        (Reply(404), "platform_error"),
    ],
    ids=["html", "list", "empty", "10MB", "dropped", "redirect", "500", "404"],
)
def test_a_configuration_that_cannot_be_used(other: Lms, reply: Reply, code: str) -> None:
    other.platform.script.on("openid_configuration", reply)
    started = time.monotonic()

    answer = other.register(other.invite())

    assert_refused(answer, code, 400)
    assert "secret stack" not in answer.text
    assert time.monotonic() - started < 10
    assert stored(other.world) == []


@pytest.mark.parametrize("name", FIELDS)
def test_each_required_field_of_a_configuration(other: Lms, name: str) -> None:
    config = openid_configuration(other.platform)
    for value, code in ((None, "claim_missing"), (7, "claim_invalid")):
        other.platform.script.on("openid_configuration", Reply(200, body=config | {name: value}))
        assert_refused(other.register(other.invite()), code, 400)


def test_a_configuration_that_never_ends_is_given_up(other: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.dynamic_registration._SECONDS", 0.5)
    other.platform.script.on("openid_configuration", Reply(200, body="{" * 200, trickle=0.1))
    started = time.monotonic()

    assert_refused(other.register(other.invite()), "platform_error", 400)
    assert time.monotonic() - started < 5


def test_a_platform_that_signs_otherwise_is_refused(other: Lms) -> None:
    config = openid_configuration(other.platform) | {"id_token_signing_alg_values_supported": ["ES256"]}
    other.platform.script.on("openid_configuration", Reply(200, body=config))

    assert_refused(other.register(other.invite()), "alg_not_allowed", 400)


@pytest.mark.case("DR-09")
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(201, body={"scope": ""}), "claim_missing"),
        (Reply(201, body={"client_id": ""}), "claim_missing"),
        (Reply(201, body={"client_id": {"a": 1}}), "claim_invalid"),
        (Reply(201, body={"client_id": "c" * 256}), "claim_invalid"),
        (Reply(201, body="created"), "claim_invalid"),
        (Reply(400, body={"error": "invalid_client_metadata"}), "platform_error"),
        (Reply(401, body={"errorMessage": "Registration token has already been used"}), "platform_error"),
        (Reply(drop="before"), "platform_error"),
    ],
    ids=str,
)
def test_an_answer_that_registers_nothing(other: Lms, reply: Reply, code: str) -> None:
    other.platform.script.on("register", reply)
    invitation = other.invite()

    answer = other.register(invitation)

    assert_refused(answer, code, 400)
    assert "Start the registration again from your LMS" in answer.text
    assert "invalid_client_metadata" not in answer.text
    assert stored(other.world) == []
    assert unused_invitations(other.world) == 1
    assert other.register(invitation).status_code == 200


# invitations


def test_an_invitation_is_needed_and_good_once_for_seven_days(other: Lms) -> None:
    world = other.world
    first, second = other.invite(), other.invite()

    assert_refused(other.register(), "state_missing", 403)
    assert_refused(other.register("guessed"), "state_unknown", 403)
    assert other.register(first).status_code == 200
    assert_refused(other.register(first), "state_used", 403)
    world.clock.pass_(days=7, seconds=1)
    assert_refused(other.register(second), "state_expired", 403)
    assert len(stored(world)) == 1
    assert len(other.platform.log.all("register")) == 1


def test_an_lms_without_dynamic_registration_is_not_invited(world: World) -> None:
    for kind in ("schoology", "unheard-of"):
        with pytest.raises(registrations.RegistrationProblem):
            _other(world).invite(kind)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"openid_configuration": None}, "login_missing_param"),
        ({"openid_configuration": ""}, "login_missing_param"),
        ({"openid_configuration": ["https://a.test/", "https://b.test/"]}, "login_conflict"),
        ({"registration_token": "a b"}, "claim_invalid"),
        ({"registration_token": "a\r\nX: y"}, "claim_invalid"),
        ({"registration_token": "x" * 20_000}, "claim_invalid"),
    ],
    ids=["absent", "empty", "twice", "space", "newline", "long"],
)
def test_a_registration_address_that_says_too_little_or_too_much(
    other: Lms, changes: dict[str, Any], code: str
) -> None:
    assert_refused(other.register(other.invite(), **changes), code, 400)
    assert stored(other.world) == []


def test_a_head_request_registers_nothing(other: Lms) -> None:
    query = other.query(other.invite())
    answer = other.world.app.test_client().head("/lti/register", base_url=TOOL, query_string=query)

    assert answer.status_code == 405
    assert stored(other.world) == []


# those that are known already


@pytest.mark.parametrize("state", ["approved", "disabled"])
def test_a_known_platform_is_never_taken_over(other: Lms, state: str) -> None:
    world = other.world
    answered = {"client_id": "tool-a", "scope": "openid"}
    other.platform.script.on("register", Reply(201, body=answered), times=3)
    assert other.register(other.invite()).status_code == 200
    (known,) = stored(world)
    with world.database.writing() as session:
        registrations.set_state(session, known.public_id, state)
    before = stored(world)[0]
    invitation = other.invite()

    assert_refused(other.register(invitation), "registration_exists", 409)

    (after,) = stored(world)
    assert (after.state, after.scopes, after.jwks_url) == (before.state, before.scopes, before.jwks_url)
    assert unused_invitations(world) == 1


def test_many_pending_ones_of_a_platform_stand_in_nobodys_way(other: Lms) -> None:
    world = other.world
    other.platform.script.on("register", Reply(201, body={"client_id": "tool-z"}), times=3)
    for _ in range(3):
        assert other.register(other.invite()).status_code == 200
    first, second, third = stored(world)

    with world.database.writing() as session:
        registrations.approve(session, second.public_id, now=world.clock.now())
    for step in (registrations.approve, registrations.disable):
        with pytest.raises(registrations.RegistrationProblem) as taken, world.database.writing() as session:
            step(session, first.public_id)
        assert taken.value.code == "registration_exists"
    assert [row.state for row in stored(world)] == ["pending", "approved", "pending"]
    assert third.client_id == "tool-z"


# limits


def test_one_source_may_wait_with_ten_and_try_five_times_a_minute(migrated_sqlite_url: str) -> None:
    with lti_world(migrated_sqlite_url) as world:
        other = _other(world)
        for _ in range(5):
            assert other.register(other.invite()).status_code == 200
        assert_refused(other.register(other.invite()), "temporarily_unavailable", 429)
        world.clock.pass_(seconds=61)
        for _ in range(5):
            assert other.register(other.invite()).status_code == 200
        world.clock.pass_(seconds=61)
        assert_refused(other.register(other.invite()), "temporarily_unavailable", 429)
        assert len(stored(world)) == 10
        assert len({row.source for row in stored(world)}) == 1
        with world.database.writing() as session:
            registrations.approve(session, stored(world)[0].public_id, now=world.clock.now())
        assert other.register(other.invite()).status_code == 200
