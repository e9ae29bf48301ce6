"""What administrators paste: equal to what the tool serves, and nothing in it that the tool does not know."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from lti_tool.dialects.registering import HISTORIES
from lti_tool.dialects.setting_up import SETUPS, to_copy
from lti_tool.protocol.names import SCOPES
from lti_tool.settings import LtiSettings
from microcred.app.cli.platform import platform
from tests.support.lti import TOOL, lti_world

CONFIGS = Path(__file__).parents[3] / "configs"
EXAMPLE = LtiSettings("https://credentials.example.org")
FILES = {"canvas": "canvas.json", "moodle": "manual.json", "schoology": "app.json"}
PAGES = sorted(CONFIGS.rglob("README.md"))


def _read(lms: str) -> Any:
    return json.loads((CONFIGS / lms / FILES[lms]).read_text(encoding="utf-8"))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def served(migrated_sqlite_url: str) -> Any:
    with lti_world(migrated_sqlite_url) as world:
        yield world.app


@pytest.mark.parametrize("lms", FILES)
def test_the_file_is_what_the_tool_says(lms: str) -> None:
    assert _read(lms) == SETUPS[lms](EXAMPLE)


def test_canvas_can_fetch_its_file(served: Flask) -> None:
    answer = served.test_client().get("/lti/config/canvas.json", base_url=TOOL)

    assert answer.mimetype == "application/json"
    text = (
        json.dumps(answer.get_json())
        .replace(TOOL, EXAMPLE.base)
        .replace("tool.test", "credentials.example.org")
    )
    assert json.loads(text) == _read("canvas")


@pytest.mark.parametrize("lms", FILES)
def test_every_address_of_ours_is_one_that_the_tool_serves(served: Flask, lms: str) -> None:
    found = [text for text in _texts(_read(lms)) if text.startswith(EXAMPLE.base)]

    assert len(found) >= 4
    _check_served(served, found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_address_of_ours_in_the_steps_is_served(served: Flask, page: Path) -> None:
    found = re.findall(rf"{re.escape(EXAMPLE.base)}/[a-z0-9/._-]+", page.read_text(encoding="utf-8"))

    _check_served(served, found)


def _check_served(served: Flask, urls: list[str]) -> None:
    adapter = served.url_map.bind("tool.test")
    for url in urls:
        assert adapter.test(urlsplit(url).path, "GET"), url
        if "/static/" in url:
            with served.test_client().get(urlsplit(url).path) as answer:
                assert answer.status_code == 200


def test_every_scope_and_variable_is_one_that_the_tool_uses() -> None:
    canvas = _read("canvas")
    assert set(canvas["scopes"]) <= set(SCOPES)
    asked = [canvas["custom_fields"], dict(line.split("=") for line in _read("moodle")["Custom parameters"])]
    for fields in asked:
        assert fields.items() <= HISTORIES.items()
    everywhere = " ".join(text for lms in FILES for text in _texts(_read(lms)))
    assert set(re.findall(r"\$[\w.]+", everywhere)) <= set(HISTORIES.values())


def test_canvas_gets_what_its_schema_requires() -> None:
    key = _read("canvas")
    required = {"title", "description", "oidc_initiation_url", "target_link_uri", "public_jwk_url"}
    assert required <= key.keys()
    (extension,) = key["extensions"]
    assert extension["platform"] == "canvas.instructure.com"
    assert extension["domain"] == "credentials.example.org"
    assert extension["privacy_level"] in ("public", "name_only", "email_only", "anonymous")
    for placement in extension["settings"]["placements"]:
        assert placement["message_type"] == "LtiDeepLinkingRequest"
        assert placement["target_link_uri"] == EXAMPLE.deep_link_url


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_page_and_picture_that_the_steps_point_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    own = [link for link in links if "://" not in link]
    assert own
    for link in own:
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("lms", [*FILES, "other"])
def test_the_page_to_copy_from_holds_addresses_that_are_served(served: Flask, lms: str) -> None:
    found = [text for text in _texts(to_copy(lms, EXAMPLE)) if text.startswith(EXAMPLE.base)]
    assert found
    _check_served(served, found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_steps_name_commands_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for command in re.findall(r"microcred platform ([a-z]+)([^\n`]*)", text):
        found = platform.commands[command[0]]
        options = {option for parameter in found.params for option in parameter.opts}
        assert set(re.findall(r"(?<!-)--[a-z-]+", command[1])) <= options, command
