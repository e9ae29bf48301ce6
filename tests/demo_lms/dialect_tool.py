"""The throw-away tool before an LMS of some dialect: launches, pickers, scores in one line each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import requests

from demo_lms import Dialect, FormPost, LoginInitiation, Platform, Refusal, SigningKey, serve
from demo_lms.deep_linking import DeepLinkOutcome

from .tool import AGS, DL, LINEITEM, LINEITEMS, LTI, MEMBERS, NRPS, REDIRECT, RESULTS, SCORE, FakeTool

TOOL = "http://127.0.0.1:5000"
ALL = f"{AGS}lineitem {AGS}score {AGS}result.readonly {NRPS}"
AGS_CLAIM = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS_CLAIM = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership"
T0 = "2026-11-21T10:00:00.000Z"
T1 = "2026-11-21T10:00:01.000Z"
T2 = "2026-11-21T10:00:02.000Z"


@dataclass
class Clock:
    """The real time and what has been passed over since."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def let_pass(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@dataclass
class DialectTool(FakeTool):
    """One course ``c-1`` with link ``rl-1`` of 100 points; dana teaches, u-1 and u-2 learn."""

    clock: Clock = field(default_factory=Clock)

    # -- launches ------------------------------------------------------------------------------

    def answer(self, start: LoginInitiation, **changes: str | None) -> FormPost | Refusal:
        """What the authorization endpoint makes of the tool's request."""
        return self.platform.authorize(self.authentication(start.fields, **changes))

    def claims(self, start: LoginInitiation, **changes: str | None) -> dict[str, Any]:
        """The claims of the id_token that a login leads to; its signature is checked."""
        answer = self.answer(start, **changes)
        assert isinstance(answer, FormPost), answer
        token = answer.fields["id_token"]
        keys = jwt.PyJWKSet.from_dict(self.http.get(self.platform.jwks_url, timeout=5).json())
        kid = jwt.get_unverified_header(token)["kid"]
        options: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(token, keys[kid], algorithms=["RS256"], options=options)
        return claims

    def launch(self, person: str = "u-1", link: str = "rl-1", **begin: Any) -> dict[str, Any]:
        return self.claims(self.platform.begin_launch(person, link, **begin))

    def error(self, start: LoginInitiation, **changes: str | None) -> dict[str, str]:
        """The fields of an authorization response that has an error in place of a token."""
        answer = self.answer(start, **changes)
        assert isinstance(answer, FormPost), answer
        assert "id_token" not in answer.fields
        return answer.fields

    def custom(self, **values: str) -> dict[str, Any]:
        """What these custom parameters of the link become at launch."""
        self.platform.links["rl-1"].custom = dict(values)
        found: dict[str, Any] = self.launch()[LTI + "custom"]
        return found

    # -- services ------------------------------------------------------------------------------

    def token(self, scope: str = ALL) -> str:
        value: str = self.ask_token(scope).json()["access_token"]
        return value

    @property
    def item(self) -> str:
        """Id of the link's own column."""
        return self.platform.line_items_of("rl-1")[0].id

    @property
    def item_url(self) -> str:
        return self.platform.line_item_url(self.item)

    @property
    def items_url(self) -> str:
        url: str = self.launch()[AGS_CLAIM]["lineitems"]
        return url

    def sub(self, url: str, name: str) -> str:
        """A line item's address with ``/scores`` or ``/results`` put before the query."""
        base, mark, query = url.partition("?")
        return f"{base}/{name}{mark}{query}"

    def score(self, timestamp: Any = T0, /, **changes: Any) -> dict[str, Any]:
        body = {
            "userId": self.platform.user_id("u-1", "c-1"),
            "timestamp": timestamp,
            "scoreGiven": 8,
            "scoreMaximum": 10,
            "comment": "Clear evidence.",
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        return {k: v for k, v in (body | changes).items() if v is not ...}

    def post(self, body: Any, url: str = "") -> requests.Response:
        return self.call("POST", self.sub(url or self.item_url, "scores"), ALL, SCORE, body)

    def results(self, url: str = "", query: str = "") -> list[dict[str, Any]]:
        address = self.sub(url or self.item_url, "results") + query
        rows: list[dict[str, Any]] = self.call("GET", address, ALL, RESULTS).json()
        return rows

    def items(self, query: str = "") -> requests.Response:
        return self.call("GET", self.items_url + query, ALL, LINEITEMS)

    def make_item(self, **body: Any) -> requests.Response:
        wanted = {"label": "Part 1", "scoreMaximum": 10} | body
        sent = {k: v for k, v in wanted.items() if v is not ...}
        return self.call("POST", self.items_url, ALL, LINEITEM, sent)

    def members(self, query: str = "") -> requests.Response:
        url = self.launch("dana")[NRPS_CLAIM]["context_memberships_url"]
        return self.call("GET", url + query, ALL, MEMBERS)

    def shown(self, person: str = "u-1", item: str = "") -> float | None:
        return self.platform.shown_score(item or self.item, person)

    # -- pages ---------------------------------------------------------------------------------

    def be(self, person: str) -> None:
        self.http.post(f"{self.server.url}/enter", data={"person": person}, timeout=5)

    def page(self, path: str) -> str:
        return self.http.get(f"{self.server.url}{path}", timeout=5).text


class Picker:
    """One visit of dana to the tool's picker, and its answer."""

    def __init__(self, tool: DialectTool, **begin: Any) -> None:
        self.tool = tool
        start = tool.platform.begin_deep_link("dana", begin.pop("course", "c-1"), **begin)
        self.claims = tool.claims(start)
        self.settings = self.claims[DL + "deep_linking_settings"]
        self.url: str = self.settings["deep_link_return_url"]

    def response(self, items: list[Any], **changes: Any) -> dict[str, Any]:
        now = int(self.tool.clock().timestamp())
        claims = {
            "iss": self.tool.client_id,
            "aud": self.tool.platform.issuer,
            "iat": now,
            "exp": now + 300,
            "nonce": f"n-{time.monotonic_ns()}",
            LTI + "message_type": "LtiDeepLinkingResponse",
            LTI + "version": "1.3.0",
            LTI + "deployment_id": self.claims[LTI + "deployment_id"],
            DL + "data": self.settings.get("data"),
            DL + "content_items": items,
        }
        return {k: v for k, v in (claims | changes).items() if v is not None}

    def take(self, *items: Any, **changes: Any) -> DeepLinkOutcome:
        """Answer without a browser; DeepLinkError if it is refused."""
        token = self.tool.sign(self.response(list(items), **changes))
        return self.tool.platform.take_deep_link_response(self.url, token)

    def post(self, *items: Any, token: str = "", url: str = "", **changes: Any) -> requests.Response:
        """Answer as dana's browser would."""
        self.tool.be("dana")
        signed = token or self.tool.sign(self.response(list(items), **changes))
        return self.tool.http.post(url or self.url, data={"JWT": signed}, timeout=5)


def item(**changes: Any) -> dict[str, Any]:
    """A content item; ``...`` leaves a member out."""
    made = {
        "type": "ltiResourceLink",
        "title": "Feedback in Action",
        "url": f"{TOOL}/lti/launch?placement=p-7",
        "custom": {"placement": "p-7"},
        "lineItem": {"scoreMaximum": 20, "label": "Feedback", "resourceId": "p-7", "tag": "main"},
    }
    return {k: v for k, v in (made | changes).items() if v is not ...}


@contextmanager
def lms(
    dialect: Dialect,
    platform_key: SigningKey,
    tool_key: SigningKey,
    client_id: str,
    deployment_id: str,
    issuer: str = "http://localhost",
) -> Iterator[DialectTool]:
    """A running LMS of that dialect with the tool before it."""
    clock = Clock()
    platform = Platform(issuer, dialect=dialect, keys=[platform_key], clock=clock)
    platform.add_tool(
        client_id,
        f"{TOOL}/lti/login",
        [REDIRECT],
        deep_link_url=f"{TOOL}/lti/deep-link",
        deployment_id=deployment_id,
        jwks={"keys": [tool_key.public_jwk()]},
    )
    platform.add_course("c-1", "Active Classrooms", label="AC")
    people = {"dana": "Instructor", "u-1": "Learner", "u-2": "Learner", "tau": "TeachingAssistant"}
    for person, role in people.items():
        platform.add_person(person, f"{person} Demo-Teacher", email=f"{person}@demo.invalid")
        platform.enrol("c-1", person, role)
    platform.add_link("c-1", "Idea Shaper", link_id="rl-1", score_maximum=100)
    with serve(platform) as server, requests.Session() as http:
        yield DialectTool(platform, server, tool_key, client_id, http, clock)
