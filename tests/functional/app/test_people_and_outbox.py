"""`microcred person` for people who are in no LMS, and `microcred outbox`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from microcred import outbox
from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import limits_of
from microcred.outbox import Limit
from tests.functional.app.conftest import Command

TOOL = "https://tool.example.org"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def issuer(microcred: Command, catalogue_file: Path) -> Command:
    """An installation that knows the sample's issuers."""
    microcred("catalogue", "import", str(catalogue_file))
    return microcred


def test_an_invitation_opens_the_desk_once(issuer: Command) -> None:
    made = issuer.json(
        *("person", "invite", "--name", "Rowan Demo-Reviewer", "--email", "rowan@demo.invalid"),
        *("--role", "reviewer", "--role", "approver", "--organization", "iss-riverbend"),
    )
    assert set(made) == {"person_id", "url", "expires_at"}
    assert made["url"].startswith(f"{TOOL}/desk/enter?t=")
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    (person,) = issuer.json("person", "list")
    assert person["person_id"] == made["person_id"]
    assert (person["name"], person["state"], person["identities"]) == ("Rowan Demo-Reviewer", "active", [])
    assert [(office["role"], office["organization"]) for office in person["offices"]] == [
        ("reviewer", "iss-riverbend"),
        ("approver", "iss-riverbend"),
    ]
    assert _opens(issuer, made["url"])
    assert not _opens(issuer, made["url"])


def test_somebody_known_gets_a_new_link_and_another_office(issuer: Command) -> None:
    made = issuer.json(
        "person", "invite", "--name", "Avery", "--role", "reviewer", "--organization", "iss-riverbend"
    )
    number = f"person:{made['person_id']}"
    link = issuer.json("person", "link", number)
    assert set(link) == {"url", "expires_at"}
    assert link["url"] != made["url"]
    assert issuer("person", "link", number).stdout.startswith(f"{TOOL}/desk/enter?t=")
    shown = issuer.json("person", "appoint", number, "--role", "approver", "--organization", "iss-lakeshore")
    assert shown["offices"][1]["organization"] == "iss-lakeshore"
    issuer("person", "appoint", number, "--role", "operator")
    refused = issuer("person", "appoint", number, "--role", "approver", "--organization", "iss-x", status=1)
    assert "There is no organization called iss-x." in refused.stderr


def test_a_suspended_person_is_shut_out_until_restored(issuer: Command) -> None:
    made = issuer.json(
        "person", "invite", "--name", "Avery", "--role", "reviewer", "--organization", "iss-riverbend"
    )
    number = f"person:{made['person_id']}"
    assert issuer.json("person", "suspend", number)["state"] == "suspended"
    assert "suspended" in issuer("person", "link", number, status=1).stderr
    assert not _opens(issuer, made["url"])
    assert issuer.json("person", "restore", number)["state"] == "active"
    assert _opens(issuer, issuer.json("person", "link", number)["url"])


@pytest.mark.parametrize("verb", ["link", "suspend", "restore", "unlink", "export"])
def test_nobody_is_called_so(microcred: Command, verb: str) -> None:
    for number in ("person:nobody", "registration:sub", "nonsense", ":"):
        assert f"There is nobody called {number}." in microcred("person", verb, number, status=1).stderr


def _opens(command: Command, url: str) -> bool:
    """Whether the link still lets somebody in."""
    assembly = command.assembly()
    client = create_app(assembly).test_client()
    token = url.partition("?t=")[2]
    answer = client.post(
        "/desk/enter", base_url=TOOL, data={"t": token}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assembly.close()
    return answer.status_code == 303


def test_the_outbox_shows_what_waits_and_what_stopped(microcred: Command) -> None:
    _queue(microcred, "waiting", "blocked", "dead", "delivered")
    status = microcred.json("outbox", "status")
    assert {name: count for name, count in status["counts"].items() if count} == {
        "waiting": 1,
        "blocked": 1,
        "dead": 1,
    }
    assert status["oldest_due_at"] == "2026-03-02T09:00:00+00:00"
    assert status["destinations"] == []
    rows = microcred.json("outbox", "list")
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("waiting", None),
        ("blocked", "line_item_missing"),
        ("dead", "line_item_missing"),
    ]
    assert set(rows[0]) >= {
        *("id", "kind", "destination", "state", "reason", "attempts", "due_at", "created_at"),
        *("last_tried_at", "last_answer", "may_retry"),
    }
    assert microcred.json("outbox", "list", "--limit", "1") == rows[:1]
    assert microcred.json("outbox", "list", "--after", str(rows[0]["id"])) == rows[1:]
    assert "line_item_missing" in microcred("outbox", "list").stdout
    assert "blocked" in microcred("outbox", "status").stdout


