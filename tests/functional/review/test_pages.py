"""The reviewer's and the approver's pages, by HTTP, as they work without script."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from microcred.credentials.models import Award
from microcred.people import links
from microcred.people.models import AuditEvent
from tests.functional.review.visitor import ORIGIN, Visitor
from tests.functional.review.world import PASSING, PICTURE, REVISIONS, SECRETS, World


def rate_by_form(visitor: Visitor, public_id: str, ratings: dict[str, str], comment: str) -> None:
    for part in sorted({criterion.split("-")[0] for criterion in ratings}):
        page = visitor.get(f"/desk/review/{public_id}?part={part}").get_data(as_text=True)
        if 'name="level_' not in page:
            continue  # a kept part
        fields: dict[str, Any] = {
            f"level_{criterion}": level for criterion, level in ratings.items() if criterion.startswith(part)
        }
        fields |= {name.replace("level_", "text_comment_"): comment for name in fields}
        answer = visitor.post(f"/desk/review/{public_id}/ratings", **fields, part=part)
        assert answer.status_code == 303, answer.get_data(as_text=True)


def test_the_whole_way_by_forms_alone(world: World, reviewer: Visitor, approver: Visitor) -> None:
    public_id = world.submitted()
    page = reviewer.get("/desk/review/").get_data(as_text=True)
    assert "One to read" in page
    assert "free to take" in page
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    assert "Finish and recommend" in reviewer.page
    rate_by_form(reviewer, public_id, PASSING, "Clear proof.")
    reviewer.get(f"/desk/review/{public_id}?part=p4")
    assert "This passes." in reviewer.page
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/finish", outcome="award"))
    assert "You recommended the award." in reviewer.page

    assert "Terry Tryout" in approver.get("/desk/approve/").get_data(as_text=True)
    page = approver.get(f"/desk/approve/{public_id}").get_data(as_text=True)
    assert "Clear proof." in page
    assert "100 of 100" in page
    assert "10 hours (1.0 CEU)" in page
    approver.follow(approver.post(f"/desk/approve/{public_id}", decision="award"))
    assert "You awarded this to Terry Tryout." in approver.page
    assert world.state(public_id) == "awarded"


def test_the_reviewer_is_never_sent_anything_that_names_the_teacher(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    reviewer.get("/desk/review/")
    reviewer.get(f"/desk/review/{public_id}")
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    rate_by_form(reviewer, public_id, REVISIONS, "Count something.")
    for part in ("p1", "p2", "p3", "p4"):
        reviewer.get(f"/desk/review/{public_id}?part={part}")
        for address in reviewer.links(r"/desk/review/[^\"]+/evidence/[^\"]+"):
            answer = reviewer.get(address)
            assert answer.status_code == 200
    pieces = [body for body in reviewer.seen if "boards.example.org in a new tab" in body]
    assert pieces
    reviewer.post(f"/desk/review/{public_id}/finish", outcome="revise")
    reviewer.get(f"/desk/approve/{public_id}")
    # Where a link leads is shown when it is opened, and may name anybody: its own page warns of that.
    everything = "".join(body for body in reviewer.seen if body not in pieces)
    for secret in SECRETS:
        assert secret not in everything
    assert not any(secret in body for body in pieces for secret in SECRETS[:4])


def test_evidence_is_served_under_its_neutral_name_and_put_on_record(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    reviewer.get("/desk/review/")
    reviewer.post(f"/desk/review/{public_id}/start")
    reviewer.get(f"/desk/review/{public_id}?part=p2")
    address = reviewer.links(r"[^\"]+/file")[0]
    answer = reviewer.get(address)
    assert answer.get_data() == PICTURE
    assert answer.headers["Content-Disposition"] == 'inline; filename="Student A, item 1.png"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["Cache-Control"] == "private, no-store"
    part = reviewer.get(address, Range="bytes=8-15")
    assert (part.status_code, part.get_data()) == (206, PICTURE[8:16])
    assert part.headers["Content-Range"] == f"bytes 8-15/{len(PICTURE)}"
    assert reviewer.get(address, Range=f"bytes={len(PICTURE)}-").status_code == 416
    with world.database.reading() as session:
        opened = session.scalars(select(AuditEvent).where(AuditEvent.action == "evidence_opened")).all()
    assert len(opened) == 1


def test_the_script_saves_one_point_and_gets_the_fresh_places_back(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    reviewer.get("/desk/review/")
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    answer = reviewer.post(
        f"/desk/review/{public_id}/ratings", fragment=True, part="p1", **{"level_p1-c1": "strong"}
    )
    body = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert re.findall(r'id="(review-[a-z]+)"', body) == [
        "review-saved",
        "review-count",
        "review-steps",
        "review-finish",
    ]
    assert "1 of 5 rated" in body
    assert "Saved 11:00 AM" in body


def test_what_is_missing_is_said_and_the_button_waits(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    reviewer.get("/desk/review/")
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    assert "Rate Parts 1, 2, 3 and 4 first." in reviewer.page
    rate_by_form(reviewer, public_id, REVISIONS, "")
    reviewer.get(f"/desk/review/{public_id}")
    assert "Write to the teacher what is missing in Parts 1 and 4." in reviewer.page
    assert "disabled" in reviewer.page
    answer = reviewer.post(f"/desk/review/{public_id}/finish", outcome="revise")
    assert answer.status_code == 409
    assert "Say what to change for each point" in reviewer.page
    assert "Your ratings are saved." in reviewer.page


def test_an_hour_of_two_reviewers_ends_in_plain_words(app: Flask, world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    other = Visitor.at_desk(app, world.database, world.clock, world.other_reviewer)
    other.get("/desk/review/")
    reviewer.get("/desk/review/")
    reviewer.post(f"/desk/review/{public_id}/start")
    answer = other.post(f"/desk/review/{public_id}/start")
    assert answer.status_code == 409
    assert "Another reviewer has just taken this one." in other.page


def test_a_double_click_on_award_makes_one_award(world: World, approver: Visitor) -> None:
    public_id = world.recommended()
    approver.get(f"/desk/approve/{public_id}")
    for _ in range(2):
        assert approver.post(f"/desk/approve/{public_id}", decision="award").status_code == 303
    with world.database.reading() as session:
        assert len(session.scalars(select(Award.id)).all()) == 1


def test_a_reason_that_is_missing_keeps_the_form_open(world: World, approver: Visitor) -> None:
    public_id = world.recommended()
    approver.get(f"/desk/approve/{public_id}")
    answer = approver.post(f"/desk/approve/{public_id}", decision="deny", text_reason=" ")
    assert answer.status_code == 409
    assert "Say why in a sentence or two." in approver.page
    too_long = "x" * 4001
    approver.post(f"/desk/approve/{public_id}", decision="return", text_note=too_long)
    assert too_long in approver.page
    assert world.state(public_id) == "recommended"


@pytest.mark.parametrize("path", ["/desk/review/{}", "/desk/approve/{}", "/desk/review/{}/evidence/x"])
def test_others_find_nothing_there(app: Flask, world: World, path: str) -> None:
    public_id = world.recommended()
    stranger = Visitor.at_desk(app, world.database, world.clock, world.stranger)
    assert stranger.get(path.format(public_id)).status_code == 403
    teacher = Visitor.at_desk(app, world.database, world.clock, world.teacher)
    assert teacher.get(path.format(public_id)).status_code in (403, 404)
    nobody = Visitor(app)
    assert nobody.get(path.format(public_id)).status_code == 401


def test_a_form_from_another_site_changes_nothing(world: World, reviewer: Visitor) -> None:
    public_id = world.submitted()
    reviewer.get("/desk/review/")
    path = f"/desk/review/{public_id}/start"
    forged = reviewer.client.post(path, base_url=ORIGIN, headers={"Sec-Fetch-Site": "cross-site"})
    without_token = reviewer.client.post(path, base_url=ORIGIN, headers={"Sec-Fetch-Site": "same-origin"})
    assert (forged.status_code, without_token.status_code) == (403, 403)
    assert world.state(public_id) == "submitted"


def test_the_desk_shows_what_there_is_to_do_and_closes(
    world: World, reviewer: Visitor, approver: Visitor
) -> None:
    world.submitted()
    assert "One to read" in reviewer.get("/desk/").get_data(as_text=True)
    assert "Nothing to decide" in approver.get("/desk/").get_data(as_text=True)
    reviewer.get("/desk/")
    reviewer.post("/desk/leave")
    assert reviewer.get("/desk/review/").status_code == 401


def test_looking_at_a_one_time_link_does_not_use_it_up(app: Flask, world: World) -> None:
    with world.database.writing() as session:
        secret = links.invite(session, world.reviewer, world.clock.now())
    scanner, person, thief = Visitor(app), Visitor(app), Visitor(app)
    for _ in range(3):
        assert scanner.get(f"/desk/enter?t={secret}").status_code == 200
    person.get(f"/desk/enter?t={secret}")
    answer = person.post("/desk/enter", t=secret)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert thief.post("/desk/enter", t=secret).status_code == 403
    assert "used already" in thief.page
    assert person.get("/desk/").status_code == 200
    world.clock.pass_(hours=3)
    assert person.get("/desk/").status_code == 401


def test_words_from_outside_stay_words(world: World, reviewer: Visitor, approver: Visitor) -> None:
    public_id = world.submitted()
    script = "<script>alert(1)</script>"
    reviewer.get("/desk/review/")
    reviewer.follow(reviewer.post(f"/desk/review/{public_id}/start"))
    rate_by_form(reviewer, public_id, PASSING, script)
    reviewer.get(f"/desk/review/{public_id}?part=p1")
    assert script not in reviewer.page
    reviewer.post(f"/desk/review/{public_id}/finish", outcome="award")
    approver.get(f"/desk/approve/{public_id}")
    assert script not in approver.page
    assert "&lt;script&gt;" in approver.page
