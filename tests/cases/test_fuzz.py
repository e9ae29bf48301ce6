"""Whatever comes to the LTI addresses: an accepted launch, a redirect, or a refusal by the contract; never an
error of ours, and no row after a refusal.
"""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from demo_lms.keys import b64url
from lti_tool.protocol import names
from tests.support import engines
from tests.support.lti import LAUNCH, TOOL, World, assert_refused, is_accepted, lti_world, signing_key

FORM = "application/x-www-form-urlencoded"
CLAIMS = (
    *(
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "azp",
        "name",
        "given_name",
        "email",
        "locale",
        "picture",
    ),
    *(names.MESSAGE_TYPE, names.VERSION, names.DEPLOYMENT_ID, names.TARGET_LINK_URI, names.RESOURCE_LINK),
    *(names.ROLES, names.CONTEXT, names.LAUNCH_PRESENTATION, names.CUSTOM, names.FOR_USER, names.AGS),
    *(names.NRPS, names.DL_SETTINGS),
)
MEMBERS = (
    *("id", "title", "label", "type", "user_id", "scope", "lineitem", "lineitems", "context_memberships_url"),
    *("return_url", "locale", "deep_link_return_url", "accept_types", "accept_presentation_document_targets"),
    *("accept_multiple", "auto_create", "data", "text", "service_versions", "document_target"),
)
WORDS = (
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "\udc00\ud800",
        "\u202e",
        "null",
        "1.3.0",
        "u-1",
        "dep-1",
        "tool-a",
        "$Context.id",
    ),
    *(
        "https://platform-a.test",
        "http://platform-a.test:80/x",
        "https://[::1",
        "//x",
        LAUNCH,
        "javascript:alert(1)",
    ),
    *(
        "LtiDeepLinkingRequest",
        "LtiSubmissionReviewRequest",
        "DataPrivacyLaunchRequest",
        "x" * 300,
        "é" * 9000,
    ),
    *("http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor", "Mentor", "<b>", "%00", "%ff", "../.."),
)

texts = st.one_of(st.sampled_from(WORDS), st.text(st.characters(), max_size=40))
numbers = st.one_of(
    st.integers(), st.sampled_from([10**400, -(10**400), 2**63, 2**31, 0, -1]), st.floats(allow_nan=False)
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(MEMBERS), texts), inner, max_size=4),
    ),
    max_leaves=8,
)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def world(postgres_port: int, migrated_postgres_template: str, worker_id: str) -> Iterator[World]:
    """On PostgreSQL, which is the stricter about text and numbers."""
    with (
        engines.postgres_database(
            postgres_port, f"fuzz_{worker_id}_{next(_numbers)}", migrated_postgres_template
        ) as url,
        lti_world(url) as made,
    ):
        assert is_accepted(made.browser().launch())
        yield made


def judge(world: World, answer: TestResponse, before: dict[str, int]) -> None:
    """An answer by the contract."""
    if is_accepted(answer) or answer.status_code == 302:
        return
    if answer.status_code == 200:
        # The page that asks the platform's frame for the browser's secret.
        assert "lti-storage" in answer.text
    else:
        assert_refused(answer, answer.headers["X-LTI-Error"])
        assert answer.headers["X-LTI-Error"] != "temporarily_unavailable"
    assert world.counts() == before


def encoded(fields: dict[str, str] | list[tuple[str, str]]) -> bytes:
    return urlencode(fields, quote_via=quote, errors="surrogatepass").encode()


def send(world: World, path: str, body: bytes, method: str = "POST", **more: str) -> TestResponse:
    client = world.app.test_client()
    if method == "GET":
        return client.get(f"{path}?{body.decode('latin-1')}", base_url=TOOL, headers=more)
    return client.post(path, base_url=TOOL, data=body, content_type=FORM, headers=more)


PARAMETERS = st.sampled_from(
    [
        *("iss", "client_id", "login_hint", "lti_message_hint", "lti_deployment_id", "target_link_uri"),
        *("lti_storage_target", "deployment_id", "x"),
    ]
)


