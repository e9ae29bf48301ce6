"""What people do on the LMS's pages, by plain forms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from demo_lms import Platform, Server

from .tool import FakeTool, form_in


@pytest.fixture
def dana(server: Server) -> Iterator[requests.Session]:
    """The coordinator's browser."""
    with requests.Session() as http:
        http.post(f"{server.url}/enter", data={"person": "dana"}, timeout=5)
        yield http


@pytest.mark.parametrize("path", ["", "/grades", "/people"])
def test_pages_are_for_people_in_the_course(platform: Platform, server: Server, path: str) -> None:
    platform.add_person("out", "Outside Demo-Teacher")
    url = f"{server.url}/courses/c-1{path}"
    with requests.Session() as http:
        assert http.get(url, timeout=5, allow_redirects=False).status_code == 302
        http.post(f"{server.url}/enter", data={"person": "out"}, timeout=5)
        assert http.get(url, timeout=5).status_code == 403
        http.post(f"{server.url}/enter", data={"person": "u-1"}, timeout=5)
        assert http.get(url, timeout=5).status_code == 200
        assert http.get(f"{server.url}/courses/c-1/add", timeout=5).status_code == 403
        assert http.get(f"{server.url}/start/c-1/add", timeout=5).status_code == 403


def test_a_learner_sees_only_their_own_grades(platform: Platform, server: Server) -> None:
    item = next(iter(platform.line_items))
    platform.override_grade(item, "u-2", 12)
    with requests.Session() as http:
        http.post(f"{server.url}/enter", data={"person": "u-1"}, timeout=5)
        page = http.get(f"{server.url}/courses/c-1/grades", timeout=5).text
        assert "12 / 100" not in page
        cell = f"{server.url}/courses/c-1/grades/{item}"
        assert http.get(f"{cell}/u-2", timeout=5).status_code == 403
        assert http.get(f"{cell}/u-1", timeout=5).status_code == 200
        assert http.post(f"{cell}/u-1", data={"score": "100"}, timeout=5).status_code == 403
        assert http.get(f"{server.url}/start/c-1/review/{item}/u-2", timeout=5).status_code == 403


def test_a_grade_set_by_hand_shows_with_its_history(
    platform: Platform, server: Server, dana: requests.Session
) -> None:
    item = next(iter(platform.line_items))
    cell = f"{server.url}/courses/c-1/grades/{item}/u-1"
    page = dana.post(cell, data={"score": "64.5", "comment": "By hand <i>"}, timeout=5).text
    assert "64.5 / 100" in page
    assert "By hand &lt;i&gt;" in page
    assert "set in the gradebook" in page
    assert "must be a number" in dana.post(cell, data={"score": "nan"}, timeout=5).text
    column = f"{server.url}/courses/c-1/grades/{item}"
    assert "32.25 / 50" in dana.post(column, data={"label": "Ideas", "maximum": "50"}, timeout=5).text
    assert "maximum above 0" in dana.post(column, data={"label": "", "maximum": "x"}, timeout=5).text


def test_removing_a_link_takes_its_column_along(
    platform: Platform, server: Server, dana: requests.Session
) -> None:
    page = dana.post(f"{server.url}/courses/c-1/links/rl-1/remove", timeout=5).text
    assert "“Idea Shaper” and its grades were removed." in page
    assert (platform.links, platform.line_items) == ({}, {})


def test_settings_rotate_keys_and_change_the_login(
    platform: Platform, server: Server, dana: requests.Session
) -> None:
    url = f"{server.url}/settings"
    assert platform.auth_url in dana.get(url, timeout=5).text
    dana.post(url, data={"do": "rotate"}, timeout=5)
    assert [key.kid for key in platform.keys.published] == ["p-1", "demo-2"]
    dana.post(url, data={"do": "retire"}, timeout=5)
    assert [key.kid for key in platform.keys.published] == ["demo-2"]
    dana.post(url, data={"do": "login", "method": "GET", "storage": "on"}, timeout=5)
    assert (platform.login_method, platform.platform_storage) == ("GET", True)


def test_registration_opens_the_tools_page_with_configuration_and_token(
    platform: Platform, server: Server, dana: requests.Session
) -> None:
    tool_page = "http://127.0.0.1:5000/lti/register?invitation=x"
    page = dana.post(f"{server.url}/settings/register", data={"url": tool_page}, timeout=5).text
    (token,) = platform.registration_tokens
    assert "register?invitation=x&amp;openid_configuration=" in page
    assert f"registration_token={token}" in page
    wrong = dana.post(f"{server.url}/settings/register", data={"url": "javascript:alert(1)"}, timeout=5)
    assert wrong.status_code == 400


def test_what_the_tool_says_on_the_way_back_is_text(server: Server) -> None:
    url = f"{server.url}/courses/c-1/return?lti_errormsg=%3Cscript%3E&lti_msg=Saved."
    page = requests.get(url, timeout=5).text
    assert "&lt;script&gt;" in page
    assert "Saved." in page


def test_nobody_is_sent_off_the_lms_after_entering(server: Server) -> None:
    for target in ("//evil.test/", "https://evil.test/", "/\\evil.test"):
        answer = requests.post(
            f"{server.url}/enter", data={"person": "u-1", "next": target}, timeout=5, allow_redirects=False
        )
        assert answer.headers["Location"] == "/"


def test_the_authorization_endpoint_also_takes_a_post_and_no_repeats(
    platform: Platform, server: Server, tool: FakeTool
) -> None:
    tool.http.post(f"{server.url}/enter", data={"person": "u-1"}, timeout=5)
    query = tool.authentication(platform.begin_launch("u-1", "rl-1").fields).partition("?")[2]
    assert tool.http.get(f"{platform.auth_url}?{query}&nonce=two", timeout=5).status_code == 400
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = tool.http.post(platform.auth_url, data=query, headers=headers, timeout=5)
    assert "id_token" in form_in(answer.text).fields
