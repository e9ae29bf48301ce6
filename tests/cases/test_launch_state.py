"""State and browser binding: whose launch it is, once, and within ten minutes (DESIGN section 3)."""

import threading
from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Cookie

from demo_lms import FormPost
from tests.support.lti import FRAME, TOOL, Browser, World, assert_refused, is_accepted, lti_world, query_of


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def world_on_both(migrated_database_url: str) -> Iterator[World]:
    with lti_world(migrated_database_url) as made:
        yield made


def _cookies_of(client: FlaskClient) -> list[Cookie]:
    """Everything in the client's cookie jar, wherever it was set."""
    jar = client._cookies
    assert jar is not None
    return list(jar.values())


def _response_fields(browser: Browser, person: str = "u-1", **changes: str) -> dict[str, str]:
    """Fields of an authentication response that waits to be posted."""
    site = browser.world.a
    start = site.platform.begin_launch(person, "rl-1")
    login = browser.start(start, client_id="tool-a", **changes)
    return browser.authorize(site, login)


@pytest.mark.case("ST-01")
def test_a_response_without_state_is_refused(world: World) -> None:
    browser = world.browser()
    fields = _response_fields(browser)
    del fields["state"]

    assert_refused(browser.post(fields), "state_missing", 400)


@pytest.mark.case("ST-02")
def test_a_state_that_was_never_given_is_refused(world: World) -> None:
    browser = world.browser()
    fields = _response_fields(browser)

    for state in ("nonsense", "A" * 300, "ü", "%00", fields["state"][:-2], fields["state"] + "AA"):
        assert_refused(browser.post({**fields, "state": state}), "state_unknown", 400)
    assert is_accepted(browser.post(fields))


@pytest.mark.case("ST-03")
@pytest.mark.case("ST-04")
def test_a_response_from_another_browser_is_refused_and_changes_nothing(world: World) -> None:
    attacker, victim = world.browser(), world.browser()
    signed_in = victim.launch(person="u-2")
    before = world.counts()

    answer = victim.post(_response_fields(attacker))

    assert_refused(answer, "browser_not_bound", 401)
    assert "course" in answer.text
    assert world.counts() == before
    assert victim.page(signed_in)["sub"] == "u-2"


def test_a_cookie_of_another_login_does_not_bind(world: World) -> None:
    browser = world.browser()
    fields = _response_fields(browser)
    name = next(cookie.key for cookie in _cookies_of(browser.client) if cookie.key.startswith("__Host-lti-"))
    browser.client.set_cookie(name, "1.made-up", domain="tool.test", secure=True)

    assert_refused(browser.post(fields), "browser_not_bound", 401)


@pytest.mark.case("ST-05", choice="the second answer is 400 state_used")
def test_a_response_is_good_once(world_on_both: World) -> None:
    browser = world_on_both.browser()
    fields = _response_fields(browser)

    assert is_accepted(browser.post(fields))
    assert_refused(browser.post(fields), "state_used", 400)
    assert len(world_on_both.launches()) == 1


@pytest.mark.case("ST-07")
def test_a_state_ends_after_ten_minutes(world: World) -> None:
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    login = browser.start(start, client_id="tool-a")
    late = browser.authorize(world.a, login)
    world.clock.pass_(minutes=10, seconds=1)

    answer = browser.post(late)

    assert_refused(answer, "state_expired", 400)
    assert "course" in answer.text


@pytest.mark.case("ST-09")
def test_a_token_for_another_client_of_the_same_issuer_is_refused(world: World) -> None:
    browser = world.browser()

    assert_refused(browser.launch(aud="tool-a2"), "aud_mismatch", 401)


@pytest.mark.case("ST-10")
def test_two_tabs_may_finish_in_any_order(world: World) -> None:
    browser = world.browser()
    first, second = _response_fields(browser, "u-1"), _response_fields(browser, "u-2")

    answers = [browser.post(second), browser.post(first)]

    assert all(map(is_accepted, answers))
    assert [browser.page(answer)["sub"] for answer in answers] == ["u-2", "u-1"]


