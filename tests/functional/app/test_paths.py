"""The paths of the contract as the outside meets them: status, methods, headers."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.models import ToolKey
from microcred.app.factory import create_app
from tests.functional.app.conftest import Command
from tests.support import grading

TOOL = "https://tool.example.org"
PUBLIC = [
    *("/ob/2.0/issuers/x", "/ob/2.0/badges/x", "/ob/2.0/assertions/x", "/ob/2.0/badges/x.png"),
    *("/ob/3.0/credentials/x", "/ob/3.0/credentials/x.json", "/ob/3.0/achievements/x", "/ob/status/9"),
    *("/ob/badges/x.png", "/ob/issuers/x/did.json"),
]


@pytest.fixture
def client(microcred: Command) -> Iterator[FlaskClient]:
    microcred.settings["MICROCRED_SECRET_KEYS"] = grading.SECRET
    assembly = microcred.assembly()
    with assembly.database.writing() as session:
        session.add(ToolKey(**grading._tool_key()))
    yield create_app(assembly).test_client()
    assembly.close()


@pytest.fixture
def environment(microcred: Command) -> None:
    microcred.settings["MICROCRED_PUBLIC_URL"] = TOOL


pytestmark = pytest.mark.usefixtures("environment")


def ask(client: FlaskClient, path: str, method: str = "GET", **headers: str) -> TestResponse:
    return client.open(path, method=method, base_url=TOOL, headers=headers)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/lti/login", 400),
        ("/lti/login/nobody", 400),
        ("/lti/login/check", 400),
        ("/lti/launch", 405),
        ("/lti/deep-link", 405),
        ("/lti/jwks", 200),
        ("/.well-known/did.json", 200),
        ("/badges/x", 404),
        ("/app/x/", 401),
        ("/app/x/choose", 401),
        ("/app/x/course", 401),
        ("/desk/", 401),
        ("/desk/enter?t=x", 403),
        ("/metrics", 404),
        ("/no/such/page", 404),
        *((path, 404) for path in PUBLIC),
    ],
)
def test_every_path_answers_with_the_headers_of_every_page(
    client: FlaskClient, path: str, status: int
) -> None:
    answer = ask(client, path)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"]
    assert headers["Referrer-Policy"] in ("no-referrer", "same-origin", "strict-origin-when-cross-origin")
    assert headers["X-Request-Id"]
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors" in policy
    assert "X-Frame-Options" not in headers
    head = ask(client, path, "HEAD")
    assert (head.status_code, head.data) == (status, b"")


@pytest.mark.parametrize("path", ["/desk/", "/desk/enter?t=x", "/badges/x", "/healthz", "/app/x/"])
def test_what_no_launch_stands_behind_is_framed_by_nobody(client: FlaskClient, path: str) -> None:
    assert "frame-ancestors 'none'" in ask(client, path).headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/lti/login", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/lti/jwks", {"GET", "HEAD", "OPTIONS"}),
        ("/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("/readyz", {"GET", "HEAD", "OPTIONS"}),
        ("/badges/x", {"GET", "HEAD", "OPTIONS"}),
        *((path, {"GET", "HEAD", "OPTIONS"}) for path in PUBLIC),
    ],
)
def test_other_methods_are_not_allowed(client: FlaskClient, path: str, methods: set[str]) -> None:
    for method in {"POST", "PUT", "PATCH", "DELETE"} - methods:
        answer = ask(client, path, method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == methods


@pytest.mark.parametrize("path", [*PUBLIC, "/.well-known/did.json"])
def test_badge_documents_are_open_to_every_website(client: FlaskClient, path: str) -> None:
    for method in ("GET", "OPTIONS"):
        headers = ask(client, path, method, Origin="https://checker.example").headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in headers
        assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", ["/lti/login", "/lti/jwks", "/badges/x", "/healthz", "/desk/", "/app/x/"])
def test_nothing_else_is(client: FlaskClient, path: str) -> None:
    headers = ask(client, path, Origin="https://checker.example").headers
    assert "Access-Control-Allow-Origin" not in headers


def test_tool_keys_are_public_members_only_and_cacheable(client: FlaskClient) -> None:
    answer = ask(client, "/lti/jwks")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    (key,) = answer.get_json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
    assert (key["alg"], key["use"], key["kty"]) == ("RS256", "sig", "RSA")


def test_addresses_come_from_the_public_url_and_never_from_the_request(
    client: FlaskClient, microcred: Command
) -> None:
    made = microcred.platform("--deployment-id", "d")
    login = client.get(
        "/lti/login",
        base_url="https://evil.test",
        query_string={
            "iss": "https://lms.example.org",
            "login_hint": "x",
            "target_link_uri": made["launch_url"],
            "client_id": "tool-1",
        },
        headers={"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.test"},
    )
    assert login.status_code == 302
    assert "evil.test" not in str(login.headers)
    assert "tool.example.org" in login.headers["Location"]


def test_a_broken_database_is_503_with_retry_after_on_every_path(
    client: FlaskClient, microcred: Command
) -> None:
    assembly = microcred.assembly()
    with assembly.database.reading() as session:
        assert session.scalars(select(ToolKey)).all()
    with assembly.database.engine.begin() as connection:
        for table in ("tool_key", "registration", "launch", "award", "badge", "status_list", "organization"):
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_away")
    assembly.close()
    for path in ("/lti/jwks", "/lti/login?iss=a&login_hint=b&target_link_uri=c", "/app/x/", "/badges/x"):
        answer = ask(client, path)
        assert (path, answer.status_code) == (path, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert "Traceback" not in answer.text
        assert "SELECT" not in answer.text
    for path in ("/ob/2.0/assertions/x", "/ob/status/1"):
        answer = ask(client, path)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (503, "*")
