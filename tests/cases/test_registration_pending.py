"""Dynamic registration that succeeds: what is asked for in each LMS, what is stored, what the page says."""

from collections.abc import Iterator

import pytest

import demo_lms
from demo_lms import DIALECTS, Platform, Reply
from demo_lms.registration import openid_configuration
from lti_tool import registrations
from lti_tool.dynamic_registration import EXPIRY, expiry_handler
from lti_tool.models import Deployment, Registration
from microcred.outbox import OutboxRow, Worker
from microcred.outgoing import Outgoing
from microcred.people.models import Organization
from tests.support.lti import TOOL, World, assert_refused, is_accepted, lti_world
from tests.support.registering import (
    AGS,
    NRPS,
    TOOL_CONFIGURATION,
    Lms,
    deployments,
    lms,
    stored,
    unused_invitations,
)


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url, settings={"rate_register": 0}) as made:
        yield made


def _running(world: World, dialect: str = "plain") -> tuple[Platform, demo_lms.Server]:
    kind = next(one for one in DIALECTS.values() if one.name == dialect)
    platform = Platform("https://unused.test", dialect=kind, clock=world.clock.now)
    return platform, world._servers.enter_context(demo_lms.serve(platform))


@pytest.fixture
def other(world: World) -> Lms:
    """An LMS that follows the specification."""
    return lms(world, *_running(world))


@pytest.mark.case("DR-01", choice="the close message goes out five seconds after the page, or at its button")
def test_a_registered_platform_waits_for_approval(other: Lms) -> None:
    world = other.world
    answer = other.register(other.invite())

    assert answer.status_code == 200, answer.headers.get("X-LTI-Error")
    (row,) = stored(world)
    (made,) = other.platform.tools.values()
    assert (row.state, row.lms, row.issuer, row.client_id) == (
        "pending",
        "other",
        other.server.url,
        made.client_id,
    )
    assert (row.auth_url, row.token_url, row.jwks_url) == (
        other.platform.auth_url,
        other.platform.token_url,
        other.platform.jwks_url,
    )
    assert [d.deployment_id for d in deployments(world, row)] == made.deployments
    assert set(row.scopes or ()) == {
        f"{AGS}lineitem",
        f"{AGS}lineitem.readonly",
        f"{AGS}result.readonly",
        f"{AGS}score",
        NRPS,
    }
    assert row.public_id in answer.text
    assert "What will not work" not in answer.text
    assert "lti/static/registered.js" in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert unused_invitations(world) == 0
    with world.app.test_client().get("/lti/static/registered.js", base_url=TOOL) as script:
        assert "org.imsglobal.lti.close" in script.get_data(as_text=True)


def test_what_is_asked_of_a_platform(other: Lms) -> None:
    other.register(other.invite())

    asked = other.asked()
    assert asked["initiate_login_uri"] == f"{TOOL}/lti/login"
    assert asked["redirect_uris"] == [f"{TOOL}/lti/launch"]
    assert asked["jwks_uri"] == f"{TOOL}/lti/jwks"
    assert asked["token_endpoint_auth_method"] == "private_key_jwt"
    tool = asked[TOOL_CONFIGURATION]
    assert (tool["domain"], tool["target_link_uri"]) == ("tool.test", f"{TOOL}/lti/launch")
    assert tool["custom_parameters"] == {
        "context_history": "$Context.id.history",
        "link_history": "$ResourceLink.id.history",
    }
    # DataPrivacyLaunchRequest is not on this platform's list.
    assert [message["type"] for message in tool["messages"]] == [
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
        "LtiSubmissionReviewRequest",
    ]
    assert tool["messages"][1]["target_link_uri"] == f"{TOOL}/lti/deep-link"


@pytest.mark.case("DR-06", choice="without an invitation only where OPEN_REGISTRATION is set")
def test_a_stranger_may_wait_and_nothing_more(migrated_sqlite_url: str) -> None:
    with lti_world(migrated_sqlite_url, settings={"open_registration": True, "rate_register": 0}) as world:
        other = lms(world, *_running(world))
        other.platform.add_person("u-1", "Demo Stranger")
        other.platform.add_course("c-1", "Demo course")
        other.platform.enrol("c-1", "u-1", "Learner")

        assert other.register().status_code == 200
        (row,) = stored(world)
        (made,) = other.platform.tools.values()
        other.platform.add_link("c-1", "Demo link", link_id="rl-1")
        browser = world.browser()
        refused = browser.start(other.platform.begin_launch("u-1", "rl-1"), client_id=made.client_id)
        assert_refused(refused, "registration_inactive", 403)
        assert [one.endpoint for one in other.platform.log.all()] == ["openid_configuration", "register"]

        with world.database.writing() as session:
            registrations.approve(session, row.public_id, now=world.clock.now())
        login = browser.start(other.platform.begin_launch("u-1", "rl-1"), client_id=made.client_id)
        form = other.platform.authorize(login.headers["Location"])
        assert isinstance(form, demo_lms.FormPost)
        assert is_accepted(browser.post(form.fields))


@pytest.mark.case("DR-10")
def test_fewer_scopes_than_asked_are_stored_and_said(other: Lms) -> None:
    other.platform.script.on("register", Reply(201, body={"client_id": "c-9", "scope": f"{AGS}score {NRPS}"}))

    answer = other.register(other.invite())

    (row,) = stored(other.world)
    assert row.scopes == [f"{AGS}score", NRPS]
    assert "What will not work" in answer.text
    assert "making further gradebook columns" in answer.text
    assert "finding the gradebook column of a link again" in answer.text
    assert "sending grades" not in answer.text
    assert "reading who is in a course" not in answer.text


