"""Moodle: sections B7 to B10 of its sheet, token, grades and members."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from demo_lms import SigningKey
from demo_lms.dialects import MOODLE
from demo_lms.keys import b64url

from .dialect_tool import ALL, T0, T1, T2, DialectTool, lms
from .tool import AGS, LINEITEM, LINEITEMS, MEMBERS, NRPS, RESULTS, SCORE


@pytest.fixture
def moodle(platform_key: SigningKey, tool_key: SigningKey) -> Iterator[DialectTool]:
    with lms(MOODLE, platform_key, tool_key, "tbdJZXpYr3GPcKq", "7") as tool:
        yield tool


# -- B7: token ---------------------------------------------------------------------------------


def test_moodle_b7_the_token_comes_as_html_and_scopes_are_intersected(moodle: DialectTool) -> None:
    answer = moodle.ask_token(f"{AGS}score urn:unknown")
    assert answer.headers["Content-Type"].startswith("text/html")
    body = json.loads(answer.text)
    assert (body["scope"], body["expires_in"], len(body["access_token"])) == (f"{AGS}score", 3600, 32)
    unknown = moodle.ask_token("urn:unknown")
    assert (unknown.status_code, json.loads(unknown.text)) == (400, {"error": "invalid_scope"})


def test_moodle_b7_little_is_checked_but_the_clock(moodle: DialectTool) -> None:
    assertion = moodle.assertion(iss="x", aud="y", jti=None, exp=None)
    assert [moodle.ask_token(f"{AGS}score", assertion).status_code for _ in range(2)] == [200, 200]
    ahead = int(time.time()) + 5
    early = moodle.ask_token(f"{AGS}score", moodle.assertion(iat=ahead))
    assert (early.status_code, json.loads(early.text)["error"]) == (
        400,
        f"Cannot handle token with iat prior to {ahead}",
    )
    assert moodle.ask_token(f"{AGS}score", moodle.assertion(sub="nobody")).status_code == 400


def test_moodle_b7_an_error_may_be_broken_json(moodle: DialectTool) -> None:
    moodle.key = SigningKey("unknown", moodle.key.private)
    answer = moodle.ask_token(f"{AGS}score")
    assert answer.status_code == 400
    with pytest.raises(ValueError):
        json.loads(answer.text)


def test_moodle_b7_one_bad_key_voids_the_set(moodle: DialectTool, tool_key: SigningKey) -> None:
    tool = moodle.platform.tools[moodle.client_id]
    point = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    place = b64url(point.x.to_bytes(32, "big"))
    odd = {"kid": "odd", "kty": "EC", "crv": "secp256k1", "alg": "ES256K", "x": place}
    no_alg = {k: v for k, v in SigningKey("n", tool_key.private).public_jwk().items() if k != "alg"}
    for extra in (odd, no_alg):
        tool.jwks = {"keys": [tool_key.public_jwk(), extra]}
        moodle.platform.kept_jwks.clear()
        assert moodle.ask_token(f"{AGS}score").status_code == 400
    tool.jwks = {"keys": [tool_key.public_jwk()]}
    assert moodle.ask_token(f"{AGS}score").status_code == 200


# -- B8: services in general -------------------------------------------------------------------


def get(moodle: DialectTool, url: str, accept: str | None) -> requests.Response:
    headers = {"Authorization": f"Bearer {moodle.token()}", "Accept": accept}
    return moodle.http.get(url, headers=headers, timeout=5)


def test_moodle_b8_accept_names_one_type_exactly(moodle: DialectTool) -> None:
    lists, one, results = moodle.items_url, moodle.item_url, moodle.sub(moodle.item_url, "results")
    members = moodle.members().json()["id"]
    good = [
        (lists, LINEITEMS), (lists, None), (one, LINEITEM), (one, "*/*"), (results, RESULTS),
        (results, "*/*"), (members, MEMBERS), (members, "*/*"), (members, None),
    ]  # fmt: skip
    assert [get(moodle, url, accept).status_code for url, accept in good] == [200] * len(good)
    bad = [
        (lists, "*/*"), (lists, "application/json"), (lists, f"{LINEITEMS}, application/json"),
        (one, "application/json"), (members, "application/json"), (members, f"{MEMBERS}, */*"),
    ]  # fmt: skip
    assert [get(moodle, url, accept).status_code for url, accept in bad] == [400] * len(bad)
    wrong = moodle.call("POST", moodle.sub(one, "scores"), ALL, "application/json", moodle.score())
    assert wrong.status_code == 400


def test_moodle_b8_tokens_and_scopes_are_401_without_a_hint(moodle: DialectTool) -> None:
    url = moodle.sub(moodle.item_url, "scores")
    token = moodle.token()
    for answer in (
        moodle.call("POST", url, f"{AGS}lineitem", SCORE, moodle.score()),
        moodle.call("POST", url, "", SCORE, moodle.score(), "unknown"),
    ):
        assert answer.status_code == 401
        assert set(answer.json()) == {"status", "reason", "request"}
        assert "WWW-Authenticate" not in answer.headers
        assert answer.reason == "Unauthorized"
    moodle.clock.let_pass(hours=2)
    assert moodle.call("POST", url, "", SCORE, moodle.score(), token).status_code == 401


def test_moodle_b8_site_tools_read_every_course_that_there_is(moodle: DialectTool) -> None:
    moodle.platform.add_course("55", "Another")
    own = moodle.platform.dialect.course_path_id(moodle.platform.courses["c-1"])
    for course, status in (("55", 200), ("56", 404)):
        url = moodle.items_url.replace(f"/{own}/", f"/{course}/")
        assert moodle.call("GET", url, ALL, LINEITEMS).status_code == status


# -- B9: line items and scores -----------------------------------------------------------------


def test_moodle_b9_line_items_are_easily_made_and_lose_their_ids(moodle: DialectTool) -> None:
    dates = {"endDateTime": "2027-01-01T00:00:00Z", "gradesReleased": True}
    made = moodle.make_item(scoreMaximum="7", resourceId="p-1", tag="part", **dates)
    assert made.status_code == 201
    url = made.json()["id"]
    sent = {"label": "Part 1", "scoreMaximum": "7", "resourceId": "p-1", "tag": "part"} | dates
    assert made.json() == sent | {"id": url}
    assert moodle.make_item(scoreMaximum=0, resourceId="p-1").status_code == 201, "duplicates are allowed"
    read = moodle.call("GET", url, ALL, LINEITEM).json()
    assert (read["scoreMaximum"], "endDateTime" in read) == (7, False)
    changed = moodle.call("PUT", url, ALL, LINEITEM, {"label": "Part one", "scoreMaximum": 7})
    assert changed.status_code == 200
    assert not {"resourceId", "tag"} & set(changed.json())
    assert moodle.make_item(resourceLinkId="rl-99").status_code == 403
    assert moodle.make_item(label=...).status_code == 400
    assert moodle.call("DELETE", url, ALL, LINEITEM).status_code == 204
    assert moodle.call("GET", url, ALL, LINEITEM).status_code == 404


def test_moodle_b9_a_tool_may_delete_what_deep_linking_made_and_nothing_of_a_teacher(
    moodle: DialectTool,
) -> None:
    assert moodle.call("DELETE", moodle.item_url, ALL, LINEITEM).status_code == 403
    moodle.platform.links["rl-1"].deep_linked = True
    assert moodle.call("DELETE", moodle.item_url, ALL, LINEITEM).status_code == 204


def test_moodle_b9_another_maximum_rescales_the_grades(moodle: DialectTool) -> None:
    moodle.post(moodle.score())
    moodle.call("PUT", moodle.item_url, ALL, LINEITEM, {"label": "Idea Shaper", "scoreMaximum": 50})
    assert moodle.shown() == 40


def test_moodle_b9_success_is_an_empty_200(moodle: DialectTool) -> None:
    answer = moodle.post(moodle.score())
    assert (answer.status_code, answer.content, moodle.shown()) == (200, b"", 80)
    bare = moodle.sub(moodle.item_url, "scores").partition("?")[0]
    assert moodle.call("POST", bare, ALL, SCORE, moodle.score(T1)).status_code == 200
    assert moodle.call("GET", bare, ALL, SCORE).status_code == 405


@pytest.mark.parametrize(
    "changes",
    [
        {"userId": ...},
        {"timestamp": ...},
        {"activityProgress": ...},
        {"gradingProgress": ...},
        {"scoreGiven": "many"},
        {"scoreMaximum": ...},
        {"timestamp": "yesterday"},
        {"timestamp": 1795255200},
        {"userId": "999999999"},
        {"userId": "dana"},
        {"userId": "tau"},
    ],
)
def test_moodle_b9_a_refusal_says_the_body_in_its_reason_or_nothing(
    moodle: DialectTool, changes: dict[str, Any]
) -> None:
    if changes.get("userId") in ("dana", "tau"):
        changes = {"userId": moodle.platform.user_id(changes["userId"])}
    body = {k: v for k, v in (moodle.score() | changes).items() if v is not ...}
    url, token = moodle.sub(moodle.item_url, "scores"), moodle.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": SCORE}
    compact = moodle.http.post(url, data=json.dumps(body), headers=headers, timeout=5)
    assert compact.status_code == 400
    assert json.dumps(body) in compact.reason
    assert set(compact.json()) == {"status", "reason", "request"}
    pretty = moodle.http.post(url, data=json.dumps(body, indent=2), headers=headers, timeout=5)
    assert (pretty.status_code, pretty.text) == (200, "[]")
    assert moodle.platform.line_items[moodle.item].grades == {}


def test_a_user_id_that_is_no_number_breaks_the_script(moodle: DialectTool) -> None:
    assert moodle.post(moodle.score(userId="nobody")).status_code == 502
    assert moodle.platform.line_items[moodle.item].grades == {}


def test_moodle_b9_timestamps_are_compared_by_the_second(moodle: DialectTool) -> None:
    assert moodle.post(moodle.score("2026-11-21T10:00:00.100Z")).status_code == 200
    same = moodle.post(moodle.score("2026-11-21T10:00:00.900Z", scoreGiven=9))
    assert (same.status_code, same.text, moodle.shown()) == (409, "[]", 80)
    assert moodle.post(moodle.score("2099-01-01T00:00:00.000Z")).status_code == 200
    assert moodle.post(moodle.score(T2)).status_code == 409, "a date ahead blocks the real ones"


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-21T10:00:00", "2026-11-21", "2026-11-21T10:00:00.123456Z", "2026-11-21T10:00:00+0000"],
)
def test_moodle_b9_timestamps_have_many_forms(moodle: DialectTool, stamp: str) -> None:
    assert moodle.post(moodle.score(stamp)).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"gradingProgress": "Pending"}, {"scoreGiven": ...}, {"gradingProgress": "x"}]
)
def test_moodle_b9_what_is_not_final_erases_the_grade(moodle: DialectTool, changes: dict[str, Any]) -> None:
    moodle.post(moodle.score(T0))
    assert moodle.post(moodle.score(T1, **changes)).status_code == 200
    assert moodle.shown() is None
    (row,) = moodle.results()
    assert "resultScore" not in row


def test_moodle_b9_no_comment_erases_the_feedback(moodle: DialectTool) -> None:
    moodle.post(moodle.score(T0, comment="Good <b>work</b>"))
    assert moodle.results()[0]["comment"] == "Good <b>work</b>"
    moodle.post(moodle.score(T1, comment=...))
    assert moodle.platform.grade(moodle.item, "u-1").comment == ""


def test_moodle_b9_scores_are_kept_within_the_column(moodle: DialectTool) -> None:
    expected: tuple[tuple[dict[str, Any], float], ...] = (
        ({"scoreGiven": 14, "scoreMaximum": 10}, 100),
        ({"scoreGiven": -2, "scoreMaximum": 10}, 0),
        ({"scoreGiven": 33, "scoreMaximum": 0}, 33),
        ({"scoreGiven": 1, "scoreMaximum": 4}, 25),
    )
    for second, (changes, shown) in enumerate(expected):
        assert moodle.post(moodle.score(f"2026-11-21T10:00:0{second}Z", **changes)).status_code == 200
        assert moodle.shown() == shown


def test_moodle_b9_results_have_no_pages_and_crash_on_a_limit(moodle: DialectTool) -> None:
    moodle.post(moodle.score())
    (row,) = moodle.results()
    assert row["id"].endswith(f"/results?type_id=7&user_id={row['userId']}")
    url = moodle.sub(moodle.item_url, "results") + "&limit=1"
    crash = moodle.call("GET", url, ALL, RESULTS)
    assert (crash.status_code, crash.headers["Content-Type"][:9]) == (404, "text/html")


def test_moodle_b9_the_next_address_of_line_items_is_broken(moodle: DialectTool) -> None:
    for number in range(3):
        moodle.platform.add_line_item("c-1", f"Column {number}", 1)
    assert "Link" not in moodle.items().headers
    page = moodle.items("&limit=2")
    assert len(page.json()) == 2
    assert "next" not in page.links
    assert "&amp;" in page.headers["Link"]
    raw = page.headers["Link"].encode("latin-1").decode()
    assert "rel=“next”" in raw


# -- B10: members ------------------------------------------------------------------------------


def test_moodle_b10_members_have_short_roles_and_escaped_names(moodle: DialectTool) -> None:
    platform = moodle.platform
    platform.people["u-1"].name = "Q & A"
    platform.people["u-1"].username = "qa"
    platform.enrol("c-1", "u-2", active=False)
    rows = {row["user_id"]: row for row in moodle.members().json()["members"]}
    assert platform.user_id("u-2") not in rows
    assert {row["status"] for row in rows.values()} == {"Active"}
    row = rows[platform.user_id("u-1")]
    assert (row["name"], row["ext_user_username"], row["roles"]) == ("Q &amp; A", "qa", ["Learner"])
    assert rows[platform.user_id("dana")]["roles"] == ["Instructor"]
    assert rows[platform.user_id("tau")]["roles"] == ["Learner"], "an instructor at launch"


def test_moodle_b10_the_next_page_forgets_the_role(moodle: DialectTool) -> None:
    assert "Link" not in moodle.members().headers
    page = moodle.members("?role=Learner&limit=2&rlid=rl-1")
    assert len(page.json()["members"]) == 2
    url = page.links["next"]["url"]
    assert "role=" not in url
    assert "rlid=rl-1" in url
    assert "limit=2&from=2" in url.replace("rlid=rl-1&", "")
    last = moodle.call("GET", url, NRPS, MEMBERS)
    assert "next" not in last.links
    message = last.json()["members"][0]["message"][0]
    assert list(message) == ["https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"]
    assert moodle.members("?rlid=nowhere").status_code == 404
    moodle.platform.set_published("rl-1", False)
    who = {row["user_id"] for row in moodle.members("?rlid=rl-1").json()["members"]}
    assert who == {moodle.platform.user_id(person) for person in ("dana", "tau")}, "who sees what is hidden"


def test_a_copied_course_keeps_columns_of_no_link_with_their_ids(moodle: DialectTool) -> None:
    platform = moodle.platform
    platform.add_line_item("c-1", "Part 2", 1, resource_id="placement-1", tag="p2")
    platform.copy_course("c-1", "c-2")

    loose = [
        (item.label, item.score_maximum, item.resource_id, item.tag)
        for item in platform.line_items.values()
        if item.course_id == "c-2" and item.resource_link_id is None
    ]
    assert loose == [("Part 2", 1.0, "placement-1", "p2")]
