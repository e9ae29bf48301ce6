"""Dynamic registration, the platform's side."""

from __future__ import annotations

from typing import Any

import pytest

from demo_lms import Platform
from demo_lms.registration import new_registration_token

from .tool import AGS, FakeTool

CONFIG = "https://purl.imsglobal.org/spec/lti-tool-configuration"
BODY: dict[str, Any] = {
    "application_type": "web",
    "response_types": ["id_token"],
    "grant_types": ["implicit", "client_credentials"],
    "initiate_login_uri": "http://127.0.0.1:5000/lti/login",
    "redirect_uris": ["http://127.0.0.1:5000/lti/launch"],
    "client_name": "Micro-credentials",
    "jwks_uri": "http://127.0.0.1:5000/lti/jwks",
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": f"{AGS}score urn:unknown",
    CONFIG: {
        "domain": "127.0.0.1:5000",
        "target_link_uri": "http://127.0.0.1:5000/lti/launch",
        "claims": ["iss", "sub", "name"],
        "messages": [
            {"type": "LtiResourceLinkRequest"},
            {"type": "LtiDeepLinkingRequest", "target_link_uri": "http://127.0.0.1:5000/lti/deep-link"},
        ],
    },
}


def test_a_tool_registers_with_a_token_once(platform: Platform, tool: FakeTool) -> None:
    config = tool.http.get(platform.configuration_url, timeout=5).json()
    assert config["issuer"] == platform.issuer
    assert config["authorization_endpoint"] == platform.auth_url
    bearer = {"Authorization": f"Bearer {new_registration_token(platform)}"}
    answer = tool.http.post(config["registration_endpoint"], json=BODY, headers=bearer, timeout=5)
    assert answer.status_code == 201
    made = platform.tools[answer.json()["client_id"]]
    assert answer.json()["scope"] == f"{AGS}score"
    assert answer.json()[CONFIG]["deployment_id"] == made.deployments[0]
    assert made.deep_link_url == "http://127.0.0.1:5000/lti/deep-link"
    assert made.privacy == "name_only"
    again = tool.http.post(config["registration_endpoint"], json=BODY, headers=bearer, timeout=5)
    assert again.status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"application_type": "native"},
        {"grant_types": ["implicit"]},
        {"redirect_uris": []},
        {"jwks_uri": ""},
        {CONFIG: None},
        {CONFIG: BODY[CONFIG] | {"domain": "127.0.0.1"}},
    ],
)
def test_an_incomplete_request_is_refused_and_the_token_stays_good(
    platform: Platform, tool: FakeTool, change: dict[str, Any]
) -> None:
    bearer = {"Authorization": f"Bearer {new_registration_token(platform)}"}
    url = platform.url("/register")
    answer = tool.http.post(url, json=BODY | change, headers=bearer, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert tool.http.post(url, json=BODY, headers=bearer, timeout=5).status_code == 201
