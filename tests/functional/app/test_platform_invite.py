"""`microcred platform invite` and `config`, and what `show` says of hosts and scopes."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

import demo_lms
from demo_lms import Platform
from demo_lms.registration import new_registration_token
from lti_tool import registrations
from microcred.app.factory import create_app
from tests.functional.app.conftest import Command

TOOL = "https://tool.example.org"


def test_an_invitation_registers_one_platform_that_then_waits(microcred: Command) -> None:
    made = microcred.json("platform", "invite", "--lms", "other", "--organization", "lakeshore")
    assert made["url"].startswith(f"{TOOL}/lti/register?invitation=")
    assert (made["lms"], made["organization"]) == ("other", "lakeshore")
    platform = Platform("https://unused.test")
    with demo_lms.serve(platform) as server:
        platform.issuer = server.url
        microcred.settings["MICROCRED_ALLOW_HOSTS"] = urlsplit(server.url).netloc
        answer = _register(microcred, made["url"], platform)
        assert answer == 200
        assert _register(microcred, made["url"], platform) == 403
    (shown,) = microcred.json("platform", "list")
    assert (shown["state"], shown["organization"], shown["issuer"]) == ("pending", "lakeshore", server.url)
    assert shown["unavailable"] == []
    number = shown["registration_id"]
    approved = microcred.json("platform", "approve", number, "--organization", "hillside")
    assert (approved["state"], approved["organization"], approved["expires_at"]) == (
        "approved",
        "hillside",
        None,
    )
    refused = microcred("platform", "approve", number, "--organization", "lakeshore", status=1)
    assert "waits for approval" in refused.stderr


def _register(microcred: Command, url: str, platform: Platform) -> int:
    assembly = microcred.assembly()
    query = {
        "openid_configuration": platform.configuration_url,
        "registration_token": new_registration_token(platform),
        "invitation": parse_qs(urlsplit(url).query)["invitation"][0],
    }
    try:
        client = create_app(assembly).test_client()
        return client.get("/lti/register", base_url=TOOL, query_string=query).status_code
    finally:
        assembly.close()


def test_an_lms_without_dynamic_registration_gets_no_invitation(microcred: Command) -> None:
    assert "no dynamic registration" in microcred("platform", "invite", "--lms", "schoology", status=1).stderr


def test_a_noted_host_is_shown_and_approved(microcred: Command) -> None:
    number = microcred.platform()["registration_id"]
    assembly = microcred.assembly()
    with assembly.database.writing() as session:
        row = registrations.get(session, number)
        registrations.note_host(session, row.id, "grades.example.net", "service_url", assembly.clock)
    assembly.close()

    (noted,) = microcred.json("platform", "show", number)["noted_hosts"]
    assert (noted["host"], noted["named_for"]) == ("grades.example.net", "service_url")
    shown = microcred.json("platform", "approve", number, "--service-host", noted["host"])
    assert (shown["service_hosts"], shown["noted_hosts"]) == (["grades.example.net"], [])
    microcred("platform", "approve", number, "--service-host", "a b", status=1)
    microcred("platform", "approve", number, "--service-host", "a.b", "--deployment-id", "d", status=2)


@pytest.mark.parametrize("lms", ["canvas", "moodle", "schoology"])
def test_what_an_administrator_pastes_has_our_own_addresses(microcred: Command, lms: str) -> None:
    shown = microcred("platform", "config", lms).stdout
    assert json.loads(shown)
    assert f"{TOOL}/lti/launch" in shown