@given(
    changes=st.lists(st.tuples(PARAMETERS, texts), max_size=6),
    whole=st.booleans(),
    method=st.sampled_from(["GET", "POST"]),
    framed=st.booleans(),
)
@example(changes=[("iss", "\0")], whole=True, method="POST", framed=False)
def test_logins(world: World, changes: list[tuple[str, str]], whole: bool, method: str, framed: bool) -> None:
    base = {
        "iss": world.a.platform.issuer,
        "login_hint": "u-1",
        "target_link_uri": LAUNCH,
        "client_id": "tool-a",
    }
    changed = {name for name, _ in changes}
    kept = [(name, text) for name, text in base.items() if whole and name not in changed]
    before = world.counts()
    more = {"Sec-Fetch-Dest": "iframe"} if framed else {}

    judge(world, send(world, "/lti/login", encoded([*kept, *changes]), method, **more), before)


@given(body=st.binary(max_size=300), path=st.sampled_from(["/lti/login", "/lti/launch", "/lti/deep-link"]))
def test_any_bytes(world: World, body: bytes, path: str) -> None:
    before = world.counts()

    judge(world, send(world, path, body), before)
    judge(world, send(world, path, b"id_token=a.b.c&state=" + body), before)


@given(ticket=texts, cookie=texts)
def test_the_check_for_cookies(world: World, ticket: str, cookie: str) -> None:
    before = world.counts()
    answer = send(world, "/lti/login/check", encoded({"c": ticket}), "GET")

    judge(world, answer, before)


def bound(world: World) -> tuple[Any, dict[str, str], str]:
    """A browser with a login under way, what the platform lets it post, and the nonce it asked with."""
    browser = world.browser()
    start = world.a.platform.begin_launch("u-1", "rl-1")
    fields = browser.authorize(world.a, browser.start(start, client_id=world.a.client_id))
    payload = fields["id_token"].split(".")[1]
    return browser, fields, payload


@given(
    token=st.one_of(
        texts, st.from_regex(r"[A-Za-z0-9_=-]{0,30}(\.[A-Za-z0-9_=-]{0,30}){0,4}", fullmatch=True)
    )
)
def test_token_texts(world: World, token: str) -> None:
    browser, fields, _ = bound(world)
    before = world.counts()

    answer = browser.client.post(
        "/lti/launch",
        base_url=TOOL,
        data=encoded({"id_token": token, "state": fields["state"]}),
        content_type=FORM,
    )
    judge(world, answer, before)


@given(
    header=st.dictionaries(
        st.one_of(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c", "zip"]), texts),
        st.one_of(values, st.sampled_from(["RS256", "none", "HS256", "RS512", "a-1"])),
        max_size=5,
    ),
    is_signed=st.booleans(),
)
def test_token_headers(world: World, header: dict[str, Any], is_signed: bool) -> None:
    browser, fields, payload = bound(world)
    before = world.counts()
    signed = f"{b64url(json.dumps(header).encode())}.{payload}"
    signature = b64url(signing_key("a-1").sign(signed.encode())) if is_signed else "AAAA"

    judge(world, browser.post({**fields, "id_token": f"{signed}.{signature}"}), before)


@given(
    changes=st.dictionaries(st.sampled_from(CLAIMS), values, max_size=4),
    inner=st.lists(st.tuples(st.sampled_from(CLAIMS), st.sampled_from(MEMBERS), values), max_size=4),
    removed=st.sets(st.sampled_from(CLAIMS), max_size=2),
)
def test_signed_claims(
    world: World, changes: dict[str, Any], inner: list[tuple[str, str, Any]], removed: set[str]
) -> None:
    browser, fields, payload = bound(world)
    claims = json.loads(_decoded(payload)) | changes
    for claim, member, value in inner:
        if isinstance(claims.setdefault(claim, {}), dict):
            claims[claim][member] = value
    for claim in removed:
        claims.pop(claim, None)
    before = world.counts()
    signed = (
        f"{b64url(json.dumps({'alg': 'RS256', 'kid': 'a-1'}).encode())}.{b64url(json.dumps(claims).encode())}"
    )
    token = f"{signed}.{b64url(signing_key('a-1').sign(signed.encode()))}"

    judge(world, browser.post({**fields, "id_token": token}), before)


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
