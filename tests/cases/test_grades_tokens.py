"""Grade delivery: access tokens and tool keys (Security Framework 1.0, section 4)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from demo_lms import Reply, SigningKey
from demo_lms.model import AccessToken
from grade_passback.wire import RESULT_SCOPE, SCOPES, SCORE_SCOPE
from lti_tool.cache import InProcessCache
from lti_tool.facts import RegistrationFacts
from lti_tool.models import Registration
from lti_tool.services import TokenRefused, TokenSource
from microcred.outbox import status
from tests.support.grading import World, world_on


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with world_on(migrated_sqlite_url) as made:
        yield made


@pytest.mark.case("TO-01")
def test_token_request(world: World) -> None:
    course = world.course()
    world.score(world.learner(course, "u-1"), 85)
    world.deliver()
    asked = course.platform.log.last("token")
    form = asked.form
    assert asked.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    header = jwt.get_unverified_header(form["client_assertion"])
    claims = jwt.decode(form["client_assertion"], options={"verify_signature": False})
    assert header["kid"] in {key["kid"] for key in world.keys.jwks()["keys"]}
    assert claims["iss"] == claims["sub"] == "tool-a"
    assert claims["aud"] == course.platform.token_url
    assert claims["exp"] - world.clock.now().timestamp() <= 300
    assert len(claims["jti"]) >= 16


@pytest.mark.case("TO-02")
def test_hundred_scores_need_one_token(world: World) -> None:
    course = world.course()
    for n in range(100):
        world.score(world.learner(course, f"u-{n}"), n)
    world.deliver()
    assert len(course.scores()) == 100
    assert course.platform.log.count("token") == 1


def test_processes_that_share_a_cache_ask_for_one_token_at_a_time(world: World) -> None:
    course = world.course()
    course.platform.script.on("token", Reply(delay=0.3), times=None)
    with world.database.reading() as session:
        facts = RegistrationFacts.of(session.get_one(Registration, course.registration_id))
    shared = InProcessCache(world.clock)
    sources = [
        TokenSource(world.outgoing, world.keys, world.keyring, shared, world.clock) for _process in range(4)
    ]
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda n: sources[n % 4].token(facts, SCOPES), range(8)))
    assert (len(tokens), course.platform.log.count("token")) == (1, 1)
    # Whoever was refused with it asks for another, which all have then.
    (spent,) = tokens
    with ThreadPoolExecutor(4) as pool:
        fresh = set(pool.map(lambda source: source.token(facts, SCOPES, spent=spent), sources))
    assert (len(fresh), fresh & tokens, course.platform.log.count("token")) == (1, set(), 2)


def test_a_refusal_is_for_everybody_who_waited_for_it(world: World) -> None:
    course = world.course()
    course.platform.script.on("token", Reply(status=503, delay=0.5), times=1)
    with world.database.reading() as session:
        facts = RegistrationFacts.of(session.get_one(Registration, course.registration_id))
    source = TokenSource(world.outgoing, world.keys, world.keyring, InProcessCache(world.clock), world.clock)

    def ask(_number: int) -> int | None:
        with pytest.raises(TokenRefused) as refused:
            source.token(facts, SCOPES)
        return refused.value.answer.status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {503}
    assert course.platform.log.count("token") == 1
    assert source.token(facts, SCOPES)
    assert course.platform.log.count("token") == 2


@pytest.mark.case("TO-04")
def test_refused_token_is_replaced_once(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    world.score(learner, 70)
    world.deliver()
    course.platform.access_tokens.clear()
    row = world.score(learner, 85)
    world.deliver()
    kept = world.row(row)
    assert (kept.state, kept.attempts, (kept.last_answer or {})["token_renewed"]) == ("delivered", 1, True)
    assert course.platform.log.count("token") == 2
    assert len(course.scores()) == 3


def test_second_refusal_is_blocked(world: World) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    course.platform.script.on("scores", Reply(401), times=None)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "auth_failed")
    assert len(course.scores()) == 2


@pytest.mark.case("TO-06")
def test_unknown_client_pauses_the_registration(world: World) -> None:
    course, other = world.course(), world.course()
    course.platform.script.on("token", Reply(400, body={"error": "invalid_client"}), times=None)
    rows = [world.score(world.learner(course, f"u-{n}"), n) for n in range(50)]
    world.score(world.learner(other, "u-1"), 85)
    world.deliver_for(minutes=10)
    assert {world.row(row).state for row in rows} == {"waiting"}
    assert course.platform.log.count("token") <= 20
    assert course.scores() == []
    assert other.grade("u-1").score == 85
    with world.database.reading() as session:
        (troubled,) = status(session, now=world.clock.now()).troubled
    assert (troubled.name, troubled.pause_reason) == (course.destination, "auth_failed")

    course.platform.script.clear()
    world.deliver_for(minutes=10)
    assert {world.row(row).state for row in rows} == {"delivered"}


@pytest.mark.case("TO-07")
@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER"])
def test_token_answer_without_lifetime(world: World, kind: str) -> None:
    course = world.course()

    learner = world.learner(course, "u-1")
    world.score(learner, 70)
    token = "t-1"
    course.platform.access_tokens[token] = AccessToken(
        "tool-a", list(course.platform.tools["tool-a"].scopes), world.clock.now().replace(year=2030)
    )
    course.platform.script.on("token", Reply(200, body={"access_token": token, "token_type": kind}))
    world.deliver()
    assert course.grade("u-1").score == 70
    world.clock.pass_(seconds=3601)
    world.score(learner, 75)
    world.deliver()
    assert course.platform.log.count("token") == 2


@pytest.mark.case("TO-08")
@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        {},
        {"access_token": None, "token_type": "bearer"},
        {"access_token": "", "token_type": "bearer"},
        {"access_token": "a b", "token_type": "bearer"},
        "[1]",
    ],
)
def test_unusable_token_answers_are_tried_again(world: World, body: object) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    course.platform.script.on("token", Reply(200, body=body))
    world.deliver()
    assert world.row(row).state == "waiting"
    assert course.scores() == []
    world.deliver_for(minutes=1)
    assert world.row(row).state == "delivered"


@pytest.mark.case("TO-09")
def test_granted_scope_without_score_is_blocked(world: World) -> None:
    course = world.course()
    learner = world.learner(course, "u-1")
    course.platform.script.on(
        "token", Reply(200, body={"access_token": "t", "token_type": "bearer", "scope": RESULT_SCOPE})
    )
    row = world.score(learner, 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "scope_missing")
    assert course.scores() == []
    assert "administrator" in world.sync(learner).advice


@pytest.mark.case("TO-09")
def test_offered_scopes_without_score_are_blocked_without_a_request(world: World) -> None:
    course = world.course(scopes=(RESULT_SCOPE,))
    row = world.score(world.learner(course, "u-1"), 85)
    world.deliver()
    assert (world.row(row).state, world.row(row).reason) == ("blocked", "scope_missing")
    assert course.platform.log.count() == 0


@pytest.mark.case("TO-11")
def test_rotated_tool_key_signs_for_rows_that_waited(world: World) -> None:
    course = world.course()
    for n in range(50):
        world.score(world.learner(course, f"u-{n}"), n)
    old = {key["kid"] for key in world.keys.jwks()["keys"]}
    new = world.keys.rotate()
    published = world.keys.jwks()
    assert {key["kid"] for key in published["keys"]} == {*old, new}
    course.platform.tools["tool-a"].jwks = published
    world.deliver()
    assert len(course.column().grades) == 50
    assert jwt.get_unverified_header(course.platform.log.last("token").form["client_assertion"])["kid"] == new


@pytest.mark.case("TO-13")
def test_platforms_own_keys_do_not_matter(world: World) -> None:
    course = world.course()
    row = world.score(world.learner(course, "u-1"), 85)
    course.platform.keys.rotate(SigningKey.generate("p-2"))
    world.deliver()
    assert world.row(row).state == "delivered"
    assert SCORE_SCOPE in course.platform.log.last("token").form["scope"]
