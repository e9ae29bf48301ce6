"""`microcred doctor` and `microcred db`: each trouble is named with what to do about it."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

import demo_lms
from demo_lms import Platform
from microcred.database import Database
from tests.functional.app.conftest import Command
from tests.support import clamd
from tests.support.lti import signing_key

SECRET = "a secret of the tests alone"


def findings(command: Command, status: int = 0) -> dict[str, dict[str, Any]]:
    """By check; in the order in which an operator would mend things."""
    return {one["check"]: one for one in command.json("doctor", status=status)}


@pytest.fixture
def lms() -> Iterator[demo_lms.Server]:
    """A platform whose key set can be read."""
    platform = Platform("https://platform-a.test", keys=[signing_key("a-1")])
    with demo_lms.serve(platform) as server:
        yield server


def test_a_healthy_embedded_installation(microcred: Command, lms: demo_lms.Server) -> None:
    microcred.settings["MICROCRED_ALLOW_HOSTS"] = "localhost,127.0.0.1"
    microcred.platform(jwks_url=f"{lms.url}/jwks")
    found = findings(microcred)
    assert list(found) == [
        *("settings", "database", "redis", "storage", "keys", "public URL", "files", "mail"),
        *("platform Demo LMS", "clock against platform Demo LMS"),
    ]
    assert all(one["ok"] and one["says"] for one in found.values())
    assert "FAIL" not in microcred("doctor").stdout


def test_a_healthy_installation_on_all_engines(
    microcred: Command, migrated_postgres_url: str, redis_url: str, s3_url: str
) -> None:
    microcred.settings |= {
        "MICROCRED_DATABASE_URL": migrated_postgres_url,
        "MICROCRED_REDIS_URL": redis_url,
        "MICROCRED_STORAGE_URL": s3_url,
        "MICROCRED_SECRET_KEYS": SECRET,
    }
    found = findings(microcred)
    assert all(one["ok"] for one in found.values())
    assert "PostgreSQL" in found["settings"]["says"]
    assert found["redis"]["says"] == "reached"


def test_the_database_is_away(microcred: Command) -> None:
    microcred.settings |= {
        "MICROCRED_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none",
        "MICROCRED_SECRET_KEYS": SECRET,
    }
    found = findings(microcred, status=1)
    assert not found["database"]["ok"]
    assert "MICROCRED_DATABASE_URL" in found["database"]["says"]
    assert not found["keys"]["ok"]
    assert found["storage"]["ok"]
    assert "FAIL database" in microcred("doctor", status=1).stdout


def test_the_schema_is_stale(microcred: Command, postgres_url: str) -> None:
    microcred.settings |= {"MICROCRED_DATABASE_URL": postgres_url, "MICROCRED_SECRET_KEYS": SECRET}
    assert "microcred db upgrade" in findings(microcred, status=1)["database"]["says"]
    for words in (["platform", "list"], ["serve"], ["worker"]):
        assert "Run: microcred db upgrade" in microcred(*words, status=1).stderr
    checked = microcred("db", "check", "--json", status=1)
    assert '"current": null' in checked.stdout
    assert "Run: microcred db upgrade" in checked.stderr
    made = microcred.json("db", "upgrade")
    assert made["current"] == made["newest"]
    assert microcred.json("db", "check") == made
    assert microcred("db", "check").stdout.endswith("as it should be.\n")
    assert findings(microcred)["database"]["ok"]


def test_a_schema_newer_than_the_program_is_stale_too(microcred: Command, migrated_postgres_url: str) -> None:
    microcred.settings |= {"MICROCRED_DATABASE_URL": migrated_postgres_url, "MICROCRED_SECRET_KEYS": SECRET}
    database = Database(migrated_postgres_url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()
    assert "9999" in microcred("db", "check", status=1).stderr
    assert "9999" in microcred("serve", status=1).stderr


def test_redis_is_away(microcred: Command) -> None:
    microcred.settings["MICROCRED_REDIS_URL"] = "redis://127.0.0.1:1/0"
    found = findings(microcred, status=1)["redis"]
    assert not found["ok"]
    assert "MICROCRED_REDIS_URL" in found["says"]


def test_the_storage_cannot_be_written(microcred: Command, s3_endpoint: str) -> None:
    microcred.settings["MICROCRED_STORAGE_URL"] = (
        f"s3://no-such-bucket?endpoint={s3_endpoint}&region=us-east-1&access_key_id=t&secret_access_key=t"
    )
    found = findings(microcred, status=1)["storage"]
    assert not found["ok"]
    assert "MICROCRED_STORAGE_URL" in found["says"]


def test_the_malware_scan(microcred: Command) -> None:
    with clamd.running() as scanner:
        microcred.settings["MICROCRED_CLAMD_URL"] = scanner.url
        assert findings(microcred)["files"]["says"] == "ffmpeg found, clamd answers"
    found = findings(microcred, status=1)["files"]
    assert (found["ok"], "MICROCRED_CLAMD_URL" in found["says"]) == (False, True)


def test_settings_that_no_part_can_use(microcred: Command) -> None:
    microcred.settings["MICROCRED_STORAGE_URL"] = "/dev/null/files"
    (found,) = microcred.json("doctor", status=1)
    assert (found["check"], found["ok"]) == ("settings", False)
    assert "MICROCRED_STORAGE_URL" in found["says"]


def test_a_public_address_without_https(microcred: Command) -> None:
    microcred.settings["MICROCRED_PUBLIC_URL"] = "http://tool.example.org"
    assert "MICROCRED_PUBLIC_URL" in findings(microcred, status=1)["public URL"]["says"]


def test_a_platform_whose_keys_cannot_be_read(microcred: Command, lms: demo_lms.Server) -> None:
    microcred.settings["MICROCRED_ALLOW_HOSTS"] = "localhost,127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    microcred.platform(name="Away", jwks_url=f"http://127.0.0.1:{port}/jwks")
    microcred.platform(name="Wrong address", client_id="tool-2", jwks_url=f"{lms.url}/no-such-page")
    found = findings(microcred, status=1)
    assert "(connect)" in found["platform Away"]["says"]
    assert "404" in found["platform Wrong address"]["says"]


def test_a_clock_that_is_off(microcred: Command, lms: demo_lms.Server) -> None:
    microcred.settings["MICROCRED_ALLOW_HOSTS"] = "localhost,127.0.0.1"
    microcred.platform(jwks_url=f"{lms.url}/jwks")
    answer = b"HTTP/1.1 200 OK\r\nDate: Mon, 02 Mar 2026 09:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}"
    lms.platform.script.on("jwks", demo_lms.Reply(raw=answer))
    assert "NTP" in findings(microcred, status=1)["clock against platform Demo LMS"]["says"]
