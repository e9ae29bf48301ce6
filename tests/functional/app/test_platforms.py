"""`microcred platform` and `microcred launches`."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from microcred.people.models import LmsIdentity, Person
from tests.functional.app.conftest import PLATFORM, Command

TOOL = "https://tool.example.org"


def test_add_registers_at_once_and_prints_the_addresses(microcred: Command) -> None:
    made = microcred.platform("--deployment-id", "d-1", "--deployment-id", "d-2", organization="lakeshore")
    number = made["registration_id"]
    assert made == {
        "registration_id": number,
        "login_url": f"{TOOL}/lti/login/{number}",
        "launch_url": f"{TOOL}/lti/launch",
        "jwks_url": f"{TOOL}/lti/jwks",
        "deep_link_url": f"{TOOL}/lti/deep-link",
    }
    shown = microcred.json("platform", "show", number)
    assert shown == made | {
        "name": "Demo LMS",
        "lms": "other",
        "state": "approved",
        "issuer": PLATFORM["--issuer"],
        "client_id": "tool-1",
        "auth_url": PLATFORM["--auth-url"],
        "token_url": PLATFORM["--token-url"],
        "jwks_url": PLATFORM["--jwks-url"],
        "token_audience": None,
        "trusted_audiences": [],
        "service_hosts": [],
        "algorithms": ["RS256"],
        "any_deployment": False,
        "separate_site": False,
        "is_test_site": False,
        "scopes": None,
        "expires_at": None,
        "unavailable": [],
        "organization": "lakeshore",
        "deployments": [
            {"deployment_id": "d-1", "state": "approved", "organization": "lakeshore"},
            {"deployment_id": "d-2", "state": "approved", "organization": "lakeshore"},
        ],
        "noted_hosts": [],
    }
    assert microcred.json("platform", "list") == [shown]
    assert "d-1 (approved)" in microcred("platform", "list").stdout
    assert f"registration_id: {number}" in microcred("platform", "show", number).stdout


def test_all_options_are_kept(microcred: Command) -> None:
    made = microcred.platform(
        *("--trusted-audience", "one", "--trusted-audience", "two"),
        *("--service-host", "*.lms.example.org", "--service-host", "grades.example.org:8443"),
        *("--any-deployment", "--test-site"),
        lms="moodle",
        token_audience="https://lms.example.org/aud",
    )
    shown = microcred.json("platform", "show", made["registration_id"])
    assert shown["trusted_audiences"] == ["one", "two"]
    assert shown["service_hosts"] == ["*.lms.example.org", "grades.example.org:8443"]
    assert (shown["any_deployment"], shown["is_test_site"]) == (True, True)
    assert (shown["lms"], shown["token_audience"]) == ("moodle", "https://lms.example.org/aud")


def test_a_second_one_with_the_same_client_id_is_refused_and_changes_nothing(microcred: Command) -> None:
    microcred.platform()
    before = microcred.json("platform", "list")
    refused = microcred.platform("--deployment-id", "d-9", status=1, name="Another", organization="new-one")
    assert refused.stdout == ""
    assert "already" in refused.stderr or "exist" in refused.stderr
    assert microcred.json("platform", "list") == before


def test_separate_sites_share_issuer_and_client_id(microcred: Command) -> None:
    first = microcred.platform(organization="north")
    second = microcred.platform("--separate-site", organization="south")
    assert first["login_url"] != second["login_url"]
    sites = microcred.json("platform", "list")
    # Both answer at their own login addresses alone: issuer and client id do not say which one is meant.
    assert [(site["organization"], site["separate_site"]) for site in sites] == [
        ("north", True),
        ("south", True),
    ]


@pytest.mark.parametrize("option", ["issuer", "auth_url", "token_url", "jwks_url"])
def test_addresses_must_be_https(microcred: Command, option: str) -> None:
    for url in ("http://lms.example.org/x", "ftp://lms.example.org/x", "no address"):
        microcred.platform(status=1, **{option: url})
    assert microcred.json("platform", "list") == []
    microcred.settings["MICROCRED_ALLOW_HOSTS"] = "localhost:8000"
    microcred.platform(status=0, **{option: "http://localhost:8000/x"})


def test_a_platform_is_shut_out_and_let_in_again(microcred: Command) -> None:
    number = microcred.platform()["registration_id"]
    assert microcred.json("platform", "disable", number)["state"] == "disabled"
    assert microcred.json("platform", "show", number)["state"] == "disabled"
    assert microcred.json("platform", "enable", number)["state"] == "approved"
    for verb in ("show", "approve", "disable", "enable"):
        refused = microcred("platform", verb, "nobody-knows", status=1)
        assert refused.stderr == "microcred: There is no registration with this id.\n"


def test_a_deployment_is_approved_into_an_organization(microcred: Command) -> None:
    number = microcred.platform(organization="north")["registration_id"]
    shown = microcred.json("platform", "approve", number, "--deployment-id", "d-7", "--organization", "south")
    assert shown["deployments"] == [{"deployment_id": "d-7", "state": "approved", "organization": "south"}]
    other = microcred.json("platform", "approve", number, "--deployment-id", "d-8")
    assert other["deployments"][1] == {"deployment_id": "d-8", "state": "approved", "organization": "north"}


def test_launches_are_listed_newest_first(microcred: Command) -> None:
    number = microcred.platform("--deployment-id", "d-1")["registration_id"]
    assert microcred.json("launches", "list") == []
    assert microcred("launches", "list").stdout == "Nothing to list.\n"
    _add_launches(microcred, 3)
    found = microcred.json("launches", "list", "--last", "2")
    assert [launch["sub"] for launch in found] == ["sub-2", "sub-1"]
    assert found[0] == {
        "launch_id": found[0]["launch_id"],
        "at": "2026-03-02T09:00:02+00:00",
        "registration_id": number,
        "deployment_id": "d-1",
        "sub": "sub-2",
        "message_type": "LtiResourceLinkRequest",
        "context_id": "course",
        "resource_link_id": None,
        "rights": ["read", "submit"],
    }
    assert microcred.json("launches", "list")[2]["resource_link_id"] == "link-0"
    assert "sub-2" in microcred("launches", "list").stdout


def _add_launches(microcred: Command, count: int) -> None:
    assembly = microcred.assembly()
    with assembly.database.writing() as session:
        registration = session.scalars(select(Registration)).one()
        deployment = session.scalars(select(Deployment)).one()
        for number in range(count):
            at = datetime(2026, 3, 2, 9, 0, number, tzinfo=UTC)
            person = Person(created_at=at)
            session.add(person)
            session.flush()
            identity = LmsIdentity(
                registration_id=registration.id, sub=f"sub-{number}", person_id=person.id, created_at=at
            )
            session.add(identity)
            context = session.scalar(select(Context))
            link = None
            if context is None:
                context = Context(deployment_id=deployment.id, context_id="course", created_at=at)
                session.add(context)
                session.flush()
                link = ResourceLink(
                    deployment_id=deployment.id,
                    context_id=context.id,
                    resource_link_id=f"link-{number}",
                    created_at=at,
                )
                session.add(link)
            session.flush()
            session.add(
                Launch(
                    state_id=f"state-{number}",
                    registration_id=registration.id,
                    deployment_id=deployment.id,
                    identity_id=identity.id,
                    person_id=person.id,
                    context_id=context.id,
                    resource_link_id=link.id if link else None,
                    message_type="LtiResourceLinkRequest",
                    rights=["submit", "read"],
                    is_test_user=False,
                    custom={},
                    bound_by="cookie",
                    created_at=at,
                    last_seen_at=at,
                )
            )
    assembly.close()
