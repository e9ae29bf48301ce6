"""Platform notices: verified like an id_token, taken once, refused by name."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from demo_lms.keys import TokenForm, sign_token
from demo_lms.names import CLAIMS
from lti_tool import registrations
from lti_tool.models import Context, Notice, Registration
from tests.support.lti import TOOL, World, lti_world, signing_key


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    with lti_world(migrated_sqlite_url) as made:
        yield made


@pytest.fixture
def world_on_both(migrated_database_url: str) -> Iterator[World]:
    with lti_world(migrated_database_url) as made:
        yield made


def _claims(
    world: World, notice_id: str = "n-1", kind: str = "LtiContextCopyNotice", **changes: Any
) -> dict[str, Any]:
    """A notice of platform A: course c-2 was copied from c-1. A change of None leaves a claim out."""
    now = int(world.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": world.a.platform.issuer,
        "aud": world.a.client_id,
        "iat": now,
        "exp": now + 3600,
        "nonce": f"nonce of {notice_id}",
        "version": "1.3.0",
        "deployment_id": "dep-1",
        "notice": {"id": notice_id, "timestamp": world.clock.now().isoformat(), "type": kind},
        "context": {"id": "c-2", "title": "Active Classrooms (copy)", "label": "AC2"},
        "origin_contexts": ["c-1"],
        **changes,
    }
    return {CLAIMS.get(name, name): value for name, value in claims.items() if value is not None}


def _jwt(world: World, *args: Any, form: TokenForm | None = None, key: str = "a-1", **changes: Any) -> str:
    return sign_token(_claims(world, *args, **changes), signing_key(key), form)


def _send(world: World, *tokens: object, path: str = "/lti/notices", **options: Any) -> TestResponse:
    body = {"notices": [{"jwt": token} for token in tokens]}
    return world.app.test_client().post(path, base_url=TOOL, json=body, **options)


def _stored(world: World) -> list[str]:
    with world.database.reading() as session:
        return list(session.scalars(select(Notice.notice_id).order_by(Notice.id)))


def _said(answer: TestResponse) -> list[str]:
    return [one.get("code") or one["status"] for one in answer.get_json()["notices"]]


@pytest.mark.case("OM-06")
def test_a_course_copy_is_recorded_once(world_on_both: World) -> None:
    world = world_on_both
    token = _jwt(world)

    first, second = _send(world, token), _send(world, token)
    again = _send(world, _jwt(world, "n-1", nonce="another nonce"))

    assert [a.status_code for a in (first, second, again)] == [200, 200, 200]
    assert [_said(a) for a in (first, second, again)] == [["stored"], ["known"], ["known"]]
    assert _stored(world) == ["n-1"]
    with world.database.reading() as session:
        context = session.scalars(select(Context)).one()
        assert (context.context_id, context.title, context.origin_ids) == (
            "c-2",
            "Active Classrooms (copy)",
            ["c-1"],
        )


def test_a_batch_with_the_same_notice_twice_is_recorded_once(world: World) -> None:
    token = _jwt(world)

    assert _said(_send(world, token, token)) == ["stored", "known"]
    assert _stored(world) == ["n-1"]


def test_a_greeting_is_taken(world: World) -> None:
    hello = _jwt(world, "n-2", "LtiHelloWorldNotice", context=None, origin_contexts=None)

    assert _said(_send(world, hello)) == ["stored"]


def test_the_course_of_a_copy_keeps_its_title_and_learns_more_origins(world: World) -> None:
    world.browser().launch()
    context = {"id": "c-1", "title": "Another title"}
    _send(world, _jwt(world, "n-1", context=context, origin_contexts=["c-0"]))
    _send(world, _jwt(world, "n-2", context=context, origin_contexts=["b-1", "c-0"]))

    with world.database.reading() as session:
        row = session.scalars(select(Context)).one()
    assert (row.title, row.origin_ids) == ("Active Classrooms", ["b-1", "c-0"])


def test_good_notices_of_a_batch_are_stored_and_the_others_named(world: World) -> None:
    unknown = _jwt(world, "n-3", "LtiAssetProcessorSubmissionNotice")

    answer = _send(world, "not-a-token", _jwt(world, "n-1"), unknown, 7, _jwt(world, "n-2"))

    assert answer.status_code == 200
    assert _said(answer) == [
        "token_malformed",
        "stored",
        "message_type_unsupported",
        "token_missing",
        "stored",
    ]
    assert answer.get_json()["notices"][2]["detail"] == "LtiAssetProcessorSubmissionNotice"
    assert _stored(world) == ["n-1", "n-2"]


REFUSED: list[tuple[dict[str, Any], str, int]] = [
    ({"iss": "https://nobody.test"}, "registration_unknown", 400),
    ({"iss": "https://nobody.test\0"}, "registration_unknown", 400),
    ({"iss": None}, "claim_missing", 400),
    ({"aud": "tool-x"}, "registration_unknown", 400),
    ({"aud": ["tool-a", "tool-x"]}, "aud_mismatch", 401),
    ({"aud": None}, "aud_missing", 401),
    ({"exp": 22222, "iat": 11111}, "token_expired", 401),
    ({"exp": None}, "claim_missing", 400),
    ({"iat": None}, "claim_missing", 400),
    ({"nonce": None}, "nonce_missing", 400),
    ({"version": None}, "claim_missing", 400),
    ({"version": "1.1"}, "version_unsupported", 400),
    ({"deployment_id": None}, "claim_missing", 400),
    ({"deployment_id": "dep-x"}, "deployment_unknown", 403),
    ({"notice": None}, "claim_missing", 400),
    ({"notice": {"type": "LtiContextCopyNotice"}}, "claim_missing", 400),
    ({"notice": {"id": "n", "type": "Foo<script>"}}, "message_type_unsupported", 400),
    ({"context": None}, "claim_missing", 400),
    ({"context": {"title": "no id"}}, "claim_missing", 400),
    ({"origin_contexts": None}, "claim_missing", 400),
    ({"origin_contexts": [7]}, "claim_invalid", 400),
    ({"origin_contexts": "c-1"}, "claim_invalid", 400),
]


@pytest.mark.parametrize(("changes", "code", "status"), REFUSED, ids=str)
def test_a_notice_is_checked_like_a_launch(
    world: World, changes: dict[str, Any], code: str, status: int
) -> None:
    before = world.counts()

    answer = _send(world, _jwt(world, **changes))

    assert (answer.status_code, answer.headers["X-LTI-Error"], _said(answer)) == (status, code, [code])
    assert world.counts() == before
    assert _stored(world) == []


@pytest.mark.parametrize(
    ("form", "key", "code"),
    [
        (TokenForm(alg="none"), "a-1", "alg_not_allowed"),
        (TokenForm(kid="x-9"), "a-1", "kid_unknown"),
        (None, "other", "kid_unknown"),
        (TokenForm(kid="a-1"), "other", "signature_invalid"),
    ],
    ids=["none", "kid", "foreign", "forged"],
)
def test_a_notice_is_signed_by_its_platform(
    world: World, form: TokenForm | None, key: str, code: str
) -> None:
    answer = _send(world, _jwt(world, form=form, key=key))

    assert (answer.status_code, _said(answer)) == (401, [code])


def test_a_nonce_serves_one_notice(world: World) -> None:
    assert _said(_send(world, _jwt(world, "n-1", nonce="same"))) == ["stored"]

    answer = _send(world, _jwt(world, "n-2", nonce="same"))

    assert (answer.status_code, _said(answer)) == (401, ["nonce_used"])


def test_an_unknown_deployment_of_a_notice_is_noted(world: World) -> None:
    _send(world, _jwt(world, deployment_id="dep-new"))

    assert world.deployments()["dep-new"] == "noted"


def test_an_inactive_platform_tells_nothing(world: World) -> None:
    world.set_state("a", "disabled")

    assert _said(_send(world, _jwt(world))) == ["registration_inactive"]


def test_two_sites_that_share_issuer_and_client_id_have_their_own_addresses(world: World) -> None:
    world.register("a3", world.a.platform, world.a.server, "tool-a", "dep-3", separate_site=True)

    assert _said(_send(world, _jwt(world))) == ["registration_ambiguous"]
    path = f"/lti/notices/{world.a.facts.public_id}"
    assert _said(_send(world, _jwt(world), path=path)) == ["stored"]
    with world.database.reading() as session:
        row = session.scalars(select(Notice)).one()
        assert session.get_one(Registration, row.registration_id).public_id == world.a.facts.public_id


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "token_malformed", 400),
        (b"[]", "token_missing", 400),
        (b'{"notices": []}', "token_missing", 400),
        (b'{"notices": {}}', "token_malformed", 400),
        (b'{"notices": [{}]}', "token_missing", 400),
        (json.dumps({"notices": [{"jwt": "a.b.c"}] * 51}).encode(), "token_too_large", 413),
        (b"x" * (1024 * 1024 + 1), "token_too_large", 413),
    ],
    ids=["empty", "list", "none", "object", "no jwt", "51", "1 MiB"],
)
def test_a_batch_that_is_none(world: World, body: bytes, code: str, status: int) -> None:
    answer = world.app.test_client().post(
        "/lti/notices", base_url=TOOL, data=body, content_type="application/json"
    )

    assert (answer.status_code, answer.headers["X-LTI-Error"]) == (status, code)


def test_fifty_notices_are_one_batch(world: World) -> None:
    assert _said(_send(world, *(_jwt(world, f"n-{n}") for n in range(50)))) == ["stored"] * 50


def test_notices_by_plain_http_are_not_read(world: World) -> None:
    answer = _send(world, _jwt(world), headers={"X-Forwarded-Proto": "http"})

    assert answer.headers["X-LTI-Error"] == "url_not_allowed"
    assert _stored(world) == []


def test_old_notices_are_forgotten(world: World) -> None:
    _send(world, _jwt(world, "n-1"))
    world.clock.pass_(days=91)
    _send(world, _jwt(world, "n-2"))

    assert _stored(world) == ["n-2"]


# hosts that a signed message names


def test_hosts_that_a_signed_launch_names_are_noted_for_the_operator(world_on_both: World) -> None:
    world = world_on_both
    browser = world.browser()
    services = {
        "ags": {"scope": [], "lineitems": "https://grades.example.net:8443/items"},
        "nrps": {"context_memberships_url": "https://api.other.test/members", "service_versions": ["2.0"]},
    }
    back = {"launch_presentation": {"return_url": "https://portal.example.org/back"}}

    for claims in (services, services, back, {"launch_presentation": {"return_url": "javascript:alert(1)"}}):
        assert browser.launch(claims=claims).status_code == 303
    browser.launch(claims=back | {"version": "1.1"})

    with world.database.writing() as session:
        public_id = world.a.facts.public_id
        assert [(one.host, one.named_for) for one in registrations.noted_hosts(session, public_id)] == [
            ("grades.example.net:8443", "service_url"),
            ("portal.example.org", "return_url"),
        ]
        registrations.allow_service_host(session, public_id, "*.example.org")
        assert [one.host for one in registrations.noted_hosts(session, public_id)] == [
            "grades.example.net:8443"
        ]
    assert browser.launch(claims=back).status_code == 303
    assert world.launches()[-1].return_url == "https://portal.example.org/back"


def test_a_foreign_deep_link_address_is_refused_and_noted(world: World) -> None:
    settings = {"deep_link_return_url": "https://collect.example.net/x"}
    start = world.a.platform.begin_deep_link("dana", "c-1", settings=settings)

    assert world.browser().open(world.a, start).headers["X-LTI-Error"] == "return_url_not_allowed"
    with world.database.reading() as session:
        (noted,) = registrations.noted_hosts(session, world.a.facts.public_id)
    assert (noted.host, noted.named_for) == ("collect.example.net", "return_url")


def test_noted_hosts_fill_no_table(world: World) -> None:
    with world.database.writing() as session:
        row_id = world.a.facts.row_id
        noted = [
            registrations.note_host(session, row_id, f"h{n}.test", "service_url", world.clock)
            for n in range(60)
        ]

    assert noted == [True] * 50 + [False] * 10
