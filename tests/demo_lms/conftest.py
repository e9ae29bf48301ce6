from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from demo_lms import Platform, Server, SigningKey, serve

from .tool import FakeTool

TOOL = "http://127.0.0.1:5000"


@pytest.fixture(scope="session")
def platform_key() -> SigningKey:
    return SigningKey.generate("p-1")


@pytest.fixture(scope="session")
def tool_key() -> SigningKey:
    return SigningKey.generate("t-1")


@pytest.fixture
def platform(platform_key: SigningKey, tool_key: SigningKey) -> Platform:
    """One course, an instructor ``dana``, learners ``u-1`` and ``u-2``, and one graded link ``rl-1``."""
    made = Platform(keys=[platform_key])
    made.add_tool(
        "demo-tool",
        f"{TOOL}/lti/login",
        [f"{TOOL}/lti/launch"],
        deep_link_url=f"{TOOL}/lti/deep-link",
        deployment_id="dep-1",
        jwks={"keys": [tool_key.public_jwk()]},
    )
    made.add_person("dana", "Dana Demo-Coordinator", email="dana@demo.invalid")
    made.add_person("u-1", "Terry Demo-Teacher", email="terry@demo.invalid")
    made.add_person("u-2", "Олена Demo-Teacher")
    made.add_course("c-1", "Active Classrooms", label="AC")
    made.enrol("c-1", "dana", "Instructor")
    made.enrol("c-1", "u-1")
    made.enrol("c-1", "u-2")
    made.add_link("c-1", "Idea Shaper", link_id="rl-1", score_maximum=100, custom={"placement": "p-1"})
    return made


@pytest.fixture
def server(platform: Platform) -> Iterator[Server]:
    with serve(platform, with_control=True) as running:
        yield running


@pytest.fixture
def tool(platform: Platform, server: Server, tool_key: SigningKey) -> Iterator[FakeTool]:
    with requests.Session() as http:
        yield FakeTool(platform, server, tool_key, http=http)