def test_a_platform_that_says_nothing_of_scopes_is_taken_at_its_word(other: Lms) -> None:
    other.platform.script.on("register", Reply(200, body={"client_id": 17}))

    assert "What will not work" not in other.register(other.invite()).text
    (row,) = stored(other.world)
    assert (row.client_id, row.scopes) == ("17", None)
    assert deployments(other.world, row) == []


def test_the_organization_is_that_of_the_invitation(other: Lms) -> None:
    other.register(other.invite(organization="district-7"))

    (row,) = stored(other.world)
    with other.world.database.reading() as session:
        assert session.get_one(Organization, row.organization_id).code == "district-7"


# each LMS its own


def _canvas(world: World, issuer: str = "https://canvas.instructure.com") -> Lms:
    platform, server = _running(world, "canvas")
    host = f"school.instructure.com:{server.url.rpartition(':')[2]}"
    platform.issuer, platform.base_url = issuer, f"http://{host}"
    return Lms(world, platform, server)


@pytest.fixture
def canvas_world(migrated_sqlite_url: str) -> Iterator[World]:
    """A tool for which every host name leads to this machine."""
    allow = ("localhost", "127.0.0.1", "school.instructure.com")
    outgoing = Outgoing(allow, resolve=lambda host, port: ["127.0.0.1"])
    with lti_world(
        migrated_sqlite_url, settings={"allow_hosts": allow, "rate_register": 0}, outgoing=outgoing
    ) as made:
        yield made


def test_canvas_gets_its_placements(canvas_world: World) -> None:
    canvas = _canvas(canvas_world)

    answer = canvas.register(canvas.invite("canvas"))

    assert answer.status_code == 200, answer.headers.get("X-LTI-Error")
    (row,) = stored(canvas_world)
    assert (row.lms, row.issuer, row.is_test_site) == ("canvas", "https://canvas.instructure.com", False)
    assert row.token_audience is None
    assert row.name == canvas.platform.name
    (made,) = canvas.platform.tools.values()
    assert made.placements == [
        "assignment_selection",
        "course_assignments_menu",
        "link_selection",
        "module_index_menu_modal",
        "module_menu_modal",
    ]
    assert made.privacy == "public"
    assert made.custom == {"context_history": "$Context.id.history"}
    assert "Developer Keys" in answer.text


def test_a_canvas_test_site_is_known_by_its_issuer(canvas_world: World) -> None:
    beta = _canvas(canvas_world, "https://canvas.beta.instructure.com")

    assert beta.register(beta.invite("canvas")).status_code == 200
    assert stored(canvas_world)[0].is_test_site


def test_moodle_wants_host_and_port_and_says_only_what_it_fills(migrated_sqlite_url: str) -> None:
    settings = {"public_url": "http://127.0.0.1:5000", "rate_register": 0}
    with lti_world(migrated_sqlite_url, settings=settings) as world:
        moodle = lms(world, *_running(world))
        config = openid_configuration(moodle.platform)
        config["https://purl.imsglobal.org/spec/lti-platform-configuration"]["product_family_code"] = "moodle"
        moodle.platform.script.on("openid_configuration", Reply(200, body=config))
        query = moodle.query(moodle.invite())
        answer = world.app.test_client().get("/lti/register", query_string=query)

        assert answer.status_code == 200, answer.headers.get("X-LTI-Error")
        assert moodle.asked()[TOOL_CONFIGURATION]["domain"] == "127.0.0.1:5000"
        assert moodle.asked()[TOOL_CONFIGURATION]["custom_parameters"] == {
            "context_history": "$Context.id.history"
        }
        assert stored(world)[0].lms == "moodle"
        assert "press Activate" in answer.text


# what becomes of those that wait


def test_what_nobody_approves_is_forgotten_after_two_weeks(other: Lms) -> None:
    world = other.world
    other.register(other.invite())
    (row,) = stored(world)
    handlers = {EXPIRY: expiry_handler(world.database, world.clock)}
    worker = Worker(world.database, world.clock, handlers=handlers)

    world.clock.pass_(days=13, hours=23)
    worker.run_due()
    assert len(stored(world)) == 1
    world.clock.pass_(hours=2)
    with pytest.raises(registrations.RegistrationProblem) as late, world.database.writing() as session:
        registrations.approve(session, row.public_id, now=world.clock.now())
    assert late.value.code == "registration_expired"
    worker.run_due()
    assert stored(world) == []
    with world.database.reading() as session:
        assert session.query(Deployment).filter_by(registration_id=row.id).count() == 0
        assert session.query(OutboxRow).one().state == "delivered"


def test_what_was_approved_in_time_stays(other: Lms) -> None:
    world = other.world
    other.register(other.invite())
    (row,) = stored(world)
    with world.database.writing() as session:
        registrations.approve(session, row.public_id, now=world.clock.now())
    world.clock.pass_(days=15)

    Worker(
        world.database, world.clock, handlers={EXPIRY: expiry_handler(world.database, world.clock)}
    ).run_due()

    (kept,) = stored(world)
    assert (kept.state, kept.source, kept.expires_at) == ("approved", None, None)


def test_a_pending_platform_can_be_given_to_an_organization(other: Lms) -> None:
    world = other.world
    other.register(other.invite())
    (row,) = stored(world)
    with world.database.writing() as session:
        home = session.get_one(Registration, world.a.facts.row_id).organization_id
        registrations.give(session, row.public_id, home)

    assert stored(world)[0].organization_id == home
    assert [d.organization_id for d in deployments(world, row)] == [home]