@pytest.mark.case("ST-11")
def test_forty_logins_leave_a_short_cookie_header(world: World) -> None:
    browser = world.browser()
    for _ in range(39):
        _response_fields(browser)
        world.clock.pass_(seconds=1)
    fields = _response_fields(browser)

    cookies = [c for c in _cookies_of(browser.client) if c.key.startswith("__Host-lti-")]
    assert len(cookies) == 12
    assert sum(len(f"{c.key}={c.value}; ") for c in cookies) < 8192
    assert is_accepted(browser.post(fields))


@pytest.mark.case("ST-12")
def test_a_planted_session_is_worth_nothing(world: World) -> None:
    attacker, victim = world.browser(), world.browser()
    planted = attacker.launch(person="u-2")
    path = planted.headers["Location"].removeprefix(TOOL)
    victim.client.set_cookie("__Secure-launch", "planted", domain="tool.test", path=path, secure=True)

    opened = victim.launch(person="u-1")

    assert opened.headers["Location"] != planted.headers["Location"]
    assert victim.get(path).status_code == 401
    assert victim.page(opened)["sub"] == "u-1"


@pytest.mark.case("ST-15")
def test_the_page_of_a_launch_is_a_get(world: World) -> None:
    browser = world.browser()
    opened = browser.launch()

    assert opened.status_code == 303
    assert browser.page(opened) == browser.page(opened)
    assert len(world.launches()) == 1


@pytest.mark.case("ST-16")
def test_cookies_are_partitioned_and_narrow(world: World) -> None:
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    login = browser.start(start, client_id="tool-a")
    opened = browser.post(browser.authorize(world.a, login))

    (binding,) = login.headers.getlist("Set-Cookie")
    (session,) = opened.headers.getlist("Set-Cookie")
    for cookie in (binding, session):
        parts = [part.strip() for part in cookie.split(";")]
        assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(parts)
        assert not any(part.startswith("Domain") for part in parts)
    assert binding.startswith("__Host-lti-")
    assert "Path=/;" in binding + ";"
    (morsel,) = SimpleCookie(binding.replace("; Partitioned", "")).values()
    assert int(morsel["max-age"]) <= 600
    assert session.startswith("__Secure-launch=")
    assert f"Path={opened.headers['Location'].removeprefix(TOOL)}" in session


@pytest.mark.case("ST-23")
def test_of_two_posts_at_the_same_moment_one_wins(world_on_both: World) -> None:
    browser = world_on_both.browser()
    fields = _response_fields(browser)
    header = "; ".join(f"{c.key}={c.value}" for c in _cookies_of(browser.client))
    gate, answers = threading.Barrier(4), []

    def post() -> None:
        client = world_on_both.app.test_client(use_cookies=False)
        gate.wait()
        answers.append(client.post("/lti/launch", base_url=TOOL, data=fields, headers={"Cookie": header}))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]
    assert {a.headers.get("X-LTI-Error") for a in answers} == {None, "state_used"}
    assert len(world_on_both.launches()) == 1


# where the browser is bound before the platform is asked


def test_a_framed_login_first_looks_whether_its_cookie_comes_back(world: World) -> None:
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    browser.client.environ_base.update({"HTTP_SEC_FETCH_DEST": "iframe"})

    login = browser.start(start, client_id="tool-a")

    assert login.headers["Location"].startswith(f"{TOOL}/lti/login/check?")
    checked = browser.get(login.headers["Location"].removeprefix(TOOL))
    assert checked.status_code == 302
    assert query_of(checked)["lti_message_hint"] == start.hint
    assert is_accepted(browser.post(browser.authorize(world.a, checked)))


def test_a_framed_login_with_a_very_long_hint_goes_on_at_once(world: World) -> None:
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = {**start.fields, "client_id": "tool-a", "lti_message_hint": "x" * 8000}

    login = world.app.test_client().post("/lti/login", base_url=TOOL, data=fields, headers=FRAME)

    assert query_of(login)["lti_message_hint"] == "x" * 8000


