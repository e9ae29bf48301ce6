"""Rosters, access tokens and keys against a platform over HTTP, alone and with Redis between processes."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis

from demo_lms import Reply
from demo_lms.names import CLAIMS
from lti_tool.protocol.names import SCOPE_MEMBERS, SCOPE_SCORE
from lti_tool.roster import MEDIA_TYPE, read_roster
from microcred.app.wiring import redis_client
from microcred.sealing import Keyring
from tests.support.lti import World, is_accepted, lti_world


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        made.tool.keys.ensure()
        made.a.platform.tools["tool-a"].jwks = made.tool.keys.jwks()
        yield made


@pytest.fixture
def shared_world(migrated_sqlite_url: str, redis_url: str) -> Iterator[World]:
    with redis.Redis.from_url(redis_url) as client, lti_world(migrated_sqlite_url, cache=client) as made:
        made.tool.keys.ensure()
        made.a.platform.tools["tool-a"].jwks = made.tool.keys.jwks()
        yield made


def _roster_url(world: World) -> str:
    claims = world.a.platform.claims_for("u-1", "rl-1")
    return str(claims[CLAIMS["nrps"]]["context_memberships_url"])


def _page(world: World, *user_ids: str, next_page: str = "") -> Reply:
    headers = {"Link": f'<{next_page}>; rel="next"'} if next_page else {}
    members = [{"user_id": user_id, "roles": ["Learner"]} for user_id in user_ids]
    return Reply(200, headers, {"id": "x", "context": {"id": "c-1"}, "members": members})


@pytest.mark.case("NR-01")
@pytest.mark.case("NR-06")
def test_a_roster_is_read_with_its_own_scope(world: World) -> None:
    world.a.platform.tools["tool-a"].privacy = "anonymous"

    roster = read_roster(world.tool.client_for(world.a.facts), _roster_url(world))

    assert roster.is_whole
    assert [member.user_id for member in roster.members] == ["u-1", "u-2", "dana"]
    assert {member.name for member in roster.members} == {None}
    request = world.a.platform.log.last("memberships")
    assert request.headers["Accept"] == MEDIA_TYPE
    assert request.headers["Authorization"].startswith("Bearer ")
    assert world.a.platform.log.last("token").form["scope"] == SCOPE_MEMBERS


@pytest.mark.case("NR-02")
def test_next_pages_are_followed_byte_for_byte(world: World) -> None:
    url = _roster_url(world)
    following = f"{url}?pAge=AbC%2B&x=%2f"
    world.a.platform.script.on("memberships", _page(world, "m-1", next_page=following))
    world.a.platform.script.on("memberships", _page(world, "m-2", next_page=f"{url}?pAge=3"))
    world.a.platform.script.on("memberships", _page(world, "m-3"))

    roster = read_roster(world.tool.client_for(world.a.facts), url)

    assert [member.user_id for member in roster.members] == ["m-1", "m-2", "m-3"]
    assert world.a.platform.log.all("memberships")[1].query == "pAge=AbC%2B&x=%2f"


@pytest.mark.case("NR-04")
@pytest.mark.case("NR-05")
@pytest.mark.case("NR-08")
@pytest.mark.case("NR-09")
@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (Reply(500), "http_500"),
        (Reply(200, body="<html>"), "unreadable"),
        (Reply(200, body={}), "unreadable"),
        (Reply(200, body={"members": None}), "unreadable"),
        (Reply(200, body=b" " * 5_000_000), "too_large"),
        (Reply(drop="before"), "dropped"),
    ],
    ids=["500", "html", "empty", "null", "big", "drop"],
)
def test_a_roster_that_breaks_off_is_partial(world: World, second: Reply, problem: str) -> None:
    url = _roster_url(world)
    world.a.platform.script.on("memberships", _page(world, "m-1", next_page=f"{url}?page=2"))
    world.a.platform.script.on("memberships", second)

    roster = read_roster(world.tool.client_for(world.a.facts), url)

    assert (roster.problem, [member.user_id for member in roster.members]) == (problem, ["m-1"])


@pytest.mark.parametrize(
    ("lms", "sent", "name"),
    [
        ("moodle", "Zoë Demo-Ångström &amp; O'Test", "Zoë Demo-Ångström & O'Test"),
        ("moodle", "さくら デモ教師", "さくら デモ教師"),
        ("other", "Zoë &amp; Co", "Zoë &amp; Co"),
    ],
)
def test_names_in_a_roster_of_moodle_lose_their_entities(
    world: World, lms: str, sent: str, name: str
) -> None:
    member = {"user_id": "m-1", "roles": ["Learner"], "name": sent, "email": "a&amp;b@example.org"}
    world.a.platform.script.on("memberships", Reply(200, {}, {"id": "x", "members": [member]}))

    roster = read_roster(world.tool.client_for(replace(world.a.facts, lms=lms)), _roster_url(world))

    email = "a&b@example.org" if lms == "moodle" else "a&amp;b@example.org"
    assert [(found.name, found.email) for found in roster.members] == [(name, email)]


@pytest.mark.case("NR-04")
@pytest.mark.case("NR-05")
def test_a_roster_is_not_followed_in_circles_or_elsewhere(world: World) -> None:
    url, evil = _roster_url(world), world.b
    client = world.tool.client_for(world.a.facts)
    world.a.platform.script.on("memberships", _page(world, "m-1", next_page=f"{url}?page=2"))
    world.a.platform.script.on("memberships", _page(world, "m-2", next_page=url))
    assert read_roster(client, url).problem == "loop"

    for elsewhere in (f"{evil.server.url}/next", "https://evil.test/next", "http://evil.test/next"):
        world.a.platform.script.on("memberships", _page(world, "m-1", next_page=elsewhere))
        assert read_roster(client, url).problem == "url_not_allowed"
    assert evil.platform.log.count() == 0


def test_a_token_is_asked_for_once_and_shared_between_processes(shared_world: World, redis_url: str) -> None:
    world, url = shared_world, _roster_url(shared_world)
    for _ in range(3):
        assert read_roster(world.tool.client_for(world.a.facts), url).is_whole
    assert world.a.platform.log.count("token") == 1

    with redis.Redis.from_url(redis_url) as client:
        kept = b"".join(client.get(key) or b"" for key in client.keys("*token*"))
    token = world.a.platform.log.last("memberships").headers["Authorization"].removeprefix("Bearer ")
    assert kept
    assert token.encode() not in kept
    world.clock.pass_(minutes=59, seconds=1)
    assert read_roster(world.tool.client_for(world.a.facts), url).is_whole
    assert world.a.platform.log.count("token") == 2


def test_tokens_never_cross_between_registrations_of_one_issuer(world: World) -> None:
    platform = world.a.platform
    platform.add_tool("tool-a2", "x", ["x"], deployment_id="dep-9", jwks=world.tool.keys.jwks())
    a2 = world.register("a2", platform, world.a.server, "tool-a2", "dep-9")
    tokens = world.tool.services.tokens

    assert tokens.token(world.a.facts, [SCOPE_SCORE]) != tokens.token(a2.facts, [SCOPE_SCORE])


def test_redis_that_goes_away_stops_nothing(migrated_sqlite_url: str) -> None:
    with (
        redis_client("redis://127.0.0.1:1") as client,
        lti_world(migrated_sqlite_url, cache=client, settings={"rate_login": 5}) as world,
    ):
        assert is_accepted(world.browser().launch())


def test_a_redis_that_takes_calls_and_says_nothing_is_asked_once(migrated_sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        port = silent.getsockname()[1]
        with (
            redis_client(f"redis://127.0.0.1:{port}") as client,
            lti_world(migrated_sqlite_url, cache=client, settings={"rate_login": 50}) as world,
        ):
            for _ in range(10):
                assert is_accepted(world.browser().launch())
        silent.settimeout(0.2)
        calls = 0
        with contextlib.suppress(TimeoutError):
            while True:
                silent.accept()[0].close()
                calls += 1
        assert 1 <= calls <= 4  # one question and its repeat; ten launches ask about forty


def test_a_platforms_keys_are_shared_between_processes(
    shared_world: World, migrated_sqlite_url: str, redis_url: str
) -> None:
    assert is_accepted(shared_world.browser().launch())
    fetched = shared_world.a.platform.log.count("jwks")
    shared_world.tool.platform_keys._held.clear()  # as in a process that starts now

    assert is_accepted(shared_world.browser().launch())
    assert shared_world.a.platform.log.count("jwks") == fetched == 1


def test_tool_keys_are_sealed_and_can_be_resealed(world: World) -> None:
    keys, database = world.tool.keys, world.database
    (first,) = keys.list()
    assert first.signs
    old = "a secret of the tests, long enough"
    renewed = type(keys)(database, Keyring(["a newer secret of the tests", old]), world.clock)

    assert renewed.reseal() == 1
    assert renewed.reseal() == 0
    alone = type(keys)(database, Keyring(["a newer secret of the tests"]), world.clock)
    assert alone.sign({"a": 1}).count(".") == 2
    assert keys.rotate() != first.kid
    assert [key.signs for key in keys.list()] == [False, True]
