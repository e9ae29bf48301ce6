"""Scripted answers, the request log, and a server that really stops."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from demo_lms import Platform, Reply, Request, Server, serve

from .tool import AGS, SCORE, FakeTool


def post_score(tool: FakeTool, second: int = 0) -> requests.Response:
    item = next(iter(tool.platform.line_items))
    url = f"{tool.server.url}/api/lti/courses/c-1/lineitems/{item}/scores"
    body = {
        "userId": "u-1",
        "timestamp": f"2026-11-21T10:00:{second:02}.000Z",
        "scoreGiven": 5 + second,
        "scoreMaximum": 10,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }
    return tool.call("POST", url, f"{AGS}score", SCORE, body)


def shown(tool: FakeTool) -> float | None:
    return tool.platform.shown_score(next(iter(tool.platform.line_items)), "u-1")


def test_a_scripted_answer_is_used_up_then_all_is_as_usual(platform: Platform, tool: FakeTool) -> None:
    platform.script.on("scores", Reply(429, {"Retry-After": "30"}, {"error": "slow down"}), times=2)
    for _ in range(2):
        answer = post_score(tool)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        assert answer.json() == {"error": "slow down"}
    assert shown(tool) is None
    assert post_score(tool).status_code == 200
    assert [r.status for r in platform.log.all("scores")] == [429, 429, 200]


def test_a_rule_lasts_until_cleared_and_may_choose_its_requests(platform: Platform, tool: FakeTool) -> None:
    def only_second_two(request: Request) -> Reply | None:
        return Reply(500) if ":02." in request.json["timestamp"] else None

    platform.script.on("scores", only_second_two, times=None)
    assert [post_score(tool, n).status_code for n in (1, 2, 3)] == [200, 500, 200]
    platform.script.clear("scores")
    platform.script.on("*", Reply(503), match=lambda request: request.endpoint == "jwks")
    assert tool.http.get(platform.jwks_url, timeout=5).status_code == 503
    assert tool.http.get(platform.jwks_url, timeout=5).status_code == 200


def test_a_connection_drops_before_or_after_the_score_took_effect(platform: Platform, tool: FakeTool) -> None:
    platform.script.on("scores", Reply(drop="before"))
    with pytest.raises(requests.ConnectionError):
        post_score(tool)
    assert shown(tool) is None
    platform.script.on("scores", Reply(drop="after"))
    with pytest.raises(requests.ConnectionError):
        post_score(tool)
    assert shown(tool) == 50
    platform.script.on("scores", Reply(500, apply=True))
    assert post_score(tool, 1).status_code == 500
    assert shown(tool) == 60
    assert [r.status for r in platform.log.wait_for("scores", 3)] == [None, None, 500]


def test_answers_can_be_late_slow_redirected_or_broken(platform: Platform, tool: FakeTool) -> None:
    platform.script.on("jwks", Reply(delay=0.3))
    began = time.monotonic()
    assert tool.http.get(platform.jwks_url, timeout=5).json()["keys"]
    assert time.monotonic() - began >= 0.3
    platform.script.on("jwks", Reply(200, body="slowly", trickle=0.05))
    assert tool.http.get(platform.jwks_url, timeout=5).text == "slowly"
    platform.script.on("jwks", Reply.redirect("http://evil.test/"))
    moved = tool.http.get(platform.jwks_url, timeout=5, allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (302, "http://evil.test/")
    platform.script.on("jwks", Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", trickle=0.005))
    with pytest.raises(requests.RequestException):
        tool.http.get(platform.jwks_url, timeout=5)
    platform.script.on("jwks", Reply(headers={"Cache-Control": "max-age=60"}))
    answer = tool.http.get(platform.jwks_url, timeout=5)
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.json()["keys"]


def test_the_log_holds_what_came(platform: Platform, tool: FakeTool) -> None:
    tool.ask_token(f"{AGS}score")
    tool.http.get(f"{platform.jwks_url}?a=b", timeout=5)
    token, jwks = platform.log.all()
    assert token.form["grant_type"] == "client_credentials"
    assert (jwks.method, jwks.path, jwks.query, jwks.status) == ("GET", "/jwks", "a=b", 200)
    assert platform.log.count("token") == 1
    with pytest.raises(TimeoutError):
        platform.log.wait_for("token", 2, timeout=0.05)
    platform.log.clear()
    assert platform.log.all() == []


def test_a_closed_server_answers_nobody_even_on_an_open_connection(platform: Platform) -> None:
    server = serve(platform)
    url, port = platform.jwks_url, server.port
    with requests.Session() as http:
        first = http.get(url, timeout=5)
        assert "close" not in first.headers.get("Connection", "")
        server.close()
        with pytest.raises(requests.ConnectionError):
            http.get(url, timeout=5)
        with serve(platform, port=port) as again:
            assert again.url == server.url
            assert http.get(url, timeout=5).status_code == 200


def test_closing_ends_a_hanging_answer(platform: Platform) -> None:
    server = serve(platform)
    platform.script.on("jwks", Reply(delay=60))
    failed: list[bool] = []

    def ask() -> None:
        try:
            requests.get(platform.jwks_url, timeout=30)
        except requests.RequestException:  # before the head or in the middle of the body
            failed.append(True)

    client = threading.Thread(target=ask)
    client.start()
    while not platform.log.count("jwks"):
        time.sleep(0.01)
    began = time.monotonic()
    server.close()
    client.join(10)
    assert failed
    assert time.monotonic() - began < 5


def test_the_issuer_may_differ_from_the_address(platform: Platform) -> None:
    named = Platform("https://platform-a.test", keys=platform.keys.published)
    with serve(named) as server:
        assert named.issuer == "https://platform-a.test"
        assert named.token_url == f"{server.url}/token"


def test_another_process_scripts_and_reads_by_control(server: Server, tool: FakeTool) -> None:
    control = f"{server.url}/control"
    tool.http.post(f"{control}/script", json={"endpoint": "token", "reply": {"status": 500}}, timeout=5)
    assert tool.ask_token(f"{AGS}score").status_code == 500
    log = tool.http.get(f"{control}/log?endpoint=token", timeout=5).json()
    assert [entry["status"] for entry in log] == [500]
    post_score(tool)
    (grade,) = tool.http.get(f"{control}/grades", timeout=5).json()
    assert (grade["person"], grade["shown"], grade["label"]) == ("u-1", 50, "Idea Shaper")
    assert grade["updates"][0]["applied"] is True
    body = {"person": "u-1", "link": "rl-1", "claims": {"version": "1.1"}}
    start = tool.http.post(f"{control}/launch", json=body, timeout=5).json()
    assert start["fields"]["login_hint"] == "u-1"
    tool.http.post(f"{control}/settings", json={"platform_storage": True}, timeout=5)
    assert server.platform.platform_storage
    facts = tool.http.get(f"{control}/facts", timeout=5).json()
    assert facts["tools"][0]["client_id"] == "demo-tool"
    tool.http.post(f"{control}/keys", json={}, timeout=5)
    assert len(server.platform.keys.published) == 2


def test_control_answers_only_where_it_is_switched_on(platform: Platform) -> None:
    with serve(platform) as server:
        assert requests.get(f"{server.url}/control/facts", timeout=5).status_code == 404