def test_a_browser_whose_cookies_are_known_to_work_goes_on_at_once(world: World) -> None:
    browser = world.browser()
    browser.client.environ_base.update({"HTTP_SEC_FETCH_DEST": "iframe"})
    first = browser.start(world.a.platform.begin_launch("u-1", "rl-1"), client_id="tool-a")
    second = browser.start(world.a.platform.begin_launch("u-1", "rl-1"), client_id="tool-a")

    assert "/lti/login/check" in first.headers["Location"]
    assert second.headers["Location"].startswith("https://platform-a.test/auth")


def test_without_cookies_a_link_opens_the_original_login_in_a_new_tab(world: World) -> None:
    client = world.app.test_client(use_cookies=False)
    start = world.a.platform.begin_launch("u-1", "rl-1")
    login = client.post(
        "/lti/login", base_url=TOOL, data={**start.fields, "client_id": "tool-a"}, headers=FRAME
    )

    page = client.get(login.headers["Location"].removeprefix(TOOL), base_url=TOOL, headers=FRAME)

    assert page.status_code == 200
    assert 'target="_blank"' in page.text
    assert f"{TOOL}/lti/login?" in page.text
    assert start.hint in page.text
    assert "frame-ancestors https://platform-a.test" in page.headers["Content-Security-Policy"]
    assert world.a.platform.messages[start.hint].used is False


def test_a_whole_tab_without_cookies_is_told_so(world: World) -> None:
    client = world.app.test_client(use_cookies=False)
    start = world.a.platform.begin_launch("u-1", "rl-1")
    login = client.post(
        "/lti/login", base_url=TOOL, data={**start.fields, "client_id": "tool-a"}, headers=FRAME
    )

    answer = client.get(
        login.headers["Location"].removeprefix(TOOL), base_url=TOOL, headers={"Sec-Fetch-Dest": "document"}
    )

    assert_refused(answer, "browser_not_bound", 401)


@pytest.mark.case("ST-20")
def test_platform_storage_is_addressed_by_the_origin_of_the_authorization_url(world: World) -> None:
    client = world.app.test_client(use_cookies=False)
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = {**start.fields, "client_id": "tool-a", "lti_storage_target": "_parent"}
    login = client.post("/lti/login", base_url=TOOL, data=fields, headers=FRAME)

    page = client.get(login.headers["Location"].removeprefix(TOOL), base_url=TOOL, headers=FRAME)

    assert 'data-origin="https://platform-a.test"' in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    with client.get("/lti/static/platform_storage.js", base_url=TOOL) as served:
        script = served.get_data(as_text=True)
    assert script.count("postMessage(") == 2
    assert "postMessage(asked, origin)" in script
    assert 'postMessage(capabilities, "*")' in script  # holds no data: only asks who is there


def test_a_launch_bound_by_platform_storage_is_answered_with_the_page_itself(world: World) -> None:
    client = world.app.test_client(use_cookies=False)
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = {**start.fields, "client_id": "tool-a", "lti_storage_target": "_parent"}
    login = client.post("/lti/login", base_url=TOOL, data=fields, headers=FRAME)
    page = client.get(login.headers["Location"].removeprefix(TOOL), base_url=TOOL, headers=FRAME)
    stored = _attribute(page.text, "data-value")
    response = world.a.platform.authorize(_attribute(page.text, "data-continue"))
    assert isinstance(response, FormPost)

    asking = client.post("/lti/launch", base_url=TOOL, data=response.fields)
    assert asking.status_code == 200
    assert _attribute(asking.text, "data-mode") == "get"
    assert _attribute(asking.text, "data-key") == _attribute(page.text, "data-key")
    wrong = client.post("/lti/launch", base_url=TOOL, data={**response.fields, "lti_binding": "made up"})
    assert_refused(wrong, "browser_not_bound", 401)
    opened = client.post("/lti/launch", base_url=TOOL, data={**response.fields, "lti_binding": stored})

    assert opened.status_code == 200
    assert "Set-Cookie" not in opened.headers
    seen = client.get(
        _attribute(opened.text, "data-page"),
        base_url=TOOL,
        headers={"X-Launch-Token": _attribute(opened.text, "data-token")},
    )
    assert seen.get_json()["sub"] == "u-1"
    assert world.launches()[0].bound_by == "storage"


def _attribute(html: str, name: str) -> str:
    return html.split(f'{name}="', 1)[1].split('"', 1)[0].replace("&amp;", "&")