def test_what_stopped_is_sent_again(microcred: Command) -> None:
    blocked, dead, delivered, other = _queue(microcred, "blocked", "dead", "delivered", "blocked")
    assert microcred.json("outbox", "retry", str(blocked)) == {"retried": 1}
    assert "not stuck" in microcred("outbox", "retry", str(delivered), status=1).stderr
    assert "no row" in microcred("outbox", "retry", "999", status=1).stderr
    assert microcred.json("outbox", "retry", "--all") == {"retried": 2}
    assert microcred.json("outbox", "retry", "--all") == {"retried": 0}
    rows = microcred.json("outbox", "list")
    assert [(row["id"], row["state"]) for row in rows] == [(n, "waiting") for n in (blocked, dead, other)]


def test_one_row_dead_letters_and_a_destination_at_rest(microcred: Command) -> None:
    waiting, dead, _ = _queue(microcred, "waiting", "dead", "delivered")
    assert [row["id"] for row in microcred.json("outbox", "list", "--state", "dead")] == [dead]
    assert microcred.json("outbox", "list", "--kind", "mail") == []
    assert microcred.json("outbox", "list", "--destination", "registration:2") == []
    shown = microcred.json("outbox", "show", str(dead))
    assert (shown["sent"], shown["subject"]) == ("85 of 100", "lms_identity:1")
    assert "could not be reached for three days" in shown["words"]
    assert "85 of 100" in microcred("outbox", "show", str(dead)).stdout
    assert "no row" in microcred("outbox", "show", "999", status=1).stderr
    paused = microcred.json("outbox", "pause", "registration:1")
    assert paused == {"destination": "registration:1", "stopped": True}
    assert [d["stopped"] for d in microcred.json("outbox", "status")["destinations"]] == [True]
    assert microcred.json("outbox", "resume", "registration:1")["stopped"] is False
    assert microcred.json("outbox", "status")["destinations"] == []
    assert microcred.json("outbox", "retry", "--all", "--destination", "registration:2") == {"retried": 0}
    assert microcred.json("outbox", "retry", "--all", "--destination", "registration:1") == {"retried": 1}
    assert [row["id"] for row in microcred.json("outbox", "list", "--state", "waiting")] == [waiting, dead]


def test_platforms_are_pressed_as_hard_as_the_settings_say() -> None:
    limit_of = limits_of(Settings(_env_file=None, in_flight=3, per_second=2.5))
    assert limit_of("registration:7") == Limit(concurrency=3, per_second=2.5)
    assert limit_of("local") == Limit(concurrency=3)
    assert limits_of(Settings(_env_file=None))("registration:7") == Limit(concurrency=8)


def _queue(microcred: Command, *states: str) -> list[int]:
    assembly = microcred.assembly()
    numbers = []
    with assembly.database.writing() as session:
        for number, state in enumerate(states):
            row = outbox.add(
                session,
                kind="score",
                destination="registration:1",
                order_key=f"score:{number}",
                subject=("lms_identity", "1"),
                payload={"content": {"scoreGiven": 85, "scoreMaximum": 100}},
                now=NOW,
            )
            session.flush()
            if state != "waiting":
                row.state, row.finished_at = state, NOW
                row.reason = None if state == "delivered" else "line_item_missing"
            numbers.append(row.id)
    assembly.close()
    return numbers
