"""Rules of an organization: who sees and sets them, what is refused, that they count and are on record."""

import html
import re
from typing import Any

from flask import Flask
from sqlalchemy import select

from microcred.operations import organization_rules
from microcred.people import policies
from microcred.people.models import AuditEvent, Organization
from microcred.people.policies import Reviewing
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World


def form_of(page: str) -> dict[str, Any]:
    """What a browser would send if nothing were changed."""
    fields: dict[str, Any] = {
        name: html.unescape(value)
        for name, value in re.findall(r'<input [^>]*name="(\w+)"[^>]* value="([^"]*)"[^>]*>', page)
        if f'name="{name}" value="yes"' not in page or re.search(rf'name="{name}" value="yes" checked', page)
    }
    zone = re.search(r'<option value="([^"]+)" selected>', page)
    assert zone is not None
    fields["time_zone"] = zone[1]
    for name, text in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', page, re.S):
        fields[name] = html.unescape(text)
    return fields


def issuer(world: World) -> Organization:
    with world.database.reading() as session:
        return session.get_one(Organization, world.issuer_id)


def events(world: World) -> list[AuditEvent]:
    with world.database.reading() as session:
        return list(
            session.scalars(
                select(AuditEvent).where(AuditEvent.action == "organization.rules").order_by("id")
            )
        )


def test_an_approver_sets_the_rules_of_their_issuer(world: World, approver: Visitor) -> None:
    approver.follow(approver.get("/desk/rules"))
    path = f"/desk/rules/{issuer(world).public_id}"
    shown = form_of(approver.page)
    assert shown["appeal_days"] == "20"
    assert shown["double_score_borderline"] == "yes"
    assert "outside_only" not in shown

    saved = approver.post(path, **shown)
    assert saved.status_code == 303
    assert events(world) == []  # saving what stands changes nothing

    changed = shown | {
        "appeal_days": "12",
        "double_score_percent": "25",
        "outside_only": "yes",
        "time_zone": "America/Chicago",
        "text_holidays": "2026-11-26\n\n2026-12-21 to 2026-12-24\n",
        "text_issuers": "https://issuer.example/1\n",
    }
    del changed["coaching"]
    approver.follow(approver.post(path, **changed))
    assert "Saved." in approver.page
    assert "by Avery Approver" in approver.page
    assert form_of(approver.page)["text_holidays"] == "2026-11-26\n2026-12-21 to 2026-12-24"
    with world.database.reading() as session:
        assert policies.reviewing_of(session, world.issuer_id) == Reviewing(
            double_score_percent=25, outside_only=True, appeal_days=12, coaching=False
        )
        assert policies.zone_of(session, world.issuer_id).key == "America/Chicago"
        assert len(policies.holidays_of(session, world.issuer_id)) == 5
        assert policies.counted_issuers(session, world.issuer_id) == {"https://issuer.example/1"}
    (event,) = events(world)
    assert (event.actor_id, event.subject_id) == (world.approver, str(world.issuer_id))
    assert event.detail["appeal_days"] == [20, 12]
    assert event.detail["holidays"]["added"][0] == "2026-11-26"

    # Whoever still has the earlier page open overwrites nothing, and keeps what they wrote.
    late = approver.post(path, **shown | {"appeal_days": "30"})
    assert late.status_code == 409
    assert "Nothing was overwritten" in approver.page
    assert form_of(approver.page)["appeal_days"] == "30"
    assert form_of(approver.page)["edition"] != shown["edition"]
    assert len(events(world)) == 1


def test_what_cannot_be_a_rule_is_refused_in_words_and_kept_in_the_form(
    world: World, approver: Visitor
) -> None:
    approver.follow(approver.get("/desk/rules"))
    path = f"/desk/rules/{issuer(world).public_id}"
    shown = form_of(approver.page)
    for wrong, says in (
        ({"appeal_days": "0"}, "“Time to appeal” takes a whole number from 1 to 250."),
        ({"double_score_percent": "101"}, "from 0 to 100"),
        ({"calibration_percent": "many"}, "from 1 to 100"),
        ({"time_zone": "Mars/Olympus"}, "This time zone is not known."),
        ({"text_holidays": "Thanksgiving"}, "“Thanksgiving” is no day."),
        ({"text_holidays": "2026-12-24 to 2026-12-21"}, "ends before it begins"),
        ({"text_holidays": "2020-01-01 to 2030-01-01"}, "too long"),
    ):
        refused = approver.post(path, **shown | wrong)
        assert refused.status_code == 409, wrong
        assert says in html.unescape(approver.page), wrong
        assert "Nothing was saved." in approver.page
        assert 'aria-invalid="true"' in approver.page
        if "time_zone" not in wrong:
            assert form_of(approver.page).items() >= wrong.items()
    assert events(world) == []


def test_only_approvers_and_operators_of_the_organization_see_its_rules(app: Flask, world: World) -> None:
    path = f"/desk/rules/{issuer(world).public_id}"
    everywhere = {
        role: Visitor.at_desk(app, world.database, world.clock, world.join(f"{role.capitalize()} Demo", role))
        for role in ("operator", "author", "reviewer", "faculty", "registrar", "leader")
    }
    with world.database.reading() as session:
        district = session.get_one(Organization, world.district_id).public_id
    for role, visitor in everywhere.items():
        assert visitor.get(path).status_code == (200 if role == "operator" else 403), role
        visitor.get("/desk/")
        assert visitor.post(path, edition="x").status_code == (409 if role == "operator" else 403), role
        other = visitor.get(f"/desk/rules/{district}")
        assert other.status_code == (404 if role == "operator" else 403), role
        assert visitor.get("/desk/rules").status_code == (303 if role == "operator" else 403), role
    assert events(world) == []


def test_spans_of_days_are_read_and_written_alike() -> None:
    lines = ["2026-12-31 to 2027-01-02", "2026-11-26", " 2027-01-03 "]
    days = organization_rules.read_days(lines)
    assert len(days) == 5
    assert [(first.isoformat(), last.isoformat()) for first, last in organization_rules.spans(days)] == [
        ("2026-11-26", "2026-11-26"),
        ("2026-12-31", "2027-01-03"),
    ]
